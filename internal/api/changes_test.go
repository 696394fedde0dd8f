package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Each sees the events of its own bodies, with the numbers of the one sequence, and a cursor that goes on past the others'.
func TestTheFeedOverTheAPI(t *testing.T) {
	eachOffice(t, func(o *office) {
		path, tag := o.newRequest("Scuola")
		id := path[strings.LastIndex(path, "/")+1:]
		edit := func(tag, title string) {
			o.call("anna", http.MethodPost, path+"/events", map[string]any{"event": "edit_request", "inputs": map[string]any{"title": title}}, "If-Match", tag).want(200, "")
		}
		edit(tag, "Scuola media")
		o.newRequest("Palestra")

		all := o.call("dario", http.MethodGet, Prefix+"/events", nil).want(200, "")
		items := all.items()
		if len(items) < 3 || all.get("items", 0, "n") != 1.0 || all.body["next"] != all.body["last"] || all.body["next"] != float64(len(items)) {
			t.Fatalf("%s", all.raw)
		}
		if all.get("items", 2, "event") != "edit_request" || all.get("items", 2, "root") != id || all.get("items", 2, "seq") != 3.0 || all.get("items", 2, "actor", "id") != "anna" {
			t.Errorf("third event: %v", items[2])
		}
		if !strings.Contains(all.header.Get("Link"), fmt.Sprintf("after=%d", len(items))) {
			t.Errorf("Link %q", all.header.Get("Link"))
		}
		one := o.call("dario", http.MethodGet, Prefix+"/events?after=1&limit=1", nil).want(200, "")
		if len(one.items()) != 1 || one.body["next"] != 2.0 || one.get("items", 0, "n") != 2.0 {
			t.Errorf("a page of one: %s", one.raw)
		}
		if mine := o.call("dario", http.MethodGet, Prefix+"/events?case="+id, nil).want(200, ""); len(mine.items()) != 3 || mine.body["next"] != all.body["last"] {
			t.Errorf("of one case: %s", mine.raw)
		}
		if none := o.call("dario", http.MethodGet, Prefix+"/events?workflow=contract", nil).want(200, ""); len(none.items()) != 0 || none.body["next"] != all.body["last"] {
			t.Errorf("of another workflow: %s", none.raw)
		}
		if lots := o.call("dario", http.MethodGet, Prefix+"/events?workflow=lot", nil).want(200, ""); len(lots.items()) != 2 || lots.get("items", 0, "root") != id {
			t.Errorf("of the lots: %s", lots.raw)
		}
		// carla is of another Comune: nothing to see, and the cursor goes on
		if others := o.call("carla", http.MethodGet, Prefix+"/events", nil).want(200, ""); len(others.items()) != 0 || others.body["next"] != all.body["last"] {
			t.Errorf("of another body: %s", others.raw)
		}
		o.call("carla", http.MethodGet, Prefix+"/events?case="+id, nil).want(404, "not_found")
		o.call("dario", http.MethodGet, Prefix+"/events?wait=31", nil).want(422, "invalid")
		o.call("", http.MethodGet, Prefix+"/events", nil).want(401, "token_missing")

		last := len(items)
		waited := make(chan answer)
		go func() {
			waited <- o.call("dario", http.MethodGet, fmt.Sprintf("%s/events?after=%d&wait=20", Prefix, last), nil)
		}()
		edit(`"2"`, "Scuola elementare")
		if got := (<-waited).want(200, ""); len(got.items()) != 1 || got.get("items", 0, "n") != float64(last+1) {
			t.Errorf("after a wait: %s", got.raw)
		}
	})
}
