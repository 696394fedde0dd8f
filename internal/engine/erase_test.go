package engine_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/dossier"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// After an erasure the name is nowhere, the history says that it happened and everything still verifies; a part emptied without an
// erasure is found.
func TestErasureOfAPerson(t *testing.T) {
	c := newClock("2026-03-02T08:00:00Z")
	storetest.EachRaw(t, store.Options{Now: c.now}, func(t *testing.T, db *store.DB, raw storetest.Raw) {
		c.at.Store(newClock("2026-03-02T08:00:00Z").at.Load())
		o := newOffice(t, db, c, tellingYAML)
		ids := []string{led(t, o), led(t, o)}
		before, err := o.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.add(time.Hour)
		var no *engine.Refused
		if _, err := o.ErasePerson(t.Context(), "rup", "richiesta dell'interessato"); !errors.As(err, &no) {
			t.Errorf("erasing who leads open cases = %v", err)
		}
		for _, id := range ids {
			fire(t, o, o.rup, id, "send", nil)
			fire(t, o, o.director, id, "end", nil)
		}
		if _, err := o.ErasePerson(t.Context(), "rup", ""); engine.Kind(err) != engine.KindInvalid {
			t.Errorf("erasing without a reason = %v", err)
		}
		if _, err := o.ErasePerson(t.Context(), "nobody", "x"); engine.Kind(err) != engine.KindNotFound {
			t.Errorf("erasing nobody = %v", err)
		}
		done, err := o.ErasePerson(t.Context(), "rup", "richiesta dell'interessato")
		if err != nil || done.Trees != 2 || done.Parts != 2 {
			t.Fatalf("erased %+v, %v", done, err)
		}
		again, err := o.ErasePerson(t.Context(), "rup", "ancora")
		if err != nil || again.Parts != 0 {
			t.Errorf("a second time %+v, %v", again, err)
		}
		gone(t, o, ids[0], before)
		id := led(t, o)
		raw.Exec("UPDATE events SET personal_salt = NULL, personal_body = NULL WHERE root = $1", id)
		v, err := o.Verify(t.Context(), engine.Verify{Root: id})
		if err != nil || len(v.Findings) != 1 || !strings.Contains(v.Findings[0].Text, "nessun evento di cancellazione") {
			t.Errorf("emptied behind the program's back: %+v, %v", v.Findings, err)
		}
	})
}

// led opens a case that names its RUP.
func led(t *testing.T, o *office) string {
	t.Helper()
	m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "telling", Inputs: map[string]any{"title": "Scuola", "rup": "rup"}})
	if err != nil {
		t.Fatal(describe(err))
	}
	return m.Case
}

// Only an erasure may empty a part, and only those that it names: not the program by itself, not another tree's erasure.
func TestNothingElseEmptiesAPart(t *testing.T) {
	each(t, tellingYAML, func(t *testing.T, o *office) {
		id := led(t, o)
		err := o.db.Create(t.Context(), store.Everything, nil, func(tx *store.Tx) error { return tx.ErasePersonal(id, 1, []int64{1}) })
		if err == nil {
			t.Error("a part was emptied without an erasure")
		}
	})
}

// gone looks for what an erasure must leave.
func gone(t *testing.T, o *office, id string, before time.Time) {
	t.Helper()
	v, err := o.Verify(t.Context(), engine.Verify{})
	if err != nil || len(v.Findings) > 0 || v.Erased < 2 {
		t.Errorf("verify after the erasure: %+v, %v", v, err)
	}
	h, err := o.History(t.Context(), auth.System("test"), id, 0, 0)
	if err != nil || !h.Verified {
		t.Fatalf("history after the erasure: %s, %v", h.Broken, err)
	}
	if last := h.Items[len(h.Items)-1]; last.Event != "erase" || last.Inputs[0].Text != "richiesta dell'interessato" {
		t.Errorf("the history ends with %+v", last)
	}
	for _, item := range h.Items {
		if item.Actor.ID == "rup" && item.Actor.Name != "Persona cancellata" {
			t.Errorf("event %d still names %q", item.Seq, item.Actor.Name)
		}
	}
	past, err := o.AsOf(t.Context(), auth.System("test"), id, before)
	if err != nil || !past.Erased || past.RUP.ID != "" {
		t.Errorf("as of before the erasure: erased %v, RUP %+v, %v", past.Erased, past.RUP, err)
	}
	d, err := o.Export(t.Context(), auth.System("test"), engine.Export{Case: id})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := d.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	r, err := dossier.Check(bytes.NewReader(file.Bytes()), int64(file.Len()), dossier.Against{})
	if err != nil || len(r.Wrong) > 0 || !strings.Contains(strings.Join(r.NotProved, "\n"), "riservate o cancellate") {
		t.Errorf("check of the dossier: %+v, %v", r, err)
	}
}
