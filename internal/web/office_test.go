package web

import (
	"bytes"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/blob"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// parcel is a workflow with one of everything that a page draws, small enough to read.
const parcel = `
workflow: parcel
version: 1
case: parcel
label: {it: Plico, en: Parcel}
start: draft
stages: {work: {label: {it: Lavoro, en: Work}}, after: {label: {it: Dopo, en: After}}}
fields:
  title:  {type: text, label: {it: Oggetto, en: Subject}}
  amount: {type: money, label: {it: Importo, en: Value}}
  due:    {type: date, label: {it: Entro, en: By}}
registers:
  offers:
    label: {it: Offerte, en: Offers}
    columns: {operator: text, score: percent}
    secret: {until: {score: [done]}, see: [committee]}
children: {items: {workflow: item, label: {it: Elementi, en: Items}}}
states:
  draft: {stage: work, label: {it: Bozza, en: Draft}}
  sent:  {stage: work, label: {it: Inviato, en: Sent}}
  done:  {stage: after, final: completed, label: {it: Fatto, en: Done}}
deadlines:
  answer: {label: {it: Risposta, en: Answer}, law: art. 62 c. 10, term: request.answer_days, counted: calendar_roll, while: [sent], at_expiry: {fire: time_out}}
events:
  fill:     {label: {it: Compila, en: Fill}, by: [rup], from: [draft], to: same, input: {title: {field: title, optional: true}, amount: {field: amount, optional: true}, due: {field: due, optional: true}}}
  add_item: {label: {it: Aggiungi, en: Add}, by: [rup], from: [draft], to: same, input: {name: {type: text, label: {it: Nome, en: Name}}}, then: [{open: items, copy: [{from: name, to: title}]}]}
  offer:    {label: {it: Registra offerta, en: Offer}, by: [sua_clerk], from: [sent], to: same, input: {row: {row: offers, columns: [operator]}}}
  score:    {label: {it: Punteggi, en: Scores}, by: [committee], from: [sent], to: same, input: {scores: {rows: offers, columns: [score]}}}
  send:
    label: {it: Invia, en: Send}
    help: {it: Manda il plico alla SUA., en: Sends the parcel.}
    by: [rup]
    from: [draft]
    to: sent
    documents: [request_form]
    guards: [agreement_active, {fields_filled: {fields: [title, amount]}}, {children_exist: {children: items}}]
    warns: [{fields_filled: {fields: [due]}}]
    then: [{start: answer}, {tell: items, event: go}]
  time_out: {label: {it: Silenzio, en: Silence}, by: [system], from: [sent], to: done, then: [{tell: items, event: stop}]}
  finish:   {label: {it: Concludi, en: Finish}, by: [sua_director], from: [sent], to: done, guards: [{children_ended: {children: items}}]}
  report:   {label: {it: Comunica gli esiti, en: Report}, by: [rup], from: [done], to: same, documents: [request_form]}
`

const item = `
workflow: item
version: 1
case: item
label: {it: Elemento, en: Item}
start: idle
stages: {work: {label: {it: Lavoro, en: Work}}}
fields: {title: {type: text, label: {it: Nome, en: Name}}}
states:
  idle:  {stage: work, label: {it: Fermo, en: Idle}}
  going: {stage: work, label: {it: In corso, en: Going}}
  over:  {stage: work, final: over, label: {it: Finito, en: Over}}
events:
  go:    {label: {it: Vai, en: Go}, by: [parent], from: [idle], to: going}
  stop:  {label: {it: Ferma, en: Stop}, by: [parent], from: [going, idle], to: over}
  close: {label: {it: Chiudi, en: Close}, by: [rup], from: [going], to: over}
`

// office is the whole program behind the pages: real engine, real database, a clock that tests move.
type office struct {
	*engine.Engine
	db    *store.DB
	echo  *echo.Echo
	clock atomic.Int64 // microseconds
	extra string       // one more workflow, beside the small ones
}

func (o *office) now() time.Time { return time.UnixMicro(o.clock.Load()).UTC() }

// each runs f on both databases, with the small workflows or, when shipped is set, with those of the program.
func each(t *testing.T, shipped bool, f func(t *testing.T, o *office)) {
	t.Helper()
	eachWith(t, &office{}, shipped, f)
}

func eachWith(t *testing.T, o *office, shipped bool, f func(t *testing.T, o *office)) {
	t.Helper()
	storetest.Each(t, store.Options{Now: o.now}, func(t *testing.T, db *store.DB) {
		o.clock.Store(at(t, "2026-03-02T09:00:00+01:00").UnixMicro())
		o.start(t, db, shipped)
		f(t, o)
	})
}

func (o *office) start(t testing.TB, db *store.DB, shipped bool) {
	t.Helper()
	cfg, err := engine.Shipped(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !shipped {
		files := fstest.MapFS{"parcel.v1.yaml": {Data: []byte(parcel)}, "item.v1.yaml": {Data: []byte(item)}}
		if o.extra != "" {
			files["extra.v1.yaml"] = &fstest.MapFile{Data: []byte(o.extra)}
		}
		if cfg.Sources, err = flow.Sources(files); err != nil {
			t.Fatal(err)
		}
	}
	o.db = db
	cfg.DB, cfg.MaxUpload = db, 1<<20
	if cfg.Blobs, err = blob.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if o.Engine, err = engine.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	o.settle(t)
	o.echo = echo.New()
	Register(o.echo, Server{Engine: o.Engine, Demo: true, SessionHours: 8, MaxUploadMB: 2, Now: o.now, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
}

// settle gives the office its bodies and people; each person's id is the role held.
func (o *office) settle(t testing.TB) {
	t.Helper()
	for _, b := range []store.Body{
		{ID: "padova", Kind: "provincia", Name: "Provincia di Padova", TaxCode: "80006510285", Patron: "06-13"},
		{ID: "conselve", Kind: "comune", Name: "Comune di Conselve", TaxCode: "80009330285"},
		{ID: "este", Kind: "comune", Name: "Comune di Este", TaxCode: "00647320282"},
	} {
		if _, err := o.SaveBody(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	for _, body := range []string{"conselve", "este"} {
		a := store.Agreement{ID: "a-" + body, MemberBody: body, SUA: "padova", ValidFrom: "2025-01-01", Acts: map[string]string{"decision": "member", "award": "sua"}}
		if err := o.SaveAgreement(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []struct{ id, name, body, role string }{
		{"rup", "Anna Bianchi", "conselve", "rup"}, {"rup_este", "Elio Neri", "este", "rup"}, {"member_director", "Dina Rossi", "conselve", "member_director"},
		{"sua_director", "Sara Verdi", "padova", "sua_director"}, {"sua_clerk", "Ivo Gallo", "padova", "sua_clerk"},
		{"sua_phase_manager", "Rita Costa", "padova", "sua_phase_manager"}, {"committee", "Carla Serra", "padova", "committee"}, {"seat", "Sandro Polo", "padova", "seat"}, {"auditor", "Aldo Conti", "*", "auditor"},
	} {
		person := store.Person{ID: p.id, Name: p.name, Demo: 1}
		if err := o.SavePerson(t.Context(), person, []auth.Membership{{Body: p.body, Role: p.role}}); err != nil {
			t.Fatal(err)
		}
	}
}

// browser is a person at a keyboard: it keeps the cookie and follows redirects.
type browser struct {
	o      *office
	cookie *http.Cookie
	peer   string
}

// reply is a page as the browser shows it, after redirects.
type reply struct {
	document
	Status int
	Header http.Header
	Body   string
	URL    string // where redirects led
}

func (o *office) browse() *browser { return &browser{o: o, peer: "127.0.0.1:40000"} }

// as signs a person in through the page.
func (o *office) as(t *testing.T, id string) *browser {
	t.Helper()
	b := o.browse()
	if r := b.post(t, "/accedi", url.Values{"account": {id}, "poi": {"/procedure"}}); r.Status != http.StatusOK || b.cookie == nil {
		t.Fatalf("sign in as %s: %d", id, r.Status)
	}
	return b
}

func (b *browser) get(t *testing.T, path string) reply {
	t.Helper()
	return b.send(t, httptest.NewRequest(http.MethodGet, path, nil), path)
}

func (b *browser) post(t *testing.T, path string, form url.Values) reply {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set(echo.HeaderContentType, echo.MIMEApplicationForm)
	return b.send(t, r, path)
}

func (b *browser) send(t *testing.T, r *http.Request, path string) reply {
	t.Helper()
	r.RemoteAddr, r.Host = b.peer, "localhost:8080"
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	w := httptest.NewRecorder()
	b.o.echo.ServeHTTP(w, r)
	answer := w.Result()
	for _, c := range answer.Cookies() {
		if b.cookie = c; c.MaxAge < 0 {
			b.cookie = nil
		}
	}
	if to := answer.Header.Get("Location"); answer.StatusCode == http.StatusSeeOther {
		to, _, _ = strings.Cut(to, "#")
		return b.get(t, to)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{parse(t, string(body)), answer.StatusCode, answer.Header, string(body), path}
}

// submit fills the form whose action is given, as it was drawn, and sends it.
func (b *browser) submit(t *testing.T, page reply, action string, answers url.Values) reply {
	t.Helper()
	form := formValues(document{page.one(t, "form", "method=post", "action="+action)})
	for name, v := range answers {
		form[name] = v
	}
	return b.post(t, action, form)
}

// upload sends a file through the form of a case's page.
func (b *browser) upload(t *testing.T, page reply, id, kind, name, content string) reply {
	t.Helper()
	action := "/procedure/" + id + "/documenti"
	form := formValues(document{page.one(t, "form", "action="+action)})
	form.Set("tipo", kind)
	form.Del("file")
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for field, values := range form {
		if err := w.WriteField(field, values[0]); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(part, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, action, &body)
	r.Header.Set(echo.HeaderContentType, w.FormDataContentType())
	return b.send(t, r, action)
}

// want fails unless the page has this status, is sound, and says all of this.
func (r reply) want(t *testing.T, status int, says ...string) {
	t.Helper()
	if r.Status != status {
		t.Fatalf("%s: status %d, want %d: %s", r.URL, r.Status, status, text(r.root))
	}
	r.sound(t)
	for _, what := range says {
		if !r.contains(what) {
			t.Errorf("%s does not say %q: %s", r.URL, what, text(r.root))
		}
	}
	if policy := r.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'self'") {
		t.Errorf("%s: content policy %q", r.URL, policy)
	}
}
