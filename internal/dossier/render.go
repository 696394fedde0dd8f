package dossier

import (
	"encoding/hex"
	"html/template"
	"io"
	"time"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/calendar"
)

// render writes the page that people read: it stands alone, runs nothing and needs no network. The check writes it again out of the
// other files and compares, so what it says is what they say.
func render(w io.Writer, s Story, events []Event) error {
	view := struct {
		Story
		Rows    []row
		Head    string
		Erased  bool
		HowMany int
	}{Story: s, HowMany: len(events)}
	told := map[int64]*Told{}
	for i := range s.Events {
		told[s.Events[i].Seq] = &s.Events[i]
	}
	for _, e := range events {
		r := row{Seq: e.Seq, Told: told[e.Seq], Hash: hex.EncodeToString(e.Hash)}
		if e.Open != nil {
			r.Open = string(e.Open.Body)
		}
		if e.Secret != nil {
			r.Secret = string(e.Secret.Body)
		}
		if h, err := audit.Parse(e.Header); err == nil {
			r.Missing = missing(h, e)
		}
		view.Rows = append(view.Rows, r)
		view.Head = r.Hash
	}
	return page.Execute(w, view)
}

// row is an event on the page; Told is nil when it is withheld whole.
type row struct {
	Seq          int64
	Told         *Told
	Hash         string
	Open, Secret string // as they are
	Missing      []string
}

// missing names the parts of which only the digest is there.
func missing(h audit.Header, e Event) []string {
	var out []string
	for _, p := range []struct {
		name, digest string
		part         *Part
	}{{"aperta", h.Parts.Open, e.Open}, {"segreta", h.Parts.Secret, e.Secret}, {"personale", h.Parts.Personal, e.Personal}} {
		if p.digest != "" && p.part == nil {
			out = append(out, p.name+": "+p.digest)
		}
	}
	return out
}

var page = template.Must(template.New("storia").Funcs(template.FuncMap{
	"when": func(t time.Time) string { return t.In(calendar.Rome).Format("02/01/2006 15:04:05") },
	"utc":  func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
	"same": func(a, b time.Time) bool { return a.Equal(b) },
}).Parse(`<!DOCTYPE html>
<html lang="it">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Storia: {{.Title}}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; color: #17324d; background: #fff; max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin: 0 }
ol { list-style: none; padding: 0 } ol > li { border-top: 1px solid #c5c7c9; padding: 1rem 0 }
dl { display: grid; grid-template-columns: minmax(8rem, 16rem) 1fr; gap: .2rem 1rem; margin: .5rem 0 } dt { color: #455a6f } dd { margin: 0; white-space: pre-wrap }
code, pre { font-size: .85rem; white-space: pre-wrap } summary { cursor: pointer; color: #0050a0 } .n { color: #455a6f }
.broken { border: 2px solid #b3112f; padding: 0 1rem; margin: 1rem 0 }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr } dd { margin-bottom: .4rem } }
@media print { details > * { display: block } }
</style>
</head>
<body>
<h1>{{.Title}}</h1>
<p>{{.Body}}{{if .SUA}} – {{.SUA}}{{end}}. Storia di {{.HowMany}} eventi; impronta dell'ultimo: <code>{{.Head}}</code></p>
<p>Questa pagina racconta i file che la accompagnano. La prova si fa su quelli, con <code>sua audit check</code>: vedi LEGGIMI.txt.</p>
{{if .Broken}}<div class="broken"><p><strong>Attenzione: quando questo fascicolo è stato esportato la storia non tornava.</strong></p>
<ul>{{range .Broken}}<li>{{.}}</li>
{{end}}</ul></div>
{{end}}<h2>Pratiche</h2>
<ul>{{range .Cases}}<li>{{.Label}}: {{.State}} <span class="n">({{.ID}})</span></li>
{{end}}</ul>
<h2>Eventi</h2>
<ol>
{{range .Rows}}<li id="e{{.Seq}}">
{{if .Told}}{{with .Told}}<h2><span class="n">{{.Seq}}.</span> {{.Label}} <span class="n">– {{.CaseLabel}}</span></h2>
<p><time datetime="{{utc .At}}">{{when .At}}</time>, {{.ActorName}}{{if .RoleLabel}} ({{.RoleLabel}}){{end}}{{if not (same .At .Effective)}}<br>Con effetto dal {{when .Effective}}{{end}}{{if .Cause}}<br>In conseguenza dell'<a href="#e{{.Cause}}">evento {{.Cause}}</a>{{end}}</p>
<p>{{if .From}}Da <strong>{{or .FromLabel .From}}</strong> a <strong>{{or .ToLabel .To}}</strong>{{else}}Inizia come <strong>{{or .ToLabel .To}}</strong>{{end}}</p>
{{if .Hidden}}<p><em>Una parte è riservata e non è in questo fascicolo.</em></p>{{end}}
{{if or .Inputs .Changes}}<dl>{{range .Inputs}}<dt>{{.Label}}</dt><dd>{{.Text}}</dd>{{end}}{{range .Changes}}<dt>{{.Label}}</dt><dd>{{.Text}}</dd>{{end}}</dl>{{end}}
{{range .Warnings}}<p>Avviso accettato: {{.Label}}{{if .Text}} Motivo: <q>{{.Text}}</q>{{end}}</p>{{end}}
{{if .Terms}}<ul>{{range .Terms}}<li>{{.}}</li>{{end}}</ul>{{end}}
{{range .Documents}}<p>Documento: {{.Label}} <code>{{.SHA256}}</code></p>{{end}}
{{end}}<details><summary>Prove dell'evento {{.Seq}}</summary>
<dl><dt>Impronta</dt><dd><code>{{.Hash}}</code></dd><dt>Definizione</dt><dd><code>{{.Told.Definition}}</code></dd>{{if .Told.Law}}<dt>Norma</dt><dd>{{.Told.Law}}</dd>{{end}}<dt>Autore</dt><dd><code>{{.Told.Actor}}</code></dd></dl>
{{if .Open}}<p>Parte aperta, com'è:</p><pre>{{.Open}}</pre>{{end}}{{if .Secret}}<p>Parte segreta, com'è:</p><pre>{{.Secret}}</pre>{{end}}
{{range .Missing}}<p>Della parte {{.}} c'è solo l'impronta.</p>{{end}}</details>
{{else}}<h2><span class="n">{{.Seq}}.</span> Evento riservato</h2>
<p>Di questo evento c'è solo l'impronta: <code>{{.Hash}}</code></p>
{{end}}</li>
{{end}}</ol>
</body>
</html>
`))
