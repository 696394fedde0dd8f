package api

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzListFilter: whatever stands in the parameters of the list, they become a filter or a fault of the request.
func FuzzListFilter(f *testing.F) {
	for _, s := range []string{"", "2026-03-02", "2026-03-02T09:00:00+01:00", "2026-02-30", "9999-12-31T23:59:59.999999999-23:59", "0000-01-01"} {
		f.Add(s, "-updated")
	}
	f.Fuzz(func(t *testing.T, due, sort string) {
		in := listInput{DueBefore: dateTime(due), Sort: sort}
		filter, err := in.filter()
		if err != nil {
			if p := problemOf(err); p.Status != 422 {
				t.Errorf("due_before %q is answered with %d", due, p.Status)
			}
			return
		}
		if due == "" && !filter.DueBefore.IsZero() {
			t.Errorf("no due_before becomes %v", filter.DueBefore)
		}
	})
}

// asked sends what a fuzz target made up, without the network, and holds the answer against the description. What the program could
// not cope with is a status from 500 on.
func (o *office) asked(t *testing.T, who, method, path, query, body string, headers ...string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, Prefix+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.RemoteAddr, req.URL.RawQuery = "127.0.0.1:40000", query
	req.Header.Set("Authorization", "Bearer "+o.tokens[who])
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	o.echo.ServeHTTP(w, req)
	if w.Code >= http.StatusInternalServerError {
		t.Fatalf("%s %s?%s %q as %s: %d\n%s\n%s", method, path, query, body, who, w.Code, w.Body, o.log)
	}
	asked := *o
	asked.t = t
	asked.conforms(method, Prefix+path, answer{t: t, what: method + " " + path, status: w.Code, header: w.Header(), raw: bytes.Clone(w.Body.Bytes())})
	o.log.Reset()
}

// FuzzQuery: whatever stands behind the question mark of a list – cursors, filters, days, numbers – is answered or refused.
func FuzzQuery(f *testing.F) {
	o := anOffice(f, Server{})
	id, _ := o.newRequest("Scuola")
	o.newRequest("Palestra")
	id = strings.TrimPrefix(id, Prefix)
	paths := []string{"/cases", "/deadlines", "/events", "/notices", "/efficiency", id + "/as-of", id + "/history", id + "/export"}
	next := o.call("dario", http.MethodGet, Prefix+"/cases?limit=1&sort=title", nil).text("next")
	for i, query := range []string{
		"limit=1&sort=title&after=" + next, "scope=body&state=overdue&days=30&cursor=" + next, "after=1&limit=1&case=" + strings.TrimPrefix(id, "/cases/"),
		"unread=true&limit=1&after=" + next, "sua=padova&from=2026-01-01&to=2026-12-31", "at=2026-03-02T09:00:00Z", "after=1&limit=1", "redact_secret=true&no_documents=true",
		"due_before=9999-12-31T23:59:59Z&open=true&children=true", "after=0000-01-01T00:00:00Z&before=9999-12-31T23:59:59-23:59&days=99999999999",
		"text=%00&sort=-amount", "workflow=%ff&state=%25&body=padova", "after=9223372036854775807", "limit=-1;after=1", "at=2026-03-29T02:30", "from=2026-02-30&to=0001-01-01",
	} {
		for who := range 2 {
			f.Add(i, who == 0, query)
		}
	}
	f.Fuzz(func(t *testing.T, i int, sua bool, query string) {
		who := "bruno"
		if sua {
			who = "dario"
		}
		if strings.Contains(query, "wait") {
			return // for up to thirty seconds, as asked
		}
		o.asked(t, who, http.MethodGet, paths[uint(i)%uint(len(paths))], query, "")
	})
}

// FuzzBody: whatever is sent to a case, with whatever headers, is done or refused.
func FuzzBody(f *testing.F) {
	o := anOffice(f, Server{})
	id, tag := o.newRequest("Scuola")
	id = strings.TrimPrefix(id, Prefix)
	targets := []struct{ method, path string }{
		{http.MethodPost, id + "/events"}, {http.MethodPost, "/cases"}, {http.MethodPost, id + "/deadlines/x/move"}, {http.MethodPost, "/outages"},
		{http.MethodPut, "/notices/preferences"}, {http.MethodPost, "/notices/read"}, {http.MethodPost, "/session"},
	}
	for i, body := range []string{
		`{"event":"edit_request","inputs":{"title":"Asilo","amount":1e5}}`, `{"workflow":"open_procedure","event":"create_request","inputs":{"title":"x","kind":"works"}}`,
		`{"to":"2026-04-02","reason":"x"}`, `{"sua":"padova","from":"2026-03-01T09:00:00Z","to":"2026-03-01T10:00:00Z","reason":"x"}`, `{"mail":true}`, `{"case":"x"}`, `{"account":"anna"}`,
		`{"event":"edit_request","inputs":{"title":null,"amount":9223372036854775808,"costs":[{"row":1}]},"acknowledge":[{"code":"x","reason":"y"}]}`,
		`{"event":"\u0000","inputs":[]}`, `{"event":"add_cost","inputs":{"cost":{"item":"works","amount":-0.0}}}`, `[]`, `{"event":1}`, "{\"event\":\"\xff\"}", `{"workflow":"lot","event":"begin"}`,
	} {
		f.Add(i, []byte(body), tag, "k1")
		f.Add(i, []byte(body), "", "")
	}
	f.Add(0, []byte(`{"event":"edit_request"}`), `W/"1"`, "\x7f")
	f.Add(0, []byte(`{"event":"edit_request"}`), `"99999999999999999999"`, strings.Repeat("k", 300))
	f.Fuzz(func(t *testing.T, i int, body []byte, tag, key string) {
		to := targets[uint(i)%uint(len(targets))]
		o.asked(t, "bruno", to.method, to.path, "", string(body), "If-Match", tag, "Idempotency-Key", key)
	})
}
