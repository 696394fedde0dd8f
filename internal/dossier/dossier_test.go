package dossier

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/audit"
)

var noon = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)

func digest(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// content is a story of n events, the third of them withheld whole, with a definition, a limit, a document and the log's proofs.
func content(t testing.TB, n int, secret string) (Content, string) {
	t.Helper()
	definition, file := []byte(`{"workflow":"w"}`), []byte("%PDF")
	c := Content{
		Program: "test", Definitions: map[string][]byte{digest(definition): definition}, Limits: []audit.LimitUsed{{Key: "k", Value: "35", Law: "art. 1", Mark: "V"}},
		Documents: []string{digest(file)}, Document: func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil },
		Story: Story{Root: "r", Title: "Scuola", Body: "Conselve"},
	}
	var prev []byte
	tiles := map[int][]byte{}
	g, err := audit.NewGrower(nil, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		h := audit.Header{
			Root: "r", Seq: int64(i + 1), Case: "r", Event: "e", From: "a", To: "a", At: noon.Add(time.Duration(i) * time.Minute), Effective: noon, Actor: "p", Role: "rup",
			Definition: digest(definition), Limits: c.Limits, Documents: []audit.Attached{{Type: "form", SHA256: digest(file)}},
		}
		s, err := audit.Seal(h, audit.Parts{Open: audit.NewPart([]byte(`{"fields":{"x":1}}`)), Secret: audit.NewPart([]byte("segreto"))}, prev)
		if err != nil {
			t.Fatal(err)
		}
		prev = s.Hash
		if err := g.Add(audit.Leaf(s.Hash)); err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			c.Events = append(c.Events, Event{Seq: h.Seq, Hash: s.Hash})
			continue
		}
		c.Events = append(c.Events, Event{Seq: h.Seq, Hash: s.Hash, Header: s.Header, Open: PartOf(s.Parts.Open)})
		c.Story.Events = append(c.Story.Events, Told{
			Seq: h.Seq, Case: "r", Event: "e", From: "a", To: "a", At: h.At, Effective: h.Effective, Actor: "p", ActorName: "Rossi <b>", Role: "rup", Definition: h.Definition,
			Documents: []ToldFile{{"form", "Modulo", digest(file)}},
		})
	}
	if err := g.Edge(func(level int, _ int64, body []byte) error { tiles[level] = body; return nil }); err != nil {
		t.Fatal(err)
	}
	read := func(level int, _ int64, width int) ([]byte, error) { return tiles[level][:width*32], nil }
	root, err := audit.RootHash(read, int64(n))
	if err != nil {
		t.Fatal(err)
	}
	if secret == "" {
		if secret, _, err = audit.NewLogKey(rand.Reader, "sua.example/log"); err != nil {
			t.Fatal(err)
		}
	}
	note, err := audit.SignCheckpoint(secret, int64(n), root)
	if err != nil {
		t.Fatal(err)
	}
	c.Log = &LogProofs{Checkpoint: note}
	for i := range n {
		path, err := audit.InclusionProof(read, int64(i), int64(n))
		if err != nil {
			t.Fatal(err)
		}
		c.Log.Proofs = append(c.Log.Proofs, Inclusion{int64(i + 1), int64(i + 1), path})
	}
	_, public, err := audit.PublicKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return c, public
}

func written(t testing.TB, c Content) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, c); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func checked(b []byte, with Against) (Report, error) {
	return Check(bytes.NewReader(b), int64(len(b)), with)
}

func TestDossierVerifies(t *testing.T) {
	c, key := content(t, 5, "")
	file := written(t, c)
	r, err := checked(file, Against{Key: key, Checkpoint: c.Log.Checkpoint})
	if err != nil || len(r.Wrong) > 0 || r.Events != 5 {
		t.Fatalf("%+v, %v", r, err)
	}
	all := strings.Join(r.Proved, "\n") + strings.Join(r.NotProved, "\n")
	for _, want := range []string{"la catena è intera", "1 eventi sono riservati", "di 4 parti c'è solo l'impronta", "lo stesso che è stato tenuto fuori", "tutti i 5 eventi sono nel registro", "storia.html dice"} {
		if !strings.Contains(all, want) {
			t.Errorf("not said: %s\n%s", want, all)
		}
	}
	if !bytes.Equal(file, written(t, c)) {
		t.Error("the same content gives other bytes")
	}
	if strings.Contains(string(repacked(t, file, nil, pageFile)), "<b>") {
		t.Error("a name is not escaped in the page")
	}
}

// repacked applies change to each file of a dossier, or returns one of them.
func repacked(t testing.TB, file []byte, change func(name string, b []byte) []byte, only string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name == only {
			return b
		}
		if change != nil {
			b = change(f.Name, b)
		}
		if b == nil {
			continue
		}
		to, err := w.CreateHeader(&zip.FileHeader{Name: f.Name, Method: f.Method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// events applies change to the events of a dossier.
func events(t testing.TB, change func(e []Event) []Event) func(string, []byte) []byte {
	return func(name string, b []byte) []byte {
		if name != eventsFile {
			return b
		}
		var all []Event
		for line := range bytes.Lines(b) {
			var e Event
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatal(err)
			}
			all = append(all, e)
		}
		return lines(change(all))
	}
}

func in(file, old, now string) func(string, []byte) []byte {
	return func(name string, b []byte) []byte {
		if name == file || strings.HasPrefix(name, file+"/") {
			return bytes.Replace(b, []byte(old), []byte(now), 1)
		}
		return b
	}
}

func TestTamperedDossierIsNamed(t *testing.T) {
	c, key := content(t, 5, "")
	file := written(t, c)
	without := func(gone string) func(string, []byte) []byte {
		return func(name string, b []byte) []byte {
			if strings.HasPrefix(name, gone) {
				return nil
			}
			return b
		}
	}
	for name, test := range map[string]struct {
		change func(string, []byte) []byte
		want   string
	}{
		"header": {events(t, func(e []Event) []Event {
			e[1].Header = bytes.Replace(e[1].Header, []byte(`"p"`), []byte(`"q"`), 1)
			return e
		}), "evento 2: l'intestazione"},
		"part":          {events(t, func(e []Event) []Event { e[0].Open.Body[3]++; return e }), "evento 1: la parte aperta"},
		"deleted":       {events(t, func(e []Event) []Event { return append(e[:1:1], e[2:]...) }), "evento 2: qui doveva"},
		"reordered":     {events(t, func(e []Event) []Event { e[0], e[1] = e[1], e[0]; return e }), "evento 1: qui doveva"},
		"cut":           {events(t, func(e []Event) []Event { return e[:4] }), "ne manca la fine"},
		"withheld":      {events(t, func(e []Event) []Event { e[2].Hash[0]++; return e }), "evento 4: non è legato"},
		"definition":    {in("definizioni", "w", "x"), "la definizione"},
		"no definition": {without("definizioni"), "manca la definizione"},
		"document":      {in("documenti", "P", "X"), "non corrisponde alla sua impronta"},
		"no document":   {without("documenti"), "manca il documento"},
		"limit":         {in(limitsFile, "35", "36"), "nessun evento dice di averlo usato"},
		"telling":       {in(storyFile, `"actor": "p"`, `"actor": "q"`), "in altro modo dalla sua intestazione"},
		"salt": {events(t, func(e []Event) []Event {
			o := e[0].Open
			o.Salt, o.Body = append(o.Salt, o.Body[0]), o.Body[1:]
			return e
		}), "evento 1: la parte aperta"},
		"missing proof": {in(logFile, `"seq": 2,`, `"seq": 5,`), "evento 2: manca la sua prova"},
		"proof":         {in(logFile, `"n": 2`, `"n": 3`), "la prova non porta alla radice"},
		"note":          {in(logFile, `"checkpoint": "`, `"checkpoint": "AAAA`), "checkpoint del fascicolo"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := checked(repacked(t, file, test.change, ""), Against{Key: key})
			if err != nil || !strings.Contains(strings.Join(r.Wrong, "\n"), test.want) {
				t.Errorf("%v, %v; want …%s…", r.Wrong, err, test.want)
			}
		})
	}
	page := repacked(t, file, in(pageFile, "Scuola", "Palestra"), "")
	if r, err := checked(page, Against{}); err != nil || !strings.Contains(strings.Join(r.NotProved, "\n"), "storia.html è altra") || len(r.Wrong) == 0 {
		t.Errorf("a retouched page: %+v, %v", r, err)
	}
}

// A history written anew from the beginning is consistent with itself: only what somebody kept outside tells it.
func TestRewrittenHistoryIsToldByTheOutsideCheckpoint(t *testing.T) {
	secret, key, err := audit.NewLogKey(rand.Reader, "sua.example/log")
	if err != nil {
		t.Fatal(err)
	}
	before, _ := content(t, 5, secret)
	after, _ := content(t, 5, secret) // other salts: another history
	r, err := checked(written(t, after), Against{Key: key})
	if err != nil || len(r.Wrong) > 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	r, err = checked(written(t, after), Against{Key: key, Checkpoint: before.Log.Checkpoint})
	if err != nil || !strings.Contains(strings.Join(r.Wrong, "\n"), "NON è quello del checkpoint esterno") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestHostileFilesAreRefused(t *testing.T) {
	c, _ := content(t, 3, "")
	file := written(t, c)
	with := func(name string, mode uint32, body []byte, method uint16) []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		h := &zip.FileHeader{Name: name, Method: method}
		h.ExternalAttrs, h.CreatorVersion = mode<<16, 3<<8
		to, err := w.CreateHeader(h)
		if err == nil {
			_, err = to.Write(body)
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	bomb := bytes.Repeat([]byte{'0'}, mostMemory+1)
	for name, b := range map[string][]byte{
		"no zip": []byte("x"), "empty": nil, "cut": file[:len(file)/2], "path": with("../../etc/passwd", 0o100644, nil, zip.Store),
		"absolute": with("/etc/passwd", 0o100644, nil, zip.Store), "link": with(eventsFile, 0o120777, []byte("x"), zip.Store),
		"nothing in it": with(eventsFile, 0o100644, []byte("{}"), zip.Store), "not ours": repacked(t, file, in(manifestFile, Format, "other/9"), ""),
		"bomb": repacked(t, file, func(n string, b []byte) []byte {
			if n == storyFile {
				return bomb
			}
			return b
		}, ""),
		"unknown": repacked(t, file, in(storyFile, `"root"`, `"rooot"`), ""),
	} {
		if r, err := checked(b, Against{}); !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// Whatever is in a file, a check answers: it neither fails otherwise nor believes.
func FuzzCheck(f *testing.F) {
	c, key := content(f, 3, "")
	file := written(f, c)
	f.Add(file)
	f.Add(file[:len(file)-20])
	f.Add(repacked(f, file, in(eventsFile, "A", "B"), ""))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := checked(b, Against{Key: key})
		if err != nil && !errors.Is(err, ErrForeign) {
			t.Fatal(err)
		}
		if err == nil && len(r.Proved)+len(r.Wrong) == 0 {
			t.Fatal("nothing was said")
		}
	})
}

// The files inside, each fuzzed by itself: a changed zip seldom passes its checksums.
func FuzzCheckInside(f *testing.F) {
	c, key := content(f, 3, "")
	file := written(f, c)
	names := []string{manifestFile, eventsFile, storyFile, limitsFile, logFile}
	for i, name := range names {
		f.Add(i, repacked(f, file, nil, name))
	}
	f.Fuzz(func(t *testing.T, which int, b []byte) {
		name := names[uint(which)%uint(len(names))]
		changed := repacked(t, file, func(n string, old []byte) []byte {
			if n == name {
				return append([]byte{}, b...)
			}
			return old
		}, "")
		r, err := checked(changed, Against{Key: key})
		if err != nil && !errors.Is(err, ErrForeign) {
			t.Fatal(err)
		}
		_ = r
	})
}
