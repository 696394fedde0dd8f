package web

import (
	"slices"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"golang.org/x/net/html"
)

// document is a parsed page with the few questions that tests ask.
type document struct{ root *html.Node }

func parse(t *testing.T, text string) document {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return document{root}
}

func draw(t *testing.T, c templ.Component) document {
	t.Helper()
	var b strings.Builder
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return parse(t, b.String())
}

// all finds elements by tag ("" for any) and attributes written "name=value", or "name" for its presence.
func (d document) all(tag string, attributes ...string) []*html.Node {
	var found []*html.Node
	for n := range d.root.Descendants() {
		if n.Type == html.ElementNode && (tag == "" || n.Data == tag) && has(n, attributes) {
			found = append(found, n)
		}
	}
	return found
}

// one finds the only element that fits.
func (d document) one(t *testing.T, tag string, attributes ...string) *html.Node {
	t.Helper()
	found := d.all(tag, attributes...)
	if len(found) != 1 {
		t.Fatalf("%d elements <%s %s>, want 1 in:\n%s", len(found), tag, strings.Join(attributes, " "), text(d.root))
	}
	return found[0]
}

func has(n *html.Node, attributes []string) bool {
	for _, want := range attributes {
		name, value, valued := strings.Cut(want, "=")
		i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
		if i < 0 || valued && n.Attr[i].Val != value {
			return false
		}
	}
	return true
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is what people read of a node, with single spaces.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func (d document) contains(what string) bool { return strings.Contains(text(d.root), what) }

// sound checks what every page owes to keyboards, screen readers and the content policy.
func (d document) sound(t *testing.T) {
	t.Helper()
	if n := len(d.all("h1")); n != 1 {
		t.Errorf("%d h1, want 1", n)
	}
	if attr(d.one(t, "html"), "lang") != "it" {
		t.Error("the page does not say that it is Italian")
	}
	d.one(t, "a", "href=#contenuto")
	d.one(t, "main", "id=contenuto")
	d.one(t, "", "aria-live=polite")
	for _, tag := range []string{"script", "style"} {
		if len(d.all(tag)) > 0 {
			t.Errorf("<%s> in a page", tag)
		}
	}
	ids := map[string]bool{}
	for _, n := range d.all("", "id") {
		if id := attr(n, "id"); ids[id] {
			t.Errorf("id %q twice", id)
		} else {
			ids[id] = true
		}
	}
	d.labelled(t, ids)
	for _, n := range d.all("") {
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s %s>: the content policy forbids it", n.Data, a.Key)
			}
		}
	}
	d.nested(t)
}

// labelled checks that every control has a label and that references lead somewhere.
func (d document) labelled(t *testing.T, ids map[string]bool) {
	t.Helper()
	labels := map[string]bool{}
	for _, n := range d.all("label") {
		labels[attr(n, "for")] = text(n) != ""
	}
	for _, tag := range []string{"input", "select", "textarea"} {
		for _, n := range d.all(tag) {
			if attr(n, "type") != "hidden" && !labels[attr(n, "id")] {
				t.Errorf("<%s name=%s> has no label", tag, attr(n, "name"))
			}
		}
	}
	for _, n := range d.all("", "aria-describedby") {
		for _, id := range strings.Fields(attr(n, "aria-describedby")) {
			if !ids[id] {
				t.Errorf("aria-describedby %q leads nowhere", id)
			}
		}
	}
	for _, n := range d.all("a", "href") {
		if id, ok := strings.CutPrefix(attr(n, "href"), "#"); ok && !ids[id] {
			t.Errorf("link to #%s leads nowhere", id)
		}
	}
	for _, n := range d.all("fieldset") {
		if len((document{n}).all("legend")) == 0 {
			t.Errorf("fieldset %q without legend", attr(n, "id"))
		}
	}
}

// nested checks that no heading level is jumped over and that every form posts its token.
func (d document) nested(t *testing.T) {
	t.Helper()
	level := 0
	for _, n := range d.all("") {
		if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
			if now := int(n.Data[1] - '0'); now > level+1 {
				t.Errorf("<%s> %q after h%d", n.Data, text(n), level)
			} else {
				level = now
			}
		}
	}
	for _, form := range d.all("form", "method=post") {
		if attr(form, "action") != "/accedi" && len((document{form}).all("input", "name=csrf")) != 1 {
			t.Errorf("form %q without token", attr(form, "action"))
		}
	}
}

// raw is the text inside a node, untouched.
func raw(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}
