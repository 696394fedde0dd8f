package engine_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// BenchmarkRelay measures how many messages a second become notices: each of a case of its own, for two people, one of them by mail.
func BenchmarkRelay(b *testing.B) {
	for _, dialect := range []string{"sqlite", "postgres"} {
		b.Run(dialect, func(b *testing.B) {
			c := newClock("2026-03-02T08:00:00Z")
			open := storetest.SQLite
			if dialect == "postgres" {
				open = storetest.Postgres
			}
			db := open(b, store.Options{Now: c.now})
			o := newOffice(b, db, c, tellingYAML, func(cfg *engine.Config) {
				cfg.Notices.Senders = map[string]func(context.Context, notice.Message) (string, error){store.ChannelMail: nil}
			})
			def, _ := o.Library().Latest("telling")
			const size = 1000
			for i := range size {
				id := fmt.Sprintf("r-%d", i)
				err := db.Create(b.Context(), store.Everything, nil, func(tx *store.Tx) error {
					return tx.InsertCase(&store.Case{ID: id, Root: id, Workflow: def.Workflow, Version: def.Version, Hash: def.Hash, State: "sent", Stage: "work", Revision: 1,
						Visited: " sent ", MemberBody: "conselve", SUA: "padova", Data: store.Values{"title": "Scuola"}, OpenedAt: tx.Now, UpdatedAt: tx.Now})
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				err := db.Create(b.Context(), store.Everything, nil, func(tx *store.Tx) error {
					for i := range size {
						id := fmt.Sprintf("r-%d", i)
						tx.InsertMessages([]store.Message{{Topic: store.NoticeTopic, CaseID: id, Root: id, MemberBody: "conselve", SUA: "padova", At: tx.Now,
							Payload: []byte(`{"template":"request_rejected","to":["sua_director","sua_clerk"],"event":"send","seq":1}`)}})
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				for left := size; left > 0; {
					n, err := o.ExpandOutbox(b.Context(), 500)
					if err != nil || n == 0 {
						b.Fatal(n, err)
					}
					left -= n
				}
			}
			b.ReportMetric(float64(size*b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
