package main

import (
	"context"
	"time"

	"github.com/province-comuni/sua/internal/store"
)

// logCalls are the calls about the one sequence of events: its numbers, the Merkle log over them, the feed of changes.
func logCalls(ctx context.Context, db *store.DB, scopes []store.Scope, id, child string, now time.Time) map[string]func() {
	number := func() { _, _, _ = db.Sequence(ctx, 20_000) }
	return map[string]func(){
		"Sequence":        number,
		"PostponeIndexes": func() { _ = db.PostponeIndexes(ctx, 1) }, // only the question: more cases are there
		"MakeIndexes":     func() { _ = db.MakeIndexes(ctx) },        // none is to be made
		"LogSize":         func() { _, _ = db.LogSize(ctx) },
		"Changes": func() {
			for _, s := range scopes {
				for _, workflow := range []string{"", "lot"} {
					for _, of := range []string{"", id, child} {
						_, _ = db.Changes(ctx, s, store.ChangeFilter{After: 7, Workflow: workflow, Case: of, Limit: 50})
					}
				}
			}
		},
		"GrowTiles": func() {
			number() // otherwise nothing may be there to take in
			for range 2 {
				_, _, _ = db.GrowTiles(ctx, 300)
			}
		},
		"Leaves": func() {
			for _, headers := range []bool{false, true} {
				_ = db.Leaves(ctx, 0, 10, headers, func(store.Leaf) error { return nil })
			}
		},
		"Tile":           func() { _, _ = db.Tile(ctx, 0, 0) },
		"TileReader":     func() { _, _ = db.TileReader(ctx)(0, 0, 1) },
		"TilesSize":      func() { _, _ = db.TilesSize(ctx) },
		"LogNumbers":     func() { _, _ = db.LogNumbers(ctx, id) },
		"LastCheckpoint": func() { _, _ = db.LastCheckpoint(ctx) },
		"Checkpoints":    func() { _, _ = db.Checkpoints(ctx) },
		"SaveCheckpoint": func() {
			_ = db.SaveCheckpoint(ctx, store.Checkpoint{Size: 1 << 40, Root: []byte{1}, Note: []byte{1}, At: now})
		},
		"SaveCopy": func() {
			_ = db.SaveCopy(ctx, store.Copy{Size: -1, Kind: "mail", Target: "none", At: now})
		},
		"Copies":   func() { _, _ = db.Copies(ctx, 0) },
		"LastCopy": func() { _, _ = db.LastCopy(ctx, "mail", "none") },
	}
}

// auditCalls are the calls of a verification and of the erasure of personal data.
func auditCalls(ctx context.Context, db *store.DB, in func(func(*store.Tx) error) func(), id string) map[string]func() {
	ranges := []store.Range{{Only: id}, {After: "b00000003", Upto: "b00000005"}, {After: "b00001999"}}
	return map[string]func(){
		"NextRange": func() { _, _, _ = db.NextRange(ctx, "b00000003", 100) },
		"WalkTrees": func() {
			for _, r := range ranges {
				_ = db.WalkTrees(ctx, r, store.Walk{Case: func(*store.Case) {}, Row: func(store.Row) {}, Document: func(store.Document) {},
					Deadline: func(store.Deadline) {}, Event: func(*store.Event) error { return nil }})
			}
		},
		"SkimTrees": func() {
			for _, r := range ranges {
				_ = db.SkimTrees(ctx, r, store.Skim{Case: func(store.SkimCase) {}, Row: func(store.Row) {}, Document: func(store.Document) {},
					Deadline: func(store.Deadline) {}, Event: func(*store.SkimEvent) {}})
			}
		},
		"Roots": func() {
			for _, r := range ranges {
				_, _ = db.Roots(ctx, r)
			}
		},
		"PersonalMentions": func() { _, _ = db.PersonalMentions(ctx, "nobody") },
		"ErasePersonal":    in(func(tx *store.Tx) error { return tx.ErasePersonal("none", 1, []int64{1, 2}) }),
		"InCharge":         func() { _, _ = db.InCharge(ctx, "officer-1") },
	}
}

// termCalls are the calls about terms across cases, and about outages of the platform, which move them.
func termCalls(ctx context.Context, db *store.DB, in func(func(*store.Tx) error) func(), scopes []store.Scope, id string, now time.Time) map[string]func() {
	o := store.Outage{ID: "none", SUA: "sua-1", From: now.AddDate(0, 0, -2), To: now, RecordedAt: now}
	return map[string]func(){
		"Terms":       func() { eachTerms(ctx, db, scopes, now) },
		"CasesOf":     func() { _, _ = db.CasesOf(ctx, scopes[1], []string{id}) },
		"PassedBy":    func() { _, _ = db.PassedBy(ctx, []string{id}, []string{id}) },
		"Ended":       func() { _, _ = db.Ended(ctx, "sua-1", "lot", "contract", 50) },
		"SaveOutage":  func() { _ = db.SaveOutage(ctx, o) },
		"OutageTerms": func() { _, _ = db.OutageTerms(ctx, scopes[1], []string{"none"}) },
		"Outages": func() {
			for _, s := range scopes {
				_, _ = db.Outages(ctx, s, "", "", 100)
				_, _ = db.Outages(ctx, s, "sua-1", "", 100)
				_, _ = db.Outages(ctx, s, "", "none", 1)
			}
		},
		"Struck": func() {
			for _, bodies := range [][]string{nil, {"comune-3"}} {
				o.Bodies = bodies
				_, _ = db.Struck(ctx, o, []string{"bids", "request_answer"})
			}
		},
		"InsertOutageTerm": in(func(tx *store.Tx) error {
			tx.InsertOutageTerm(store.OutageTerm{Outage: "none", Before: now})
			return nil
		}),
		"OutageDone": func() {
			_ = db.Update(ctx, store.Everything, id, nil, func(tx *store.Tx) error { _, _ = tx.OutageDone("none"); return errStop })
		},
	}
}

// eachTerms asks for the terms of each scope with each filter, and for the pages after the first.
func eachTerms(ctx context.Context, db *store.DB, scopes []store.Scope, now time.Time) {
	for _, scope := range scopes {
		for _, f := range []store.TermFilter{
			{}, {Statuses: []string{"blocked"}}, {Due: now}, {After: now}, {Before: now.AddDate(0, 1, 0)}, {Workflows: []string{"lot"}}, {Body: "comune-3"},
			{Person: "officer-1"}, {Statuses: []string{"running"}, Body: "sua-1", Person: "rup-3"},
		} {
			for _, lapsed := range [][]string{nil, {"bids", "request_answer"}} {
				f.Lapsed, f.Cursor, f.Limit = lapsed, "", 30
				_, next, _ := db.Terms(ctx, scope, f)
				if f.Cursor = next; next != "" {
					_, _, _ = db.Terms(ctx, scope, f)
				}
			}
		}
	}
}
