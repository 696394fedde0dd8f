package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// timed is a workflow with one term, which an outage extends.
const timed = `
workflow: timed
version: 1
case: timed
label: {it: A tempo, en: Timed}
start: open
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title: {type: text, label: {it: Oggetto, en: Subject}}
  until: {type: instant, label: {it: Entro, en: Until}}
states:
  open: {stage: work, label: {it: Aperta, en: Open}}
  over: {stage: work, final: over, label: {it: Finita, en: Over}}
deadlines:
  bids: {label: {it: Offerte, en: Bids}, law: art. 71, until: until, while: [open], at_expiry: {fire: time_out}, outage: extends}
events:
  begin: {label: {it: Apri, en: Begin}, by: [sua_clerk, rup], opens: true, to: open, input: {title: {field: title}, until: {field: until}}, then: [{start: bids}]}
  end:   {label: {it: Chiudi, en: End}, by: [sua_clerk], from: [open], to: over, then: [{stop: bids}]}
  time_out: {label: {it: Scaduta, en: Over}, by: [system], from: [open], to: over}
`

// eachTimed is eachOffice with that workflow, a clock to move and franca, who directs the SUA.
func eachTimed(t *testing.T, f func(o *office, forward func(time.Duration))) {
	t.Helper()
	now := begin
	storetest.Each(t, store.Options{Now: func() time.Time { return now }}, func(t *testing.T, db *store.DB) {
		now = begin
		o := newOffice(t, db, Server{}, flow.Source{Name: "timed.v1.yaml", Data: []byte(timed)})
		if err := o.engine.SavePerson(t.Context(), store.Person{ID: "franca", Name: "Sig. franca"}, []auth.Membership{{Body: "padova", Role: "sua_director"}}); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"anna", "carla", "dario", "elena", "franca"} { // the office's own last an hour
			secret, hash := auth.NewToken()
			if err := db.SaveToken(t.Context(), hash, id, "test", begin, begin.AddDate(1, 0, 0)); err != nil {
				t.Fatal(err)
			}
			o.tokens[id] = secret
		}
		f(o, func(d time.Duration) { now = now.Add(d) })
	})
}

func (o *office) timed(until string) (path, etag string) {
	o.t.Helper()
	opened := o.call("anna", http.MethodPost, Prefix+"/cases", map[string]any{"workflow": "timed", "event": "begin", "inputs": map[string]any{"title": "Scuola", "until": until}}).want(201, "")
	return opened.header.Get("Location"), opened.header.Get("ETag")
}

func TestDeadlinesOverTheAPI(t *testing.T) {
	eachTimed(t, func(o *office, forward func(time.Duration)) {
		path, etag := o.timed("2026-03-20T12:00:00+01:00")
		o.timed("2026-03-25T12:00:00+01:00")
		all := o.call("dario", http.MethodGet, Prefix+"/deadlines?limit=1", nil).want(200, "")
		first := all.items()[0].(map[string]any)
		if len(all.items()) != 1 || first["title"] != "Scuola" || first["percent"] != 0.0 || first["overdue"] != false || first["last_day"] != "2026-03-20" {
			t.Errorf("%s", all.raw)
		}
		rest := o.call("dario", http.MethodGet, Prefix+"/deadlines?limit=1&cursor="+all.text("next"), nil).want(200, "")
		if len(rest.items()) != 1 || rest.text("items", 0, "last_day") != "2026-03-25" || rest.get("next") != nil {
			t.Errorf("%s", rest.raw)
		}
		for query, want := range map[string]int{"before=2026-03-25": 1, "after=2026-03-25": 1, "before=2026-03-26&after=2026-03-20": 2, "days=17": 0, "days=18": 1, "state=overdue": 0, "state=running&workflow=timed": 2, "scope=mine": 0, "scope=body": 2, "body=monselice": 0} {
			if got := o.call("dario", http.MethodGet, Prefix+"/deadlines?"+query, nil).want(200, ""); len(got.items()) != want {
				t.Errorf("%s: %d, want %d", query, len(got.items()), want)
			}
		}
		for _, query := range []string{"state=late", "scope=all", "cursor=eyJ9", "limit=0", "before=tomorrow", "no=1"} {
			o.call("dario", http.MethodGet, Prefix+"/deadlines?"+query, nil).want(422, "invalid")
		}
		if got := o.call("carla", http.MethodGet, Prefix+"/deadlines", nil).want(200, ""); len(got.items()) != 0 {
			t.Errorf("another Comune sees %s", got.raw)
		}
		o.call("", http.MethodGet, Prefix+"/deadlines", nil).want(401, "token_missing")

		term := path + "/deadlines/" + first["id"].(string)
		why := map[string]any{"reason": "rettifica del disciplinare", "law": "art. 92 c. 2"}
		with := func(more map[string]any) map[string]any {
			for k, v := range why {
				more[k] = v
			}
			return more
		}
		o.call("dario", http.MethodPost, term+"/move", with(map[string]any{"days": 3})).want(428, "if_match_missing")
		o.call("anna", http.MethodPost, term+"/move", with(map[string]any{"days": 3}), "If-Match", etag).want(403, "forbidden")
		o.call("carla", http.MethodPost, term+"/move", with(map[string]any{"days": 3}), "If-Match", etag).want(404, "not_found")
		o.call("dario", http.MethodPost, term+"/move", map[string]any{"days": 3, "reason": "x"}, "If-Match", etag).want(422, "invalid")
		o.call("dario", http.MethodPost, term+"/move", with(map[string]any{"to": "2026-03-01"}), "If-Match", etag).want(409, "refused")
		o.call("dario", http.MethodPost, term+"/move", with(map[string]any{"to": "2026-03-22"}), "If-Match", etag).want(409, "acknowledge")
		moved := o.call("dario", http.MethodPost, term+"/move", with(map[string]any{"to": "2026-03-27"}), "If-Match", etag, "Idempotency-Key", "m1").want(200, "")
		if moved.text("event") != "deadline_moved" || moved.text("deadline", "last_day") != "2026-03-27" || moved.header.Get("ETag") == etag {
			t.Errorf("%s", moved.raw)
		}
		again := o.call("dario", http.MethodPost, term+"/move", with(map[string]any{"to": "2026-03-27"}), "If-Match", etag, "Idempotency-Key", "m1").want(200, "")
		if string(again.raw) != string(moved.raw) {
			t.Errorf("repeated: %s", again.raw)
		}
		o.call("dario", http.MethodPost, term+"/move", with(map[string]any{"days": 9}), "If-Match", etag, "Idempotency-Key", "m1").want(422, "key_reused")
		stale := o.call("dario", http.MethodPost, term+"/suspend", why, "If-Match", etag).want(412, "stale")
		etag = stale.header.Get("ETag")
		forward(24 * time.Hour)
		held := o.call("dario", http.MethodPost, term+"/suspend", why, "If-Match", etag).want(200, "")
		if held.text("deadline", "status") != "suspended" || held.text("deadline", "blocked_by", "detail") != "rettifica del disciplinare" {
			t.Errorf("%s", held.raw)
		}
		forward(5 * 24 * time.Hour)
		if got := o.call("dario", http.MethodPost, term+"/resume", why, "If-Match", held.header.Get("ETag")).want(200, ""); got.text("deadline", "last_day") != "2026-04-01" {
			t.Errorf("%s", got.raw)
		}
		if h := o.call("elena", http.MethodGet, path+"/history", nil).want(200, ""); h.get("verified") != true || !strings.Contains(string(h.raw), "Termine ripreso") {
			t.Errorf("%s", h.raw)
		}
	})
}

func TestOutagesOverTheAPI(t *testing.T) {
	eachTimed(t, func(o *office, forward func(time.Duration)) {
		o.timed("2026-03-20T12:00:00+01:00")
		forward(3 * 24 * time.Hour)
		body := func(preview bool) map[string]any {
			return map[string]any{
				"id": "g-1", "platform": "Piattaforma Uno", "from": "2026-03-04T09:00:00+01:00", "to": "2026-03-04T12:00:00+01:00", "evidence": "prot. 7/2026", "law": "art. 25 c. 2", "preview": preview,
			}
		}
		for _, who := range []string{"anna", "dario", "elena"} {
			o.call(who, http.MethodPost, Prefix+"/outages", body(true)).want(403, "forbidden")
		}
		seen := o.call("franca", http.MethodPost, Prefix+"/outages", body(true)).want(200, "")
		if seen.get("extended") != 1.0 || seen.get("recorded_at") != nil || seen.text("terms", 0, "last_day") != "2026-03-23" { // a day on is Saturday
			t.Errorf("%s", seen.raw)
		}
		done := o.call("franca", http.MethodPost, Prefix+"/outages", body(false)).want(200, "")
		again := o.call("franca", http.MethodPost, Prefix+"/outages", body(false)).want(200, "")
		if string(done.raw) != string(again.raw) || done.get("recorded_at") == nil {
			t.Errorf("%s then %s", done.raw, again.raw)
		}
		other := body(false)
		other["evidence"] = "altra"
		o.call("franca", http.MethodPost, Prefix+"/outages", other).want(422, "key_reused")
		other["id"] = "g-2"
		o.call("franca", http.MethodPost, Prefix+"/outages", other).want(409, "refused")
		other["to"] = "2026-03-04T08:00:00+01:00"
		o.call("franca", http.MethodPost, Prefix+"/outages", other).want(422, "invalid")
		other["sua"] = "conselve"
		o.call("franca", http.MethodPost, Prefix+"/outages", other).want(404, "not_found")
		for who, terms := range map[string]int{"anna": 1, "carla": 0, "dario": 1, "elena": 1} {
			list := o.call(who, http.MethodGet, Prefix+"/outages", nil).want(200, "")
			if len(list.items()) != 1 || len(list.get("items", 0, "terms").([]any)) != terms {
				t.Errorf("%s reads %s", who, list.raw)
			}
		}
	})
}
