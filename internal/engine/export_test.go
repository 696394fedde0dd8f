package engine_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/dossier"
	"github.com/province-comuni/sua/internal/engine"
)

// taken exports a case for an actor, checks the file and returns it.
func taken(t *testing.T, o *office, who auth.Actor, q engine.Export) ([]byte, dossier.Report) {
	t.Helper()
	d, err := o.Export(t.Context(), who, q)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := d.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	r, err := dossier.Check(bytes.NewReader(file.Bytes()), int64(file.Len()), dossier.Against{})
	if err != nil || len(r.Wrong) > 0 {
		t.Fatalf("check: %+v, %v", r.Wrong, err)
	}
	return file.Bytes(), r
}

// What is secret for a reader goes out as a digest and still verifies; the same story gives the same bytes to the same reader.
func TestDossierTellsNoSecret(t *testing.T) {
	each(t, tellingYAML, func(t *testing.T, o *office) {
		id := began(t, o, "Scuola segretissima")
		fire(t, o, o.rup, id, "send", nil)
		fire(t, o, o.clerk, id, "think", map[string]any{"reason": "pensiero nascosto"})
		whole, _ := taken(t, o, o.director, engine.Export{Case: id})
		again, _ := taken(t, o, o.director, engine.Export{Case: id})
		if !bytes.Equal(whole, again) {
			t.Error("the same export twice gives other bytes")
		}
		part, r := taken(t, o, o.rup, engine.Export{Case: id})
		if !strings.Contains(unzipped(t, whole), "pensiero") {
			t.Error("the director's dossier lacks what the director may see")
		}
		if strings.Contains(unzipped(t, part), "pensiero") {
			t.Error("the RUP's dossier tells the secret")
		}
		if !strings.Contains(strings.Join(r.NotProved, "\n"), "2 parti c'è solo l'impronta") {
			t.Errorf("not proved: %v", r.NotProved)
		}
		redacted, _ := taken(t, o, o.director, engine.Export{Case: id, RedactSecret: true, RedactPersonal: true})
		if strings.Contains(unzipped(t, redacted), "pensiero") {
			t.Error("redaction left secrets")
		}
		if _, err := o.Export(t.Context(), o.strangerClerk, engine.Export{Case: id}); engine.Kind(err) != engine.KindNotFound {
			t.Errorf("a stranger's export = %v", err)
		}
	})
}

// unzipped is all the text of a dossier, the bytes inside the events included.
func unzipped(t *testing.T, file []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(b)
		if f.Name != "eventi.jsonl" {
			continue
		}
		for line := range bytes.Lines(b) {
			var e dossier.Event
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatal(err)
			}
			text.Write(e.Header)
			for _, p := range []*dossier.Part{e.Open, e.Secret, e.Personal} {
				if p != nil {
					text.Write(p.Body)
				}
			}
		}
	}
	return text.String()
}
