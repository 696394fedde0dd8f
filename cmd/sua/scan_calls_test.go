package main

import (
	"context"
	"fmt"
	"time"

	"github.com/province-comuni/sua/internal/store"
)

// silent are the methods of store that send nothing, or only what others in calls queue or what gorm writes to tables that do not grow
// with the cases: bodies, people, tokens, agreements, definitions.
var silent = []string{
	"Dialect", "Close", "Now", "OnDeadline", "Ping", "CheckRole", "Pin", "SaveBody", "SaveBodies", "Bodies", "BodyByID", "SavePerson", "People", "PersonByID",
	"SaveToken", "DropToken", "TokenPerson", "SaveAgreement", "Agreements", "Queued", "Unqueue", "Flush", "FlushBehind", "Create", "Readable",
	"ErasePerson", // by gorm too; the notices of a person have an index
}

// calls calls each method of store.DB and store.Tx. Errors do not matter: statements are noted before they are sent, and nothing of what
// they write is there.
func calls(ctx context.Context, db *store.DB, now time.Time) map[string]func() {
	sua, comune := store.Scope{Bodies: []string{"sua-1"}}, store.Scope{Bodies: []string{"comune-3", "sua-1", "comune-4", "comune-5", "comune-6"}}
	scopes := []store.Scope{store.Everything, sua, comune}
	key := &store.IdemKey{Actor: "x", Path: "x", Key: "x", BodyHash: []byte{1}}
	id, child := "b00000003-0", "b00000003-1"
	in := func(f func(tx *store.Tx) error) func() {
		return func() {
			_ = db.Create(ctx, store.Everything, nil, func(tx *store.Tx) error {
				_ = f(tx)
				_ = tx.Flush()
				return errStop
			})
		}
	}
	all := map[string]func(){
		"Cases": func() { eachList(ctx, db, scopes, now) },
		"LiveTerms": func() {
			for _, s := range scopes {
				for _, mine := range []string{"", "officer-1"} {
					_, _ = db.LiveTerms(ctx, s, mine, now, 100)
				}
			}
		},
		"CasesDated": func() {
			for _, s := range scopes {
				for _, to := range []string{"", "2026-01-01"} {
					_, _ = db.CasesDated(ctx, s, store.DatedFilter{SUA: "sua-1", Hashes: []string{"a", "b"}, From: "2025-07-01", To: to})
				}
			}
		},
		"Notices": func() {
			for _, f := range []store.NoticeFilter{
				{Person: "officer-1", Channels: []string{"app"}}, {Person: "officer-1", Channels: []string{"app"}, Unread: true, Before: "z"},
				{Person: "officer-1", Channels: []string{"app"}, CaseID: id}, {Person: "officer-1", Channels: []string{"app"}, ID: "x"},
				{Person: "officer-1", Source: "x"}, {MessageID: "x", Channels: []string{"pec"}}, {CaseID: id, Channels: []string{"pec"}}, {Target: "x"}, {Target: "x", ID: "x"},
			} {
				for _, s := range scopes {
					_, _ = db.Notices(ctx, s, f)
				}
			}
		},
		"Unread": func() {
			for _, s := range scopes {
				_, _ = db.Unread(ctx, s, "officer-1")
			}
		},
		"History": func() {
			_, _ = db.History(ctx, sua, id, 0, 0)
			_, _ = db.History(ctx, sua, id, 3, 50)
		},
		"Peek":   func() { _ = db.Peek(ctx, sua, child, func(tx *store.Tx) error { eachWant(tx); return nil }) },
		"Load":   func() { _ = db.Peek(ctx, store.Everything, id, func(tx *store.Tx) error { eachWant(tx); return nil }) },
		"Update": func() { _ = db.Update(ctx, sua, child, key, func(*store.Tx) error { return errStop }) },
		"Move": func() {
			for range 2 {
				_ = db.Move(ctx, store.Everything, id, key, func(tx *store.Tx) error { tx.UpdateState(tx.Case); return nil })
			}
		},
		"Batch":      func() { _ = db.Batch(ctx, func(*store.Tx) error { return errStop }) },
		"BySource":   in(func(tx *store.Tx) error { _, err := tx.BySource("anac-cig", []string{"a", "b"}); return err }),
		"ChildrenOf": in(func(tx *store.Tx) error { _, err := tx.ChildrenOf([]string{id}); return err }),
		"UpdateTrees": func() {
			for _, wait := range []bool{true, false} {
				_ = db.UpdateTrees(ctx, []store.Try{{Root: id, CaseID: child}, {Root: "b00000013-0", CaseID: "b00000013-0"}}, wait, func(*store.Tx, store.Trees) error { return errStop })
			}
		},
		"LoadTrees": func() {
			_ = db.UpdateTrees(ctx, []store.Try{{Root: id, CaseID: child}}, true, func(tx *store.Tx, trees store.Trees) error {
				for _, w := range wants() {
					_, _ = tx.LoadTrees(trees, []store.Target{{Case: trees.Cases[child], Want: w}})
				}
				return errStop
			})
		},
		"LoadAgreement":   in(func(tx *store.Tx) error { _, err := tx.LoadAgreement("a", "b"); return err }),
		"OpenPart":        in(func(tx *store.Tx) error { _, err := tx.OpenPart(id, 1); return err }),
		"CasesByID":       in(func(tx *store.Tx) error { _, err := tx.CasesByID([]string{id}); return err }),
		"EventParts":      in(func(tx *store.Tx) error { _, err := tx.EventParts([]store.EventKey{{Root: id, Seq: 1}}); return err }),
		"DeadlinesOf":     in(func(tx *store.Tx) error { _, err := tx.DeadlinesOf([]string{id}); return err }),
		"TakeReminder":    in(func(tx *store.Tx) error { _, err := tx.TakeReminder("x", nil); return err }),
		"SetReminder":     in(func(tx *store.Tx) error { tx.SetReminder("x", nil); return nil }),
		"LetGo":           in(func(tx *store.Tx) error { tx.LetGo(now.AddDate(-50, 0, 0)); return nil }),
		"Forget":          in(func(tx *store.Tx) error { tx.Forget(now); return nil }),
		"LatestDocuments": func() { _, _ = db.LatestDocuments(ctx, 10) },
		"DocumentByID":    func() { _, _ = db.DocumentByID(ctx, sua, "x") },
		"Links":           func() { _, _ = db.Links(ctx, sua, id) },
		"Count":           func() { _, _ = db.Count(ctx) },
		"Definitions":     func() { _, _ = db.Definitions(ctx) },
		"Followed":        func() { _, _ = db.Followed(ctx) },
		"AllAgreements":   func() { _, _ = db.AllAgreements(ctx) },
		"ForgetAnswers":   func() { _ = db.ForgetAnswers(ctx, now.AddDate(-50, 0, 0)) },
	}
	for name, f := range merge(deadlineCalls(ctx, db, now), noticeCalls(ctx, db, now), writeCalls(in, now), logCalls(ctx, db, scopes, id, child, now),
		auditCalls(ctx, db, in, id), termCalls(ctx, db, in, scopes, id, now)) {
		all[name] = f
	}
	return all
}

func merge(maps ...map[string]func()) map[string]func() {
	out := map[string]func(){}
	for _, m := range maps {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

func deadlineCalls(ctx context.Context, db *store.DB, now time.Time) map[string]func() {
	return map[string]func(){
		"Due":     func() { _, _ = db.Due(ctx, now, store.Try{}, 100) },
		"NextTry": func() { _, _, _ = db.NextTry(ctx, now) },
		"DueOf":   func() { _, _ = db.DueOf(ctx, "root", now) },
		"NextDue": func() { _, _ = db.NextDue(ctx) },
		"Overdue": func() { _, _, _ = db.Overdue(ctx, now, 100) },
		"Remind":  func() { _, _ = db.Remind(ctx, now, 100) },
	}
}

func noticeCalls(ctx context.Context, db *store.DB, now time.Time) map[string]func() {
	n := store.Notice{ID: "x", Source: "x", Person: "x", Channel: "digest", CaseID: "x", Root: "x", Params: []byte("{}"), State: "sent", At: now, NextTry: now}
	return map[string]func(){
		"Relay":        func() { _, _ = db.Relay(ctx, 10, 100, func(*store.Tx, []store.Message) error { return nil }) },
		"LastMessage":  func() { _, _ = db.LastMessage(ctx) },
		"DueNotices":   func() { _, _ = db.DueNotices(ctx, now, 10); _, _ = db.DueNotices(ctx, now, 10, "mail", "pec") },
		"DueHooks":     func() { _, _ = db.DueHooks(ctx, now, 10, nil); _, _ = db.DueHooks(ctx, now, 10, []string{"a", "b"}) },
		"DueHook":      func() { _, _ = db.DueHook(ctx, now, 10, "x") },
		"Revive":       func() { _ = db.Revive(ctx, "x", now) },
		"Postpone":     func() { _ = db.Postpone(ctx, "x", now) },
		"ClaimNotice":  func() { _, _ = db.ClaimNotice(ctx, "x", now, now) },
		"SettleNotice": func() { _ = db.SettleNotice(ctx, n) },
		"Held":         func() { _, _ = db.Held(ctx) },
		"HeldNotices":  func() { _, _ = db.HeldNotices(ctx, "officer-1", now, 10) },
		"Digest":       func() { _ = db.Digest(ctx, n, []store.Notice{n}) },
		"Tell":         func() { _ = db.Tell(ctx, []store.Notice{n}) },
		"Unanswered":   func() { _, _ = db.Unanswered(ctx, now, 10) },
		"Escalate":     func() { _, _ = db.Escalate(ctx, n, store.Message{}, now) },
		"Requeue":      func() { _ = db.Requeue(ctx, "x", now) },
		"ReadNotices": func() {
			_, _ = db.ReadNotices(ctx, store.Everything, "x", "", now)
			_, _ = db.ReadNotices(ctx, store.Everything, "x", "y", now)
		},
		"NoticesOfSources": func() { _, _ = db.NoticesOfSources(ctx, store.Everything, "x", []string{"a", "b"}) },
		"SaveReceipt":      func() { _ = db.SaveReceipt(ctx, store.Receipt{ID: "x", Notice: "none"}, "", "") },
		"ReceiptBytes":     func() { _, _ = db.ReceiptBytes(ctx, store.Everything, "x") },
		"Receipts":         func() { _, _ = db.Receipts(ctx, store.Everything, "x") },
		"Contacts":         func() { _, _ = db.Contacts(ctx) },
		"Contact":          func() { _, _ = db.Contact(ctx, "x") },
		"SaveContact":      func() { _ = db.SaveContact(ctx, store.Contact{Person: "none"}) },
		"SaveCalendarLink": func() { _ = db.SaveCalendarLink(ctx, "none", []byte{1}, now) },
		"DropCalendarLink": func() { _ = db.DropCalendarLink(ctx, "none") },
		"CalendarLink":     func() { _, _ = db.CalendarLink(ctx, "none") },
		"CalendarPerson":   func() { _, _ = db.CalendarPerson(ctx, []byte{1}) },
		"Webhooks":         func() { _, _ = db.Webhooks(ctx, store.Everything, "x") },
		"SaveWebhook":      func() { _ = db.SaveWebhook(ctx, store.Webhook{ID: "x", Owner: "none"}) },
		"DropWebhook":      func() { _ = db.DropWebhook(ctx, "none") },
	}
}

// writeCalls queues each write once, which is a statement for one row, and twenty times, which is one for many.
func writeCalls(in func(func(*store.Tx) error) func(), now time.Time) map[string]func() {
	c := func(i int) *store.Case {
		id := fmt.Sprintf("none-%d", i)
		return &store.Case{ID: id, Root: id, Hash: "none", Data: store.Values{}, OpenedAt: now, UpdatedAt: now}
	}
	writes := map[string]func(tx *store.Tx, i int){
		"InsertCase":  func(tx *store.Tx, i int) { _ = tx.InsertCase(c(i)) },
		"UpdateCase":  func(tx *store.Tx, i int) { _ = tx.UpdateCase(c(i)) },
		"UpdateState": func(tx *store.Tx, i int) { tx.UpdateState(c(i)) },
		"UpdateHead":  func(tx *store.Tx, i int) { tx.UpdateHead(c(i)) },
		"RefreshDue":  func(tx *store.Tx, i int) { tx.UpdateState(c(i)); tx.RefreshDue(c(i).ID, []string{"other"}) },
		"InsertEvent": func(tx *store.Tx, i int) {
			tx.InsertEvent(&store.Event{Root: c(i).ID, Seq: 1, At: now, Effective: now})
		},
		"InsertRow":      func(tx *store.Tx, i int) { _ = tx.InsertRow(c(i), store.Row{CaseID: c(i).ID, Data: store.Values{}}) },
		"UpdateRow":      func(tx *store.Tx, i int) { _ = tx.UpdateRow(store.Row{CaseID: c(i).ID, Data: store.Values{}}) },
		"InsertDeadline": func(tx *store.Tx, i int) { _ = tx.InsertDeadline(store.Deadline{ID: c(i).ID, CaseID: c(i).ID}) },
		"UpdateDeadline": func(tx *store.Tx, i int) { _ = tx.UpdateDeadline(store.Deadline{ID: c(i).ID}) },
		"PutOff":         func(tx *store.Tx, i int) { tx.PutOff(c(i).ID, now) },
		"WakeBlocked":    func(tx *store.Tx, i int) { tx.WakeBlocked(c(i).ID) },
		"InsertDocument": func(tx *store.Tx, i int) { tx.InsertDocument(store.Document{ID: c(i).ID, CaseID: c(i).ID}) },
		"InsertLink":     func(tx *store.Tx, i int) { tx.InsertLink(store.Link{From: c(i).ID, To: c(i).ID}) },
		"InsertMessages": func(tx *store.Tx, i int) {
			tx.InsertMessages([]store.Message{{Topic: "x", Payload: []byte("{}"), At: now}})
		},
		"InsertNotices": func(tx *store.Tx, i int) { tx.InsertNotices([]store.Notice{{ID: c(i).ID, Params: []byte("{}")}}) },
		"Remember":      func(tx *store.Tx, i int) { tx.Remember(store.IdemKey{Key: c(i).ID}, nil) },
	}
	out := map[string]func(){}
	for name, write := range writes {
		out[name] = func() {
			for _, n := range []int{1, 20} {
				in(func(tx *store.Tx) error {
					for i := range n {
						write(tx, i)
					}
					return nil
				})()
			}
		}
	}
	return out
}

func wants() []store.Want {
	var out []store.Want
	for _, tree := range []bool{false, true} {
		out = append(out, store.Want{Tree: tree, Parent: true, Children: true, Rows: true, Documents: true, Agreement: true, Past: true, Deadlines: true, Above: true})
	}
	return out
}

func eachWant(tx *store.Tx) {
	for _, w := range wants() {
		_, _ = tx.Load(w)
	}
}

// eachList asks for lists with every order, each filter, and the pages after the first.
func eachList(ctx context.Context, db *store.DB, scopes []store.Scope, now time.Time) {
	open, ended := true, false
	filters := []store.CaseFilter{
		{}, {Workflow: "open_procedure"}, {State: "draft", Open: &open}, {State: "concluded", Open: &ended}, {Stage: "request"}, {Body: "comune-3"}, {Body: "sua-1", Open: &open},
		{Officer: "officer-1"}, {Officer: "officer-1", Open: &open}, {Words: []string{"scuola"}}, {Words: []string{"b000000017"}}, {Words: []string{"inesistente", "museo"}, Body: "comune-3"},
		{DueBefore: now.AddDate(0, 0, 7)}, {DueBefore: now.AddDate(0, 0, 7), Open: &open}, {Children: true}, {Children: true, Words: []string{"comune"}, Open: &open},
		{Children: true, Body: "comune-3", State: "draft"}, {Children: true, Officer: "officer-1"},
	}
	for _, scope := range scopes {
		for i, f := range filters {
			for k, sort := range []string{"updated", "opened", "due", "title", "amount"} {
				f.Sort, f.Desc, f.Limit, f.After = sort, (i+k)%2 == 0, 30, "" // an index is walked either way
				_, next, _ := db.Cases(ctx, scope, f)
				if f.After = next; next != "" {
					_, _, _ = db.Cases(ctx, scope, f)
				}
			}
		}
	}
}
