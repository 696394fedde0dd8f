package notice

import (
	"bytes"
	"html/template"
	"strings"
)

// Render fills a template in a language and returns subject and text. A line whose fields all stand for nothing is left out: who may
// not see a reason does not read "Reason:".
func (t *Template) Render(lang string, v Values) (subject, text string) {
	subject = strings.Join(strings.Fields(fill(t.Subject.In(lang), lang, v)), " ")
	return subject, lines(t.Body.In(lang), lang, v)
}

func lines(text, lang string, v Values) string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		named, some := field.FindAllStringSubmatch(line, -1), false
		for _, m := range named {
			some = some || v[m[1]].In(lang) != ""
		}
		if len(named) == 0 || some {
			out = append(out, strings.TrimRight(fill(line, lang, v), " "))
		}
	}
	for i := 1; i < len(out); { // what was left out leaves no gap
		if out[i] == "" && out[i-1] == "" {
			out = append(out[:i], out[i+1:]...)
		} else {
			i++
		}
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

func fill(text, lang string, v Values) string {
	return field.ReplaceAllStringFunc(text, func(m string) string { return v[m[1:len(m)-1]].In(lang) })
}

// Mail surrounds subject and text of a notice by the frame, as text and as HTML of the same words.
func (ts *Templates) Mail(t *Template, lang string, v Values) (subject, text, html string, err error) {
	subject, body := t.Render(lang, v)
	above, below := lines(ts.Frame.Above.In(lang), lang, v), lines(ts.Frame.Below.In(lang), lang, v)
	text = strings.TrimSpace(above+"\n\n"+body) + "\n\n-- \n" + below + "\n"
	html, err = page(lang, subject, above, body, below, v["link"].In(lang))
	return subject, text, html, err
}

// calm is the layout of mails: one column, system letters, no picture and nothing fetched.
var calm = template.Must(template.New("mail").Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Subject}}</title></head>
<body style="margin:0;padding:24px 12px;background:#f5f6f7;color:#17324d;font:16px/1.5 'Titillium Web',Arial,sans-serif">
<div style="max-width:600px;margin:0 auto;padding:24px;background:#ffffff;border-top:4px solid #0066cc">
{{if .Above}}<p style="margin:0 0 16px;color:#455b71">{{range $i, $l := .Above}}{{if $i}}<br>{{end}}{{$l}}{{end}}</p>{{end}}
<h1 style="margin:0 0 16px;font-size:20px;line-height:1.3">{{.Subject}}</h1>
{{range .Body}}<p style="margin:0 0 16px">{{range $i, $l := .}}{{if $i}}<br>{{end}}{{$l}}{{end}}</p>
{{end}}{{if .Link}}<p style="margin:24px 0"><a href="{{.Link}}" style="display:inline-block;padding:10px 20px;background:#0066cc;color:#ffffff;text-decoration:none;border-radius:4px">{{.Open}}</a></p>
{{end}}<p style="margin:24px 0 0;padding-top:16px;border-top:1px solid #d9dadb;color:#455b71;font-size:14px">{{range $i, $l := .Below}}{{if $i}}<br>{{end}}{{$l.Text}}{{if $l.Address}}<a href="{{$l.Address}}" style="color:#0066cc">{{$l.Address}}</a>{{end}}{{end}}</p>
</div></body></html>
`))

func page(lang, subject, above, body, below, link string) (string, error) {
	var paragraphs [][]string
	for p := range strings.SplitSeq(body, "\n\n") {
		if p = strings.TrimSpace(p); p != "" && p != link {
			paragraphs = append(paragraphs, strings.Split(p, "\n"))
		}
	}
	open := Text{IT: "Apri la pratica", EN: "Open the case"}
	split := func(s string) []string {
		if s == "" {
			return nil
		}
		return strings.Split(s, "\n")
	}
	var out bytes.Buffer
	err := calm.Execute(&out, map[string]any{
		"Lang": lang, "Subject": subject, "Above": split(above), "Body": paragraphs, "Below": footer(split(below)), "Link": link, "Open": open.In(lang),
	})
	return out.String(), err
}

// footLine is a line below a mail; an address at its end can be followed.
type footLine struct{ Text, Address string }

func footer(all []string) []footLine {
	out := make([]footLine, len(all))
	for i, line := range all {
		at := strings.LastIndex(line, " ") + 1
		if strings.HasPrefix(line[at:], "http://") || strings.HasPrefix(line[at:], "https://") {
			out[i] = footLine{line[:at], line[at:]}
		} else {
			out[i].Text = line
		}
	}
	return out
}
