package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/store"
)

// A question reopened tells RUP and followers: whoever is told reads it here, and nobody else.
func TestNoticesOverTheAPI(t *testing.T) {
	eachOffice(t, func(o *office) {
		path, _ := o.newRequest("Scuola")
		id := path[strings.LastIndex(path, "/")+1:]
		if got := o.call("bruno", http.MethodGet, Prefix+"/notices", nil).want(200, ""); len(got.items()) != 0 || got.body["unread"] != float64(0) {
			t.Fatalf("%s", got.raw)
		}
		if err := o.db.Create(t.Context(), store.Everything, nil, func(tx *store.Tx) error {
			tx.InsertMessages([]store.Message{{Topic: store.NoticeTopic, CaseID: id, Root: id, MemberBody: "conselve", SUA: "padova", Payload: []byte(`{"template":"published","to":["rup"],"event":"publish","seq":1}`), At: begin}})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if n, err := o.engine.ExpandOutbox(t.Context(), 10); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		got := o.call("bruno", http.MethodGet, Prefix+"/notices?unread=true&case="+id, nil).want(200, "")
		items := got.items()
		if len(items) != 1 || got.body["unread"] != float64(1) || !strings.Contains(string(got.raw), "gara pubblicata") {
			t.Fatalf("%s", got.raw)
		}
		mine := items[0].(map[string]any)["id"].(string)
		o.call("carla", http.MethodPost, Prefix+"/notices/"+mine+"/read", nil).want(404, "not_found")
		o.call("bruno", http.MethodPost, Prefix+"/notices/"+mine+"/read", nil).want(200, "")
		if got := o.call("bruno", http.MethodPost, Prefix+"/notices/read", nil).want(200, ""); got.body["read"] != float64(0) {
			t.Errorf("%s", got.raw)
		}
		o.call("", http.MethodGet, Prefix+"/notices", nil).want(401, "token_missing")
	})
}

func TestPreferencesAndCalendarOverTheAPI(t *testing.T) {
	eachOffice(t, func(o *office) {
		got := o.call("anna", http.MethodGet, Prefix+"/notices/preferences", nil).want(200, "")
		if got.body["language"] != "it" || got.body["habit"] != "now" {
			t.Errorf("%s", got.raw)
		}
		o.call("anna", http.MethodPut, Prefix+"/notices/preferences", map[string]any{"pec": "anna@pec.example", "mail": "digest", "digest_hour": 7, "quiet_from": 20, "quiet_to": 7, "language": "en"}).want(204, "")
		got = o.call("anna", http.MethodGet, Prefix+"/notices/preferences", nil).want(200, "")
		if got.body["pec"] != "anna@pec.example" || got.body["digest_hour"] != float64(7) || got.body["language"] != "en" {
			t.Errorf("%s", got.raw)
		}
		o.call("anna", http.MethodPut, Prefix+"/notices/preferences", map[string]any{"digest_hour": 30, "quiet_from": 0, "quiet_to": 0, "language": "it"}).want(422, "invalid")
		o.call("anna", http.MethodPut, Prefix+"/notices/preferences", map[string]any{"digest_hour": "8", "quiet_from": 0, "quiet_to": 0, "language": "it"}).want(422, "invalid")
		o.call("anna", http.MethodGet, Prefix+"/calendar-link", nil).want(404, "not_found")
		link := o.call("anna", http.MethodPost, Prefix+"/calendar-link", nil).want(201, "").body["url"].(string)
		if !strings.HasSuffix(link, ".ics") {
			t.Errorf("link %s", link)
		}
		o.call("anna", http.MethodGet, Prefix+"/calendar-link", nil).want(200, "")
		secret := strings.TrimSuffix(link[strings.LastIndex(link, "/")+1:], ".ics")
		if ics, err := o.engine.Calendar(t.Context(), secret); err != nil || !strings.HasPrefix(string(ics), "BEGIN:VCALENDAR\r\n") {
			t.Errorf("calendar: %v %s", err, ics)
		}
		o.call("anna", http.MethodDelete, Prefix+"/calendar-link", nil).want(204, "")
		if _, err := o.engine.Calendar(t.Context(), secret); err == nil {
			t.Error("a dropped link still opens")
		}
	})
}

func TestWebhooksOverTheAPI(t *testing.T) {
	eachOffice(t, func(o *office) {
		if err := o.engine.SavePerson(t.Context(), store.Person{ID: "elena", Name: "Elena"}, []auth.Membership{{Body: "padova", Role: "sua_director"}}); err != nil {
			t.Fatal(err)
		}
		o.call("dario", http.MethodPost, Prefix+"/webhooks", map[string]any{"body": "padova", "url": "https://receiver.example/x"}).want(403, "forbidden")
		o.call("elena", http.MethodPost, Prefix+"/webhooks", map[string]any{"body": "conselve", "url": "https://receiver.example/x"}).want(422, "invalid")
		for _, bad := range []string{"http://receiver.example/", "https://127.0.0.1/", "https://10.1.2.3/x", "https://[::1]/", "https://localhost/", "https://user:pw@receiver.example/", "https://169.254.169.254/latest", "https://[::ffff:192.168.1.1]/", "nonsense"} {
			if got := o.call("elena", http.MethodPost, Prefix+"/webhooks", map[string]any{"body": "padova", "url": bad}); got.status != 422 {
				t.Errorf("%s: %d", bad, got.status)
			}
		}
		made := o.call("elena", http.MethodPost, Prefix+"/webhooks", map[string]any{"body": "padova", "url": "https://receiver.example/x", "events": []string{"publish"}}).want(201, "")
		if s, _ := made.body["secret"].(string); !strings.HasPrefix(s, "whsec_") {
			t.Errorf("%s", made.raw)
		}
		id := made.body["id"].(string)
		if all := o.call("elena", http.MethodGet, Prefix+"/webhooks", nil).want(200, ""); len(all.items()) != 1 || strings.Contains(string(all.raw), "whsec_") {
			t.Errorf("%s", all.raw)
		}
		o.call("elena", http.MethodPost, Prefix+"/webhooks/"+id+"/test", nil).want(202, "")
		all := o.call("elena", http.MethodGet, Prefix+"/webhooks/"+id+"/deliveries", nil).want(200, "").items()
		if len(all) != 1 || all[0].(map[string]any)["state"] != "queued" {
			t.Fatalf("%v", all)
		}
		o.call("elena", http.MethodPost, Prefix+"/webhooks/"+id+"/deliveries/"+all[0].(map[string]any)["id"].(string)+"/replay", nil).want(204, "")
		o.call("elena", http.MethodPost, Prefix+"/webhooks/"+id+"/deliveries/none/replay", nil).want(404, "not_found")
		if got := o.call("elena", http.MethodPut, Prefix+"/webhooks/"+id, map[string]any{"url": "https://receiver.example/y", "active": false}).want(200, ""); got.body["active"] != false {
			t.Errorf("%s", got.raw)
		}
		o.call("anna", http.MethodDelete, Prefix+"/webhooks/"+id, nil).want(404, "not_found")
		o.call("elena", http.MethodDelete, Prefix+"/webhooks/"+id, nil).want(204, "")
		o.call("elena", http.MethodGet, Prefix+"/webhooks/"+id+"/deliveries", nil).want(404, "not_found")
	})
}
