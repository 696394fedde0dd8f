package api

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// upload sends a multipart form with these fields; file is the part "file".
func (o *office) upload(who, path, name string, file []byte, fields map[string]string, headers ...string) answer {
	o.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := part.Write(file); err != nil {
		o.t.Fatal(err)
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if err := w.WriteField(key, fields[key]); err != nil {
			o.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		o.t.Fatal(err)
	}
	return o.call(who, "POST", path, form.String(), append([]string{"Content-Type", w.FormDataContentType()}, headers...)...)
}

// The whole road of a request by HTTP: opened, refused for what is missing, completed, warned, submitted, taken in charge.
func TestRequestTravels(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.call("", "GET", Prefix+"/session/accounts", nil).want(http.StatusOK, "")
		session := o.call("", "POST", Prefix+"/session", map[string]any{"account": "anna"}).want(http.StatusCreated, "")
		o.tokens["anna by hand"] = session.text("token")
		rup := "anna by hand"
		if me := o.call(rup, "GET", Prefix+"/me", nil).want(http.StatusOK, ""); me.get("demo") != true || me.get("roles", 0, "body", "name") != "Ente conselve" {
			t.Errorf("me = %s", me.raw)
		}
		if got := o.call(rup, "GET", Prefix+"/openings", nil).want(http.StatusOK, ""); got.get("items", 1, "event") != "create_request" || got.get("items", 1, "schema", "type") != "object" {
			t.Errorf("openings = %s", got.raw)
		}

		opened := o.call(rup, "POST", Prefix+"/cases", map[string]any{
			"workflow": "open_procedure", "event": "create_request",
			"inputs": map[string]any{"title": "Nuova costruzione di edificio scolastico in via Traverso", "kind": "works", "amount": 330_783_624, "cup": "B18E18000340009"},
		}).want(http.StatusCreated, "")
		path, tag := opened.header.Get("Location"), opened.header.Get("ETag")
		if path != Prefix+"/cases/"+opened.text("case") || tag != `"1"` {
			t.Errorf("Location %q, ETag %q", path, tag)
		}
		seen := o.call("dario", "GET", path, nil).want(http.StatusOK, "")
		if seen.header.Get("ETag") != tag || seen.get("amount") != 330_783_624.0 || seen.get("cup") != "B18E18000340009" || seen.get("state", "label", "it") != "Richiesta in bozza" {
			t.Errorf("case = %s", seen.raw)
		}

		refused := o.call(rup, "POST", path+"/events", map[string]any{"event": "submit_request"}, "If-Match", tag).want(http.StatusConflict, "refused")
		if refused.text("refusals", 0, "detail") == "" || len(refused.get("refusals").([]any)) < 2 {
			t.Errorf("one refusal at a time: %s", refused.raw)
		}
		o.call(rup, "POST", path+"/events", map[string]any{
			"event": "edit_request", "inputs": map[string]any{"procedure_kind": "open", "criterion": "best_value", "programme_exemption": "urgenza sopravvenuta"},
		}, "If-Match", tag).want(http.StatusOK, "")
		for _, kind := range []string{"request_form", "rup_appointment", "conflict_declaration", "quadro_economico"} {
			o.upload(rup, path+"/documents", kind+".pdf", []byte("%PDF-1.7 "+kind), map[string]string{"type": kind}).want(http.StatusCreated, "")
		}
		tag = o.call(rup, "GET", path, nil).want(http.StatusOK, "").header.Get("ETag")

		warned := o.call(rup, "POST", path+"/events", map[string]any{"event": "submit_request"}, "If-Match", tag).want(http.StatusConflict, "acknowledge")
		acknowledge := []map[string]any{}
		for i := range warned.get("warnings").([]any) {
			acknowledge = append(acknowledge, map[string]any{"code": warned.text("warnings", i, "code"), "reason": "i documenti arrivano domani"})
		}
		submitted := o.call(rup, "POST", path+"/events", map[string]any{"event": "submit_request", "acknowledge": acknowledge}, "If-Match", tag).want(http.StatusOK, "")
		if submitted.get("to") != "request_submitted" {
			t.Errorf("submitted = %s", submitted.raw)
		}
		if due := o.call(rup, "GET", path+"/deadlines", nil).want(http.StatusOK, ""); due.get("items", 0, "status") != "running" || due.text("items", 0, "explanation", "it") == "" {
			t.Errorf("deadlines = %s", due.raw)
		}

		stale := o.call("dario", "POST", path+"/events", map[string]any{"event": "take_charge"}, "If-Match", `"1"`).want(http.StatusPreconditionFailed, "stale")
		changes := stale.get("changes").([]any)
		if stale.header.Get("ETag") != submitted.header.Get("ETag") || len(changes) < 2 || stale.text("changes", len(changes)-1, "event") != "submit_request" {
			t.Errorf("stale = %s", stale.raw)
		}
		options := o.call("dario", "GET", path+"/options", nil).want(http.StatusOK, "")
		if options.get("events", 0, "allowed") != true {
			t.Errorf("nothing to do for the clerk: %s", options.raw)
		}
		taken := map[string]any{"event": "take_charge"}
		if a := o.call("dario", "POST", path+"/events", taken, "If-Match", stale.header.Get("ETag")); a.status == http.StatusConflict {
			taken["acknowledge"] = []map[string]any{{"code": a.text("warnings", 0, "code"), "reason": "verificata a parte"}}
			o.call("dario", "POST", path+"/events", taken, "If-Match", stale.header.Get("ETag")).want(http.StatusOK, "")
		} else {
			a.want(http.StatusOK, "")
		}

		story := o.call("elena", "GET", path+"/history", nil).want(http.StatusOK, "")
		if story.get("verified") != true || len(story.items()) < 8 {
			t.Errorf("history = %s", story.raw)
		}
		first := o.call("elena", "GET", path+"/history?limit=3", nil).want(http.StatusOK, "")
		next, _, _ := strings.Cut(strings.TrimPrefix(first.header.Get("Link"), "<"), ">")
		if second := o.call("elena", "GET", next, nil).want(http.StatusOK, ""); second.get("items", 0, "seq") != 4.0 {
			t.Errorf("after %v comes %v (%s)", first.get("next"), second.get("items", 0, "seq"), next)
		}
		o.call(rup, "DELETE", Prefix+"/session", nil).want(http.StatusNoContent, "")
		o.call(rup, "GET", Prefix+"/me", nil).want(http.StatusUnauthorized, "token_unknown")
	})
}

func TestOthersSeeNothing(t *testing.T) {
	eachOffice(t, func(o *office) {
		path, tag := o.newRequest("Scuola")
		doc := o.upload("bruno", path+"/documents", "d.pdf", []byte("%PDF-1.7"), map[string]string{"type": "project"}).want(http.StatusCreated, "")
		for _, below := range []string{"", "/options", "/history", "/deadlines", "/documents"} {
			o.call("carla", "GET", path+below, nil).want(http.StatusNotFound, "not_found")
		}
		o.call("carla", "GET", doc.header.Get("Location"), nil).want(http.StatusNotFound, "not_found")
		o.call("carla", "POST", path+"/events", map[string]any{"event": "edit_request"}, "If-Match", tag).want(http.StatusNotFound, "not_found")
		o.upload("carla", path+"/documents", "d.pdf", []byte("%PDF-1.7"), map[string]string{"type": "project"}).want(http.StatusNotFound, "not_found")
		if list := o.call("carla", "GET", Prefix+"/cases", nil).want(http.StatusOK, ""); len(list.items()) != 0 {
			t.Errorf("carla sees %s", list.raw)
		}
		// who sees it but may not do it is told so, and who could
		f := o.call("elena", "POST", path+"/events", map[string]any{"event": "edit_request"}, "If-Match", tag).want(http.StatusForbidden, "forbidden")
		if f.get("roles", 0) != "rup" {
			t.Errorf("forbidden = %s", f.raw)
		}
	})
}

func TestRepeatedRequests(t *testing.T) {
	eachOffice(t, func(o *office) {
		open := map[string]any{"workflow": "open_procedure", "event": "create_request", "inputs": map[string]any{"title": "Palestra", "kind": "works"}}
		first := o.call("bruno", "POST", Prefix+"/cases", open, "Idempotency-Key", "k1").want(http.StatusCreated, "")
		again := o.call("bruno", "POST", Prefix+"/cases", open, "Idempotency-Key", "k1").want(http.StatusCreated, "")
		if !bytes.Equal(first.raw, again.raw) || first.header.Get("Location") != again.header.Get("Location") {
			t.Errorf("repeated: %s, then %s", first.raw, again.raw)
		}
		open["inputs"] = map[string]any{"title": "Piscina", "kind": "works"}
		o.call("bruno", "POST", Prefix+"/cases", open, "Idempotency-Key", "k1").want(http.StatusUnprocessableEntity, "key_reused")

		path, tag := first.header.Get("Location"), first.header.Get("ETag")
		edit := map[string]any{"event": "edit_request", "inputs": map[string]any{"funding": "fondi propri"}}
		one := o.call("bruno", "POST", path+"/events", edit, "If-Match", tag, "Idempotency-Key", "k2").want(http.StatusOK, "")
		two := o.call("bruno", "POST", path+"/events", edit, "If-Match", tag, "Idempotency-Key", "k2").want(http.StatusOK, "")
		if !bytes.Equal(one.raw, two.raw) {
			t.Errorf("repeated: %s, then %s", one.raw, two.raw)
		}
		if list := o.call("bruno", "GET", Prefix+"/cases", nil); len(list.items()) != 1 {
			t.Errorf("the repetition opened another: %s", list.raw)
		}
	})
}

func TestListPagesAndFilters(t *testing.T) {
	eachOffice(t, func(o *office) {
		for i := range 5 {
			o.newRequest(fmt.Sprintf("Lavoro %d", i))
		}
		var titles []string
		for next := Prefix + "/cases?sort=title&limit=2"; next != ""; {
			page := o.call("bruno", "GET", next, nil).want(http.StatusOK, "")
			for i := range page.items() {
				titles = append(titles, page.text("items", i, "title"))
			}
			link, _, _ := strings.Cut(strings.TrimPrefix(page.header.Get("Link"), "<"), ">")
			if cursor, _ := page.get("next").(string); (cursor == "") != (link == "") {
				t.Errorf("next %q, Link %q", cursor, link)
			}
			next = link
		}
		if got := strings.Join(titles, ","); got != "Lavoro 0,Lavoro 1,Lavoro 2,Lavoro 3,Lavoro 4" {
			t.Errorf("pages give %s", got)
		}
		for query, want := range map[string]int{
			"": 5, "?text=lavoro+3": 1, "?body=conselve": 5, "?body=monselice": 0, "?state=request_draft": 5, "?stage=preparation": 0, "?open=true": 5, "?open=false": 0,
			"?children=true": 10, "?workflow=lot&children=true": 5, "?officer=dario": 0, "?due_before=2026-12-31": 0, "?sort=-amount&limit=3": 3,
		} {
			if page := o.call("bruno", "GET", Prefix+"/cases"+query, nil).want(http.StatusOK, ""); len(page.items()) != want {
				t.Errorf("%q gives %d cases, want %d", query, len(page.items()), want)
			}
		}
	})
}

func TestDownload(t *testing.T) {
	o := anOffice(t, Server{})
	path, _ := o.newRequest("Scuola")
	page := []byte("<!doctype html><script>alert(1)</script>")
	up := o.upload("bruno", path+"/documents", "relazione \"è\".html", page, map[string]string{"type": "project"}, "Idempotency-Key", "d1").want(http.StatusCreated, "")
	o.upload("bruno", path+"/documents", "relazione \"è\".html", page, map[string]string{"type": "project"}, "Idempotency-Key", "d1").want(http.StatusCreated, "")
	if list := o.call("bruno", "GET", path+"/documents", nil).want(http.StatusOK, ""); len(list.items()) != 1 {
		t.Errorf("the repetition added another: %s", list.raw)
	}
	got := o.call("bruno", "GET", up.header.Get("Location"), nil).want(http.StatusOK, "")
	sum, err := hex.DecodeString(up.text("sha256"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "ETag": `"` + up.text("sha256") + `"`,
		"Digest": "sha-256=" + base64.StdEncoding.EncodeToString(sum), "Content-Length": fmt.Sprint(len(page)),
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox", "Cache-Control": "no-store",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, got.header.Get(name), want)
		}
	}
	if d := got.header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment;") {
		t.Errorf("Content-Disposition %q", d)
	}
	if !bytes.Equal(got.raw, page) {
		t.Errorf("bytes are not the same: %q", got.raw)
	}
	head := o.call("bruno", "HEAD", up.header.Get("Location"), nil)
	if head.status != http.StatusOK || len(head.raw) != 0 || head.header.Get("Content-Length") != fmt.Sprint(len(page)) {
		t.Errorf("HEAD = %d %v", head.status, head.header)
	}
}

func TestUploadRefuses(t *testing.T) {
	o := anOffice(t, Server{})
	path, _ := o.newRequest("Scuola")
	pdf := []byte("%PDF-1.7")
	for name, c := range map[string]struct {
		answer answer
		status int
		code   string
	}{
		"empty":         {o.upload("bruno", path+"/documents", "a.pdf", nil, map[string]string{"type": "project"}), http.StatusUnprocessableEntity, "invalid"},
		"unknown type":  {o.upload("bruno", path+"/documents", "a.pdf", pdf, map[string]string{"type": "poem"}), http.StatusUnprocessableEntity, "invalid"},
		"no type":       {o.upload("bruno", path+"/documents", "a.pdf", pdf, nil), http.StatusUnprocessableEntity, "invalid"},
		"unknown field": {o.upload("bruno", path+"/documents", "a.pdf", pdf, map[string]string{"type": "project", "x": "y"}), http.StatusUnprocessableEntity, "invalid"},
		"too large":     {o.upload("bruno", path+"/documents", "a.pdf", make([]byte, 1<<20+1), map[string]string{"type": "project"}), http.StatusRequestEntityTooLarge, "too_large"},
		"far too large": {o.upload("bruno", path+"/documents", "a.pdf", make([]byte, 3<<20), map[string]string{"type": "project"}), http.StatusRequestEntityTooLarge, "too_large"},
		"not a form":    {o.call("bruno", "POST", path+"/documents", map[string]any{"type": "project"}), http.StatusUnsupportedMediaType, "unsupported_media_type"},
		"broken form":   {o.call("bruno", "POST", path+"/documents", "--x\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\nproj", "Content-Type", "multipart/form-data; boundary=x"), http.StatusBadRequest, "malformed"},
		"for control":   {o.upload("elena", path+"/documents", "a.pdf", pdf, map[string]string{"type": "project"}), http.StatusForbidden, "forbidden"},
	} {
		t.Log(name)
		c.answer.want(c.status, c.code)
	}
	if list := o.call("bruno", "GET", path+"/documents", nil); len(list.items()) != 0 {
		t.Errorf("something was kept: %s", list.raw)
	}
}

func TestWorkflows(t *testing.T) {
	o := anOffice(t, Server{})
	all := o.call("carla", "GET", Prefix+"/workflows", nil).want(http.StatusOK, "")
	for i := range all.items() {
		at := Prefix + "/workflows/" + all.text("items", i, "hash")
		if one := o.call("carla", "GET", at, nil).want(http.StatusOK, ""); one.get("id") != all.get("items", i, "id") || len(one.get("events").([]any)) == 0 {
			t.Errorf("%s = %.300s", at, one.raw)
		}
		if schema := o.call("carla", "GET", at+"/schema", nil).want(http.StatusOK, ""); schema.get("$defs", "events") == nil {
			t.Errorf("%s/schema = %.300s", at, schema.raw)
		}
		if text := o.call("carla", "GET", at+"/graph?format=mermaid", nil).want(http.StatusOK, ""); !strings.HasPrefix(string(text.raw), "flowchart") {
			t.Errorf("mermaid = %.100s", text.raw)
		}
	}
	svg := o.call("carla", "GET", Prefix+"/workflows/"+all.text("items", 0, "hash")+"/graph", nil).want(http.StatusOK, "")
	if svg.header.Get("Content-Type") != mediaSVG || !strings.Contains(string(svg.raw), "<svg") {
		t.Errorf("graph = %v %.200s", svg.header, svg.raw)
	}
	o.call("carla", "GET", Prefix+"/workflows/"+strings.Repeat("0", 64)+"/graph", nil).want(http.StatusNotFound, "not_found")
	if people := o.call("dario", "GET", Prefix+"/people", nil).want(http.StatusOK, ""); len(people.items()) == 0 {
		t.Errorf("people = %s", people.raw)
	}
	if bodies := o.call("dario", "GET", Prefix+"/bodies", nil).want(http.StatusOK, ""); len(bodies.items()) != 3 {
		t.Errorf("bodies = %s", bodies.raw)
	}
}
