package engine_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // by hand, behind the program's back

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// registry is an office with a Merkle log, and a way to change its database as its owner.
type registry struct {
	*office
	secret, public string
	byHand         func(t *testing.T, statement string, args ...any)
}

// eachRegistry runs f on both databases.
func eachRegistry(t *testing.T, f func(t *testing.T, r registry), change ...func(*engine.Config)) {
	secret, public, err := audit.NewLogKey(rand.Reader, "sua.example.it/log")
	if err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, app string, byHand func(t *testing.T, statement string, args ...any)) {
		c := newClock("2026-03-02T08:00:00Z")
		db, err := store.Open(t.Context(), store.Options{URL: app, Now: c.now, Volatile: true, MaxConns: 6})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		f(t, registry{newOffice(t, db, c, parcel, change...), secret, public, byHand})
	}
	t.Run("sqlite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "sua.db")
		if err := store.Migrate(t.Context(), "sqlite:"+file); err != nil {
			t.Fatal(err)
		}
		run(t, "sqlite:"+file, func(t *testing.T, statement string, args ...any) {
			t.Helper()
			raw, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)")
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			for _, table := range []string{"events", "log", "checkpoints"} {
				for _, what := range []string{"update", "delete"} {
					if _, err := raw.Exec("DROP TRIGGER IF EXISTS " + table + "_no_" + what); err != nil {
						t.Fatal(err)
					}
				}
			}
			if _, err := raw.Exec(statement, args...); err != nil {
				t.Fatal(statement, err)
			}
		})
	})
	if os.Getenv(storetest.PostgresEnv) == "" && os.Getenv(storetest.RequireEnv) == "" {
		return
	}
	t.Run("postgres", func(t *testing.T) {
		app, super := storetest.PostgresURLs(t)
		run(t, app, func(t *testing.T, statement string, args ...any) {
			t.Helper()
			conn, err := pgx.Connect(t.Context(), super)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.Background())
			if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
				t.Fatal(statement, err)
			}
		})
	})
}

// happen writes events [from, to) of three trees, in turn: sealed, but not of any workflow.
func (r registry) happen(t *testing.T, from, to int) {
	t.Helper()
	err := r.db.Create(t.Context(), store.Everything, nil, func(tx *store.Tx) error {
		for i := from; i < to; i++ {
			h := audit.Header{Root: fmt.Sprintf("tree%d", i%3), Seq: int64(i/3 + 1), Case: "c", Event: "e", At: tx.Now, Effective: tx.Now, Actor: fmt.Sprint("p", i)}
			s, err := audit.Seal(h, audit.Parts{}, nil)
			if err != nil {
				return err
			}
			tx.InsertEvent(&store.Event{Root: h.Root, Seq: h.Seq, CaseID: "c", MemberBody: "conselve", SUA: "padova", Event: "e", At: tx.Now, Effective: tx.Now, Actor: h.Actor, Header: s.Header, Hash: s.Hash})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	storetest.Settle(t, r.db)
	r.clock.add(time.Minute)
}

func (r registry) extend(t *testing.T) []byte {
	t.Helper()
	if err := r.ExtendLog(t.Context(), r.secret); err != nil {
		t.Fatal(err)
	}
	note, err := r.LogCheckpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return note
}

// verified checks that the first fault found, if any is wanted, says this.
func (r registry) verified(t *testing.T, want string, outside ...[]byte) engine.LogReport {
	t.Helper()
	report, err := r.VerifyLog(t.Context(), r.public, outside)
	if err != nil {
		t.Fatal(err)
	}
	if want == "" && !report.OK() {
		t.Errorf("faults in a log that holds: %+v", report.Faults)
	}
	if want != "" && (report.OK() || !strings.Contains(report.Faults[0].Text, want)) {
		t.Errorf("faults %+v, want first …%s…", report.Faults, want)
	}
	return report
}

func TestTheMerkleLogGrowsAndIsServed(t *testing.T) {
	eachRegistry(t, func(t *testing.T, r registry) {
		if err := r.ExtendLog(t.Context(), r.secret); err != nil {
			t.Fatal(err)
		}
		if _, err := r.LogCheckpoint(t.Context()); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("an empty log is signed: %v", err)
		}
		before := 0
		var notes [][]byte
		for _, size := range []int{1, 255, 256, 257, 700} {
			r.happen(t, before, size)
			before = size
			note := r.extend(t)
			notes = append(notes, note)
			c, err := audit.ParseCheckpoint(note, r.public)
			if err != nil || c.Size != int64(size) {
				t.Fatalf("%+v %v", c, err)
			}
			if again := r.extend(t); string(again) != string(note) {
				t.Error("signed again although nothing happened")
			}
			r.provesEach(t, c)
		}
		report := r.verified(t, "", notes...)
		if report.Entries != 700 || report.Tiled != 700 || report.Signed != 700 || report.Checkpoints != 5 || report.Outside != 5 {
			t.Errorf("%+v", report)
		}
		for _, x := range []struct {
			level, width int
			n            int64
		}{{0, 256, 2}, {0, 189, 2}, {1, 3, 0}, {-1, 256, 2}, {2, 1, 0}, {0, 1, 9}} {
			if _, err := r.LogTile(t.Context(), x.level, x.n, x.width); !errors.Is(err, engine.ErrNotFound) {
				t.Errorf("tile %+v: %v", x, err)
			}
		}
		bundle, err := r.LogTile(t.Context(), -1, 2, 188)
		if err != nil || len(bundle) != 188*34 {
			t.Errorf("entries: %d bytes, %v", len(bundle), err)
		}
	})
}

// provesEach proves some entries of the log as a stranger would: with the tiles that are served.
func (r registry) provesEach(t *testing.T, c audit.Checkpoint) {
	t.Helper()
	served := func(level int, n int64, width int) ([]byte, error) { return r.LogTile(t.Context(), level, n, width) }
	for index := int64(0); index < c.Size; index += 1 + c.Size/9 {
		n := index / audit.TileWidth
		bundle, err := r.LogTile(t.Context(), -1, n, audit.Width(0, n, c.Size))
		if err != nil {
			t.Fatal(err)
		}
		at := index % audit.TileWidth * 34
		proof, err := audit.InclusionProof(served, index, c.Size)
		if err != nil {
			t.Fatal(err)
		}
		if err := audit.CheckInclusion(proof, index, c.Size, c.Root, bundle[at+2:at+34]); err != nil {
			t.Error(err)
		}
	}
}

func TestTamperingIsFoundByTheMerkleLog(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(t *testing.T, r registry)
		want string
		seen bool // event 5 of tree1 is named
	}{
		"edited": {func(t *testing.T, r registry) {
			r.byHand(t, "UPDATE events SET header = $1 WHERE root = 'tree1' AND seq = 5", []byte(`{"actor":"x"}`))
		}, "(il 5° dell'albero tree1) è diverso dalla sua impronta", true},
		"edited with its hash": {func(t *testing.T, r registry) {
			s, err := audit.Seal(audit.Header{Root: "tree1", Seq: 5, Actor: "x"}, audit.Parts{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.byHand(t, "UPDATE events SET header = $1, hash = $2 WHERE root = 'tree1' AND seq = 5", s.Header, s.Hash)
		}, "(il 5° dell'albero tree1) non è quello che era", true},
		"deleted": {func(t *testing.T, r registry) { r.byHand(t, "DELETE FROM events WHERE root = 'tree1' AND seq = 5") },
			"(il 5° dell'albero tree1) è stato cancellato", true},
		"moved to another tree": {func(t *testing.T, r registry) {
			r.byHand(t, "UPDATE events SET header = (SELECT header FROM events WHERE root = 'tree2' AND seq = 9), hash = (SELECT hash FROM events WHERE root = 'tree2' AND seq = 9) WHERE root = 'tree1' AND seq = 5")
		}, "(il 5° dell'albero tree1) non è quello che era", true},
		"number taken out": {func(t *testing.T, r registry) { r.byHand(t, "DELETE FROM log WHERE n = 14") }, "l'evento n. 14 non c'è più", false},
		"tail cut": {func(t *testing.T, r registry) {
			r.byHand(t, "DELETE FROM events WHERE seq = 100 AND root = 'tree2'")
			r.byHand(t, "DELETE FROM log WHERE n = 300")
			r.byHand(t, "UPDATE log_head SET n = 299")
		}, "mancano gli ultimi", false},
		"a tile": {func(t *testing.T, r registry) {
			r.byHand(t, "UPDATE tiles SET body = (SELECT body FROM tiles WHERE level = 0 AND n = 1) WHERE level = 1")
		}, "la tessera tile/1/000.p/1", false},
		"an early tile gone": {func(t *testing.T, r registry) { r.byHand(t, "DELETE FROM tiles WHERE level = 0 AND n = 0") },
			"manca la tessera tile/0/000", false},
		"the last tile gone": {func(t *testing.T, r registry) { r.byHand(t, "DELETE FROM tiles WHERE level = 0 AND n = 1") },
			"manca la tessera tile/0/001.p/44", false},
		"an upper tile gone": {func(t *testing.T, r registry) { r.byHand(t, "DELETE FROM tiles WHERE level = 1") },
			"manca la tessera tile/1/000.p/1", false},
		"a tile cut": {func(t *testing.T, r registry) {
			r.byHand(t, "UPDATE tiles SET body = (SELECT body FROM tiles WHERE level = 1) WHERE level = 0 AND n = 0")
		}, "la tessera tile/0/000 è tagliata: ha 1 voci su 256", false},
		"a checkpoint": {func(t *testing.T, r registry) {
			r.byHand(t, "UPDATE checkpoints SET root = $1 WHERE size = 300", make([]byte, 32))
		}, "non è quello che la chiave del registro ha firmato", false},
	} {
		t.Run(name, func(t *testing.T) {
			eachRegistry(t, func(t *testing.T, r registry) {
				r.happen(t, 0, 300)
				r.extend(t)
				r.verified(t, "")
				numbers, err := r.db.LogNumbers(t.Context(), "tree1")
				if err != nil || len(numbers) != 100 {
					t.Fatal(len(numbers), err)
				}
				c.do(t, r)
				report := r.verified(t, c.want)
				if strings.Contains(c.want, "tessera tile/") && len(report.Faults) > 1 {
					t.Errorf("besides the tile also %+v", report.Faults[1:])
				}
				if first := report.Faults[0]; c.seen && (first.N != numbers[5] || first.Root != "tree1" || first.Seq != 5) {
					t.Errorf("named %+v, want n. %d", first, numbers[5])
				}
			})
		})
	}
}

// Whoever owns database and key can make everything fit again, except what is outside.
func TestOnlyACopyOutsideFindsWhatWasRewrittenWhole(t *testing.T) {
	eachRegistry(t, func(t *testing.T, r registry) {
		r.happen(t, 0, 300)
		outside := r.extend(t)
		r.byHand(t, "DELETE FROM checkpoints")
		r.verified(t, "i checkpoint che le firmano sono stati tolti")
		for _, q := range []string{"DELETE FROM tiles", "DELETE FROM log WHERE n > 290", "UPDATE log_head SET n = 290",
			"DELETE FROM events WHERE NOT EXISTS (SELECT 1 FROM log WHERE log.root = events.root AND log.seq = events.seq)"} {
			r.byHand(t, q)
		}
		r.extend(t)
		r.verified(t, "")
		r.verified(t, "attesta 300 voci, il registro ne ha 290", outside)
		r.happen(t, 300, 320)
		r.extend(t)
		r.verified(t, "")
		r.verified(t, "il checkpoint esterno n. 1 attesta 300 voci diverse", outside)
		_, other, err := audit.NewLogKey(rand.Reader, "sua.example.it/log")
		if err != nil {
			t.Fatal(err)
		}
		if report, err := r.VerifyLog(t.Context(), other, nil); err != nil || report.OK() {
			t.Errorf("checkpoints of another key: %+v %v", report, err)
		}
	})
}

func TestNothingIsSignedThatDoesNotFit(t *testing.T) {
	for name, spoil := range map[string][]string{
		"the last events": {"UPDATE events SET hash = (SELECT hash FROM events WHERE root = 'tree0' AND seq = 1) WHERE root = 'tree2' AND seq = 100"},
		"an event gone":   {"DELETE FROM events WHERE root = 'tree2' AND seq = 100"},
		"numbers":         {"UPDATE log_head SET n = 200"},
		"an early tile":   {"UPDATE tiles SET body = (SELECT body FROM tiles WHERE level = 0 AND n = 0) WHERE level = 1"},
		"a tile gone":     {"DELETE FROM tiles WHERE level = 1"},
	} {
		t.Run(name, func(t *testing.T) {
			eachRegistry(t, func(t *testing.T, r registry) {
				r.happen(t, 0, 300)
				before := r.extend(t)
				for _, q := range spoil {
					r.byHand(t, q)
				}
				if name != "numbers" {
					r.happen(t, 300, 310)
				}
				if err := r.ExtendLog(t.Context(), r.secret); !errors.Is(err, engine.ErrLogChanged) {
					t.Errorf("ExtendLog = %v", err)
				}
				if now, err := r.LogCheckpoint(t.Context()); err != nil || string(now) != string(before) {
					t.Errorf("a new checkpoint: %s %v", now, err)
				}
			})
		})
	}
}

func TestCheckpointsGoOutside(t *testing.T) {
	box := &postbox{}
	eachRegistry(t, func(t *testing.T, r registry) {
		box.take()
		to := []string{"revisore@example.it", "pec:protocollo@pec.example"}
		stamps := 0
		stamp := func(_ context.Context, note []byte) ([]byte, error) { stamps++; return note[:8], nil }
		out := func() {
			t.Helper()
			if err := r.SendCheckpoint(t.Context(), to); err != nil {
				t.Fatal(err)
			}
			if err := r.StampCheckpoint(t.Context(), "https://tsa.example", stamp); err != nil {
				t.Fatal(err)
			}
		}
		if out(); len(box.take()) != 0 || stamps != 0 {
			t.Error("sent although nothing is signed")
		}
		r.happen(t, 0, 3)
		note := r.extend(t)
		out()
		sent := box.take()
		if len(sent) != 2 || sent[0].To != "revisore@example.it" || sent[1].To != "protocollo@pec.example" || !strings.Contains(sent[0].Text, "-----\n"+string(note)+"-----") || stamps != 1 {
			t.Fatalf("sent %+v, %d stamps", sent, stamps)
		}
		r.happen(t, 3, 6)
		r.extend(t)
		if out(); len(box.take()) != 0 || stamps != 1 {
			t.Error("sent twice in a day")
		}
		r.clock.add(24 * time.Hour)
		if out(); len(box.take()) != 2 || stamps != 2 {
			t.Error("not sent on the next day")
		}
		all, err := r.CheckpointStamps(t.Context())
		if err != nil || len(all) != 2 || string(all[0].Note) != string(note) || string(all[0].Answer) != string(note[:8]) {
			t.Errorf("stamps %+v %v", all, err)
		}
	}, func(cfg *engine.Config) {
		cfg.Notices.Senders = map[string]func(context.Context, notice.Message) (string, error){store.ChannelMail: box.send, store.ChannelPEC: box.send}
	})
}
