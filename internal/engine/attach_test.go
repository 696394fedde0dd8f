package engine_test

import (
	"io"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

func TestAttachNames(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		id, _ := opened(t, o)
		long := strings.Repeat("è", 300) + ".pdf"
		for name, want := range map[string]string{
			"Relazione è.pdf": "Relazione è.pdf", "../../etc/passwd": "passwd", `C:\Documenti\bando.pdf`: "bando.pdf", "a\x00b\r\nc\u202e.pdf": "abc.pdf", " x.pdf ": "x.pdf",
			"/cartella/": "cartella", long: strings.Repeat("è", 196) + ".pdf", "bad\xff.pdf": "bad\ufffd.pdf", "": "", "..": "", "/": "", "\x00": "", "   ": "", "a/..": "",
		} {
			d, err := o.Attach(t.Context(), o.rup, engine.Attach{Case: id, Type: "request_form", Name: name, Bytes: strings.NewReader("x")})
			if want == "" {
				if got := faults(err); len(got) != 1 || got[0] != "/file file_name" {
					t.Errorf("%q: %+v %v", name, d, err)
				}
			} else if err != nil || d.Name != want {
				t.Errorf("%q becomes %q %v, want %q", name, d.Name, err, want)
			}
		}
	})
}

func TestAttachRefusals(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		id, _ := opened(t, o)
		attach := func(who auth.Actor, kind, content string) error {
			_, err := o.Attach(t.Context(), who, engine.Attach{Case: id, Type: kind, Name: "x.pdf", Bytes: strings.NewReader(content)})
			return err
		}
		before, _ := o.Documents(t.Context(), o.rup, id)
		for want, err := range map[string]error{
			"/type document_unknown": attach(o.rup, "love_letter", "x"), "/file file_empty": attach(o.rup, "request_form", ""), "/file file_too_large": attach(o.rup, "request_form", strings.Repeat("x", 1<<20+1)),
		} {
			if got := faults(err); len(got) != 1 || got[0] != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
		if after, _ := o.Documents(t.Context(), o.rup, id); len(after) != len(before) {
			t.Errorf("a refused file is there: %d", len(after))
		}
		for name, who := range map[string]auth.Actor{"clerk": o.clerk, "committee": o.committee, "mayor": o.mayor} {
			if err := attach(who, "request_form", "x"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := attach(o.rup, "request_form", strings.Repeat("x", 1<<20)); err != nil {
			t.Errorf("the largest file: %v", err)
		}
		fire(t, o, o.rup, id, "send", nil, dueAck)
		o.clock.add(12 * day)
		expire(t, o)
		if err := attach(o.rup, "request_form", "x"); !refusedWith(err, "case_ended") {
			t.Errorf("to an ended case: %v", err)
		}
	}, func(c *engine.Config) { c.MaxUpload = 1 << 20 })
}

func TestSameFileTwice(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		id, _ := opened(t, o)
		var ids []string
		for range 2 {
			d, err := o.Attach(t.Context(), o.rup, engine.Attach{Case: id, Type: "request_form", Name: "stessa.pdf", Bytes: strings.NewReader("stessi byte")})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, d.ID)
			o.clock.add(1e9)
		}
		docs, err := o.Documents(t.Context(), o.clerk, id)
		if err != nil || len(docs) != 3 || ids[0] == ids[1] || docs[0].ID != ids[1] || docs[0].SHA256 != docs[1].SHA256 {
			t.Fatalf("%+v %v", docs, err)
		}
		if !docs[0].Current || docs[1].Current || docs[2].Current {
			t.Errorf("which is current: %+v", docs)
		}
		for _, d := range ids {
			v, f, err := o.Document(t.Context(), o.clerk, d)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(f)
			if _ = f.Close(); err != nil || string(b) != "stessi byte" || v.Size != 11 {
				t.Errorf("%q %v", b, err)
			}
		}
	})
}
