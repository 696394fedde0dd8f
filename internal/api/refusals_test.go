package api

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
)

// flaws are "where code" of each fault of an answer.
func (a answer) flaws() []string {
	var out []string
	list, _ := a.body["errors"].([]any)
	for _, f := range list {
		m := f.(map[string]any)
		where, _ := m["pointer"].(string)
		if where == "" {
			where, _ = m["parameter"].(string)
		}
		out = append(out, fmt.Sprint(where, " ", m["code"]))
	}
	return out
}

func TestBadBodies(t *testing.T) {
	o := anOffice(t, Server{})
	path, tag := o.newRequest("Scuola")
	secret := "zzPRIVATOzz"
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
		flaws  string
	}{
		"empty":              {"", 400, "malformed", ""},
		"not JSON":           {`{"event": "edit_request", `, 400, "malformed", ""},
		"two values":         {`{"event": "edit_request"} {}`, 400, "malformed", ""},
		"not UTF-8":          {"{\"event\": \"\xff\"}", 400, "malformed", ""},
		"too deep":           {`{"inputs":` + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000) + `}`, 400, "malformed", ""},
		"deeper than Go":     {strings.Repeat(`{"a":`, 100_000), 400, "malformed", ""},
		"a list":             {`[]`, 422, "invalid", " type"},
		"null":               {`null`, 422, "invalid", " type"},
		"no event":           {`{}`, 422, "invalid", "/event missing"},
		"unknown field":      {`{"event":"edit_request","evnt":"` + secret + `"}`, 422, "invalid", "/evnt unknown"},
		"other case":         {`{"event":"edit_request","Inputs":{}}`, 422, "invalid", "/Inputs unknown"},
		"twice":              {`{"event":"edit_request","event":"submit_request"}`, 422, "invalid", "/event duplicate"},
		"twice below":        {`{"event":"edit_request","inputs":{"title":"a","title":"b"}}`, 422, "invalid", "/inputs/title duplicate"},
		"wrong types":        {`{"event":7,"inputs":[],"acknowledge":{}}`, 422, "invalid", "/acknowledge type,/event type,/inputs type"},
		"wrong items":        {`{"event":"edit_request","acknowledge":[{"code":"x"},3]}`, 422, "invalid", "/acknowledge/0/reason missing,/acknowledge/1 type"},
		"event not an id":    {`{"event":"../etc"}`, 422, "invalid", "/event type"},
		"unknown input":      {`{"event":"edit_request","inputs":{"nope":"` + secret + `"}}`, 422, "invalid", "/inputs/nope input_unknown"},
		"input of a type":    {`{"event":"edit_request","inputs":{"amount":"` + secret + `","inversion":"si"}}`, 422, "invalid", "/inputs/amount type,/inputs/inversion type"},
		"huge number":        {`{"event":"edit_request","inputs":{"amount":1e999999999}}`, 422, "invalid", "/inputs/amount type"},
		"fraction of a cent": {`{"event":"edit_request","inputs":{"amount":1.5}}`, 422, "invalid", "/inputs/amount type"},
		"control character":  {`{"event":"edit_request","inputs":{"title":"a\u0000b"}}`, 422, "invalid", "/inputs/title control"},
		"bad CUP":            {`{"event":"edit_request","inputs":{"cup":"B18"}}`, 422, "invalid", "/inputs/cup format"},
		"too large":          {`{"event":"` + strings.Repeat("a", 1<<20) + `"}`, 413, "too_large", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o.t = t
			a := o.call("bruno", "POST", path+"/events", c.body, "If-Match", tag).want(c.status, c.code)
			if got := strings.Join(a.flaws(), ","); got != c.flaws {
				t.Errorf("faults %q, want %q: %s", got, c.flaws, a.raw)
			}
			if strings.Contains(string(a.raw), secret) {
				t.Errorf("the answer repeats the request: %s", a.raw)
			}
		})
	}
	o.t = t
	if strings.Contains(o.log.String(), secret) {
		t.Error("the log repeats the request")
	}
	if now := o.call("bruno", "GET", path, nil); now.header.Get("ETag") != tag {
		t.Errorf("something happened to the case: %s", now.raw)
	}
	o.call("bruno", "POST", path+"/events", `event=edit_request`, "If-Match", tag, "Content-Type", "application/x-www-form-urlencoded").want(415, "unsupported_media_type")
}

func TestBadParameters(t *testing.T) {
	o := anOffice(t, Server{})
	path, _ := o.newRequest("Scuola")
	edit := map[string]any{"event": "edit_request"}
	for query, flaw := range map[string]string{
		"?limit=0": "query.limit format", "?limit=201": "query.limit format", "?limit=ten": "query.limit format", "?sort=colour": "query.sort format",
		"?colour=red": "query.colour unknown", "?due_before=tomorrow": "query.due_before format", "?due_before=2026-02-30": "query.due_before format",
		"?after=AAAA": "query.after cursor", "?open=maybe": "query.open format", "?state=..%2Fetc": "query.state format", "?text=a%00b": "query.text format",
		"?text=" + strings.Repeat("a", 201): "query.text format",
	} {
		a := o.call("bruno", "GET", Prefix+"/cases"+query, nil).want(422, "invalid")
		if got := strings.Join(a.flaws(), ","); got != flaw {
			t.Errorf("%s: faults %q, want %q: %s", query, got, flaw, a.raw)
		}
	}
	o.call("bruno", "GET", Prefix+"/cases?text=%ff", nil).want(400, "malformed")
	o.call("bruno", "GET", Prefix+"/cases/nothing-here", nil).want(404, "not_found")
	o.call("bruno", "GET", Prefix+"/documents/nothing-here", nil).want(404, "not_found")
	o.call("bruno", "POST", path+"/events", edit).want(428, "if_match_missing")
	for _, wrong := range []string{"*", `"0"`, `W/"1"`, "one", `"99999999999999999999"`} {
		o.call("bruno", "POST", path+"/events", edit, "If-Match", wrong).want(422, "invalid")
	}
	o.call("bruno", "POST", path+"/events", edit, "If-Match", `"1"`, "Idempotency-Key", strings.Repeat("k", 201)).want(422, "invalid")
}

func TestWhoIsIt(t *testing.T) {
	o := anOffice(t, Server{})
	missing := o.call("", "GET", Prefix+"/cases", nil).want(401, "token_missing")
	if c := missing.header.Get("WWW-Authenticate"); c != `Bearer realm="sua"` {
		t.Errorf("WWW-Authenticate = %q", c)
	}
	for _, wrong := range []string{"Bearer nothing", "Bearer ", "Basic YTpi", "Bearer " + strings.Repeat("a", 5000)} {
		a := o.call("", "GET", Prefix+"/cases", nil, "Authorization", wrong).want(401, "token_unknown")
		if !strings.Contains(a.header.Get("WWW-Authenticate"), "invalid_token") {
			t.Errorf("WWW-Authenticate = %q", a.header.Get("WWW-Authenticate"))
		}
	}
	// a session cookie is nothing here
	o.call("", "GET", Prefix+"/cases", nil, "Cookie", "sua_session="+o.tokens["bruno"]).want(401, "token_missing")
	// a demonstration account is nobody elsewhere
	o.call("anna", "GET", Prefix+"/me", nil).want(200, "")
	for name, change := range map[string]func(*http.Request){
		"from another machine":    func(r *http.Request) { r.RemoteAddr = "192.0.2.7:5000" },
		"through a proxy here":    func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.7") },
		"a name that points here": func(r *http.Request) { r.Host = "evil.example" },
		"a forged header":         func(r *http.Request) { r.RemoteAddr = "192.0.2.7:5000"; r.Header.Set("X-Real-Ip", "127.0.0.1") },
	} {
		for target, body := range map[string]string{"/me": "", "/session": `{"account":"anna"}`, "/session/accounts": ""} {
			r := httptest.NewRequest(map[bool]string{true: "GET", false: "POST"}[body == ""], "http://localhost"+Prefix+target, strings.NewReader(body))
			r.RemoteAddr = "127.0.0.1:5000"
			r.Header.Set("Content-Type", "application/json")
			if target == "/me" {
				r.Header.Set("Authorization", "Bearer "+o.tokens["anna"])
			}
			change(r)
			w := httptest.NewRecorder()
			o.echo.ServeHTTP(w, r)
			if w.Code != 403 || !strings.Contains(w.Body.String(), "demo_local_only") {
				t.Errorf("%s, %s: %d %s", target, name, w.Code, w.Body)
			}
		}
	}
	o.call("", "POST", Prefix+"/session", map[string]any{"account": "bruno"}).want(422, "invalid")
}

func TestRateLimit(t *testing.T) {
	now := begin
	o := anOffice(t, Server{RatePerMinute: 3, Now: func() time.Time { return now }})
	for left := 2; left >= 0; left-- {
		a := o.call("bruno", "GET", Prefix+"/me", nil).want(200, "")
		if got := a.header.Get("X-RateLimit-Limit") + " " + a.header.Get("X-RateLimit-Remaining") + " " + a.header.Get("X-RateLimit-Reset"); got != fmt.Sprintf("3 %d 60", left) {
			t.Errorf("headers %q with %d left", got, left)
		}
	}
	now = now.Add(20 * time.Second)
	a := o.call("bruno", "GET", Prefix+"/me", nil).want(429, "too_many_requests")
	if a.header.Get("Retry-After") != "40" || a.header.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("429 with %v", a.header)
	}
	o.call("carla", "GET", Prefix+"/me", nil).want(200, "") // another person is not touched
	for range 3 {
		o.call("", "GET", Prefix+"/me", nil, "Authorization", "Bearer guess").want(401, "token_unknown")
	}
	o.call("", "GET", Prefix+"/me", nil, "Authorization", "Bearer another").want(429, "too_many_requests") // guessing is bounded
	now = now.Add(40 * time.Second)
	o.call("bruno", "GET", Prefix+"/me", nil).want(200, "")
}

func TestStatus(t *testing.T) {
	options := store.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "sua.db"), Now: func() time.Time { return begin }}
	if err := store.Migrate(t.Context(), options.URL); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	o := newOffice(t, db, Server{})
	up := o.call("", "GET", Prefix+"/status", nil).want(200, "ok")
	if up.get("title") != "OK" {
		t.Errorf("status = %s", up.raw)
	}
	if err := o.db.Close(); err != nil {
		t.Fatal(err)
	}
	down := o.call("", "GET", Prefix+"/status", nil).want(503, "unavailable")
	if down.header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	broken := o.call("bruno", "GET", Prefix+"/cases", nil).want(500, "internal")
	if !strings.Contains(o.log.String(), broken.header.Get("X-Request-Id")) {
		t.Errorf("request %s is not in the log: %s", broken.header.Get("X-Request-Id"), o.log)
	}
	if strings.Contains(string(broken.raw), "sql") {
		t.Errorf("the answer tells our internals: %s", broken.raw)
	}
}

func TestOutsideOperations(t *testing.T) {
	o := anOffice(t, Server{PublicURL: "https://sua.provincia.example"})
	o.echo.GET("/page", func(echo.Context) error { return echo.ErrTeapot })
	for _, path := range []string{"/api/nothing", Prefix + "/nothing", Prefix + "/cases/x/y/z", Prefix} {
		a := o.call("bruno", "GET", path, nil).want(404, "not_found")
		if a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s without its headers", path)
		}
	}
	wrong := o.call("bruno", "DELETE", Prefix+"/cases", nil).want(405, "method_not_allowed")
	if allow := wrong.header.Get("Allow"); !strings.Contains(allow, "GET") || !strings.Contains(allow, "POST") {
		t.Errorf("Allow = %q", allow)
	}
	if options := o.call("", "OPTIONS", Prefix+"/cases", nil); options.status != 204 || options.header.Get("Allow") == "" || options.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("OPTIONS = %d %v", options.status, options.header)
	}
	if head := o.call("bruno", "HEAD", Prefix+"/cases", nil); head.status != 200 || len(head.raw) != 0 {
		t.Errorf("HEAD = %d %s", head.status, head.raw)
	}
	if page := o.call("", "GET", "/page", nil); page.status != 418 || strings.Contains(page.header.Get("Content-Type"), "problem") {
		t.Errorf("a page's error = %d %v", page.status, page.header)
	}
	ok := o.call("bruno", "GET", Prefix+"/me", nil).want(200, "")
	for name, want := range map[string]string{
		"Strict-Transport-Security": "max-age=31536000", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Set-Cookie": "",
	} {
		if ok.header.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, ok.header.Get(name), want)
		}
	}
	for name, want := range map[string]string{"/openapi.json": "3.1.0", "/openapi-3.0.json": "3.0.3"} {
		spec := o.call("", "GET", Prefix+name, nil).want(200, "")
		if spec.get("openapi") != want || spec.get("servers", 0, "url") != "https://sua.provincia.example/api/v1" {
			t.Errorf("%s = %.300s", name, spec.raw)
		}
	}
}

// A panic of one request is answered, logged with its place, and the next request is served.
func TestPanic(t *testing.T) {
	var log strings.Builder
	svc := newService(Server{Log: slog.New(slog.NewTextHandler(&log, nil))})
	e := echo.New()
	e.GET("/api/v1/boom", func(c echo.Context) error {
		defer svc.survive(c)
		panic("boom")
	})
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/boom", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "boom") || !strings.Contains(log.String(), "refusals_test.go") {
		t.Errorf("panic: %d %s; log %s", w.Code, w.Body, &log)
	}
}

// Errors that middlewares of the program may give.
func TestErrorHandler(t *testing.T) {
	var log strings.Builder
	e := echo.New()
	e.HTTPErrorHandler = ErrorHandler(slog.New(slog.NewTextHandler(&log, nil)), e.DefaultHTTPErrorHandler)
	for status, code := range map[int]string{
		413: "too_large", 415: "unsupported_media_type", 429: "too_many_requests", 503: "unavailable", 500: "internal", 501: "internal", 418: "http_418", 408: "timeout",
	} {
		e.GET(fmt.Sprintf("/api/v1/%d", status), func(echo.Context) error { return echo.NewHTTPError(status, "secret words") })
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest("GET", fmt.Sprintf("/api/v1/%d", status), nil))
		if !strings.Contains(w.Body.String(), `"code":"`+code+`"`) || strings.Contains(w.Body.String(), "secret") || w.Header().Get("Content-Type") != problemMedia {
			t.Errorf("%d: %d %v %s", status, w.Code, w.Header(), w.Body)
		}
	}
	e.GET("/api/v1/error", func(echo.Context) error { return errors.New("wire 7 is cut") })
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/error", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "wire") || !strings.Contains(log.String(), "wire 7 is cut") {
		t.Errorf("error: %d %s; log %s", w.Code, w.Body, &log)
	}
}

func TestProblemOfEachKind(t *testing.T) {
	reason := engine.Refusal{Code: "too_early", Text: engine.Text{IT: "troppo presto"}, Law: "art. 71"}
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{engine.ErrNotFound, 404, "not_found"},
		{fmt.Errorf("load: %w", engine.ErrNotFound), 404, "not_found"},
		{&engine.Forbidden{Action: "accept", Roles: []string{"sua_director"}, Text: engine.Text{IT: "serve il dirigente"}}, 403, "forbidden"},
		{&engine.Invalid{Problems: []engine.Problem{{Pointer: "/inputs/a", Code: "empty"}}}, 422, "invalid"},
		{&engine.Refused{Event: "accept", Refusals: []engine.Refusal{reason}}, 409, "refused"},
		{&engine.NeedsAcknowledgement{Event: "accept", Warnings: []engine.Refusal{reason}}, 409, "acknowledge"},
		{&engine.Stale{Expected: 1, Current: 2}, 412, "stale"},
		{newProblem(428, "if_match_missing", ""), 428, "if_match_missing"},
		{errors.New("disk on fire"), 500, "internal"},
		{fmt.Errorf("fire: %w", syscall.ENOSPC), 507, "storage_full"},
		{fmt.Errorf("fire: %w", &net.OpError{Op: "read", Err: io.EOF}), 503, "unavailable"},
	} {
		p := problemOf(c.err)
		if p.Status != c.status || string(p.Code) != c.code {
			t.Errorf("%v → %d %s, want %d %s", c.err, p.Status, p.Code, c.status, c.code)
		}
		if strings.Contains(string(p.Detail), "fire") {
			t.Errorf("%v: the detail tells our internals", c.err)
		}
	}
	if p := problemOf(&engine.Refused{Refusals: []engine.Refusal{reason}}); len(p.Refusals) != 1 || p.Refusals[0] != (refusal{"too_early", "troppo presto", "art. 71"}) {
		t.Errorf("refusals = %v", p.Refusals)
	}
}

// A client that stops in the middle of its body leaves nothing behind and gets no half answer.
func TestBodyCutShort(t *testing.T) {
	o := anOffice(t, Server{})
	path, tag := o.newRequest("Scuola")
	conn, err := net.Dial("tcp", strings.TrimPrefix(o.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nIf-Match: %s\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"event\":\"edit_request\"}", path, o.tokens["bruno"], tag)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 400 {
		t.Errorf("half a body = %d", resp.StatusCode)
	}
	if now := o.call("bruno", "GET", path, nil); now.header.Get("ETag") != tag {
		t.Errorf("half a body did something: %s", now.raw)
	}
}

func TestLimiterForgetsAndIsBounded(t *testing.T) {
	now := begin
	l := newLimiter(1, func() time.Time { return now })
	for i := range maxKeys + 10 {
		l.take(fmt.Sprint(i))
	}
	if len(l.used) > maxKeys+1 {
		t.Errorf("%d keys are kept", len(l.used))
	}
	if _, _, ok := l.take("newcomer"); ok {
		t.Error("newcomers beyond the bound are not counted together")
	}
	now = now.Add(window)
	if _, _, ok := l.take("newcomer"); !ok || len(l.used) != 1 {
		t.Errorf("the window has not been forgotten: %d keys", len(l.used))
	}
}
