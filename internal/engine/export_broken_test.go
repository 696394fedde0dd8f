package engine_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/dossier"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// A story that does not hold goes out as it is, and says so wherever somebody may look first.
func TestADossierOfABrokenStorySaysSo(t *testing.T) {
	c := newClock("2026-03-02T08:00:00Z")
	storetest.EachRaw(t, store.Options{Now: c.now}, func(t *testing.T, db *store.DB, raw storetest.Raw) {
		o := newOffice(t, db, c, sealedFiles)
		for name, x := range map[string]struct {
			do         func(id string)
			want, also string // in the file; among the faults
		}{
			"a part taken away": {func(id string) {
				raw.Exec("UPDATE events SET open_salt = NULL, open_body = NULL WHERE root = $1 AND seq = 1", id)
			}, "Evento 1: una parte è stata tolta.", "la parte aperta è stata tolta"},
			"a case made other than its story": {func(id string) {
				raw.Exec("UPDATE cases SET data = $1 WHERE id = $2", `{"title": "segreto nome", "amount": 11223344, "public": "noto", "asker": "segreto richiedente"}`, id)
			}, "sono altre da come la storia le racconta", "11223344"},
		} {
			t.Run(name, func(t *testing.T) {
				id, _ := sealedCase(t, o)
				if d, err := o.Export(t.Context(), o.rup, engine.Export{Case: id}); err != nil || len(d.Faults) > 0 {
					t.Fatalf("before: %+v, %v", d.Faults, err)
				}
				x.do(id)
				d, err := o.Export(t.Context(), o.rup, engine.Export{Case: id})
				if err != nil || !slices.ContainsFunc(d.Faults, func(f engine.Finding) bool { return strings.Contains(f.Text, x.also) }) {
					t.Fatalf("faults %+v, %v", d.Faults, err)
				}
				var file bytes.Buffer
				if _, err := d.WriteTo(&file); err != nil {
					t.Fatal(err)
				}
				text := unzipped(t, file.Bytes())
				if strings.Count(text, x.want) != 2 || !strings.Contains(text, "la storia non tornava") {
					t.Errorf("the page and the JSON do not both say %q", x.want)
				}
				if strings.Contains(text, "11223344") {
					t.Error("the file tells a value that is secret for its reader")
				}
				r, err := dossier.Check(bytes.NewReader(file.Bytes()), int64(file.Len()), dossier.Against{})
				if err != nil || !strings.Contains(strings.Join(r.Wrong, "\n"), x.want) {
					t.Errorf("check: %+v, %v", r, err)
				}
			})
		}
	})
}
