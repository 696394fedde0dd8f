//go:build linux

package faulttest

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
)

// Sixty-four identical requests at once have one effect and one answer: opening a case, moving it, adding a document.
func TestSixtyFourAtOnce(t *testing.T) {
	eachOffice(t, 1, 10, func(t *testing.T, s *site, seed uint64) {
		p := served(t, s)
		l := newLoad(t, s, p.address(), seed)
		c := &client{load: l}
		if !c.open("first") {
			return
		}
		id := c.own[0].id
		one := func(key, event string) request {
			return request{event: event, caseID: id, key: key, path: "/cases/" + id + "/events", match: strconv.Quote("1"), media: "application/json",
				body: asJSON(map[string]any{"event": event, "inputs": map[string]any{"reason": key}})}
		}
		opening := request{event: "create", key: "again", path: "/cases", media: "application/json", body: asJSON(map[string]any{"workflow": "fault", "inputs": map[string]any{"title": "again"}})}
		for _, r := range []request{one("next-1", "next"), opening, upload(id, "paper")} {
			all := make([]request, 64)
			var wait sync.WaitGroup
			for i := range all {
				all[i] = r
				wait.Go(func() { l.again(&all[i]) })
			}
			wait.Wait()
			for i := range all {
				if all[i].status != all[0].status || !bytes.Equal(all[i].answer, all[0].answer) || all[i].status >= 300 || all[i].unanswered > 0 {
					t.Errorf("%s: %d %s, another got %d %s", r.key, all[i].status, all[i].answer, all[0].status, all[0].answer)
				}
			}
			if m := l.read(&all[0], http.StatusCreated); m != nil && r.event == "create" {
				all[0].caseID = m.Case
			}
			l.requests, l.done = append(l.requests, &all[0]), l.done+1
		}
		l.rivals(c.own[0].id, 2)
		l.judge()
	})
}

// rivals are sixty-four different requests on one revision: one is done, the others are told that somebody was faster.
func (l *load) rivals(id string, revision int64) {
	before := len(l.requests)
	var wait sync.WaitGroup
	for i := range 64 {
		wait.Go(func() {
			(&client{load: l}).fire(fmt.Sprint("rival-", i), &known{id: id, revision: revision}, "next", map[string]any{"reason": fmt.Sprint("rival-", i)})
		})
	}
	wait.Wait()
	done := 0
	for _, r := range l.requests[before:] {
		if r.status == http.StatusOK {
			done++
		}
	}
	if done != 1 {
		l.t.Errorf("%d of 64 were done", done)
	}
}
