package flow

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

var snakeCase = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

// isID reports whether s is a snake_case id of at most 60 characters.
func isID(s string) bool { return len(s) <= 60 && snakeCase.MatchString(s) }

// table is a YAML table with a closed list of keys.
type table struct {
	d    *draft
	path string
	node *yaml.Node
	keys map[string]*yaml.Node // values by key
}

// table reads n as a table and reports keys that are unknown, repeated or empty.
func (d *draft) table(n *yaml.Node, path string, known ...string) table {
	t := table{d: d, path: path, node: n, keys: map[string]*yaml.Node{}}
	if _, marked := d.marks[path]; !marked {
		d.mark(path, n)
	}
	for _, e := range d.pairs(n, path) {
		switch {
		case !slices.Contains(known, e.id):
			d.c.reportNode(e.key, "chiave sconosciuta: «%s»%s", e.id, maybe(e.id, known))
		case e.val.Tag == "!!null":
			d.c.reportNode(e.key, "«%s» è vuoto", e.id)
		default:
			t.keys[e.id] = e.val
			d.mark(join(path, e.id), e.key)
		}
	}
	return t
}

func join(path, id string) string {
	if path == "" {
		return id
	}
	return path + "." + id
}

func nth(path string, i int) string { return join(path, strconv.Itoa(i)) }

// entry is one line of a table.
type entry struct {
	id       string
	path     string
	key, val *yaml.Node
}

// pairs reads a table in the order of the file; a repeated key is a fault (once: parts that clash are reported by fold).
func (d *draft) pairs(n *yaml.Node, path string) []entry {
	if n.Kind != yaml.MappingNode {
		d.c.reportNode(n, "«%s» deve essere una tabella (chiave: valore)", lastOf(path))
		return nil
	}
	var entries []entry
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if first, repeated := seen[key.Value]; repeated {
			if d.c.files[first] == d.c.files[key] {
				d.c.reportNode(key, "chiave ripetuta: «%s» (già alla riga %d)", key.Value, first.Line)
			}
			continue
		}
		seen[key.Value] = key
		entries = append(entries, entry{key.Value, join(path, key.Value), key, val})
	}
	return entries
}

// named reads a table whose keys are ids chosen by the workflow.
func (d *draft) named(t table, section string) []entry {
	n := t.keys[section]
	if n == nil {
		return nil
	}
	entries := d.pairs(n, join(t.path, section))
	for _, e := range entries {
		d.mark(e.path, e.key)
		d.checkID(e.key, e.id)
	}
	return entries
}

func (d *draft) checkID(n *yaml.Node, id string) {
	if !isID(id) {
		d.c.reportNode(n, "«%s» non è un id valido: servono minuscole, cifre e trattino basso (snake_case)", id)
	}
}

// items reads a list; nil when the key is absent.
func (t table) items(key string) []*yaml.Node {
	n := t.keys[key]
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		t.d.c.reportNode(n, "«%s» deve essere un elenco [a, b]", key)
		return nil
	}
	for i, item := range n.Content {
		t.d.mark(nth(join(t.path, key), i), item)
	}
	return n.Content
}

// text reads an optional text.
func (t table) text(key string) string {
	if n := t.keys[key]; n != nil {
		return t.d.scalar(n, key)
	}
	return ""
}

// scalar reads a text value; numbers must be quoted, so that the canonical form keeps them as written.
func (d *draft) scalar(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		d.c.reportNode(n, "«%s» deve essere un testo (se è un numero, tra virgolette)", what)
		return ""
	}
	if strings.ContainsFunc(n.Value, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }) {
		d.c.reportNode(n, "«%s» contiene caratteri non stampabili", what)
		return ""
	}
	return strings.TrimSpace(n.Value)
}

// id reads a snake_case id that must be there.
func (t table) id(key string) string {
	n := t.keys[key]
	if n == nil {
		t.d.c.reportNode(t.node, "manca «%s»", key)
		return ""
	}
	s := t.d.scalar(n, key)
	if s != "" {
		t.d.checkID(n, s)
	}
	return s
}

// optionalID reads an id that may be absent.
func (t table) optionalID(key string) string {
	if t.keys[key] == nil {
		return ""
	}
	return t.id(key)
}

// ids reads a list of texts.
func (t table) ids(key string) []string {
	var ids []string
	for _, n := range t.items(key) {
		if s := t.d.scalar(n, key); s != "" {
			ids = append(ids, s)
		}
	}
	return ids
}

// flag reads an optional true/false.
func (t table) flag(key string) bool {
	n := t.keys[key]
	if n == nil {
		return false
	}
	var b bool
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Decode(&b) != nil {
		t.d.c.reportNode(n, "«%s» deve essere true o false", key)
	}
	return b
}

// bilingual reads {it, en}; both must be there.
func (d *draft) bilingual(n *yaml.Node, path string) Text {
	t := d.table(n, path, "it", "en")
	text := Text{t.text("it"), t.text("en")}
	if n.Kind != yaml.MappingNode {
		return text
	}
	for _, lang := range []string{"it", "en"} {
		if text.IT == "" && lang == "it" || text.EN == "" && lang == "en" {
			d.c.reportNode(n, "«%s» deve avere «%s»", lastOf(path), lang)
		}
	}
	return text
}

// label reads the label that everything people see must have.
func (t table) label() Text {
	n := t.keys["label"]
	if n == nil {
		t.d.fault(t.path, "manca «label: {it, en}»%s", of(t.path))
		return Text{}
	}
	return t.d.bilingual(n, join(t.path, "label"))
}

// optional reads an optional {it, en}.
func (t table) optional(key string) Text {
	if n := t.keys[key]; n != nil {
		return t.d.bilingual(n, join(t.path, key))
	}
	return Text{}
}

// roles reads a list of roles of the vocabulary.
func (t table) roles(key string, also ...string) []string {
	roles := t.ids(key)
	for i, role := range roles {
		t.d.checkRole(nth(join(t.path, key), i), role, also...)
	}
	return roles
}

func (d *draft) checkRole(path, role string, also ...string) {
	if _, found := d.c.vocabulary.Roles[role]; found || slices.Contains(also, role) {
		return
	}
	known := append(slices.Collect(maps.Keys(d.c.vocabulary.Roles)), also...)
	d.fault(path, "ruolo sconosciuto: «%s»%s", role, maybe(role, known))
}

// lastOf is the last segment of a path, as messages name the element.
func lastOf(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// of names the element of a path inside a message: " di «events.publish»"; nothing for the workflow itself.
func of(path string) string {
	if path == "" {
		return ""
	}
	return fmt.Sprintf(" di «%s»", path)
}

// indexBy maps ids to positions.
func indexBy[T any](list []T, id func(T) string) map[string]int {
	index := make(map[string]int, len(list))
	for i, item := range list {
		index[id(item)] = i
	}
	return index
}

func sortedValues(m map[string]string) []string {
	return slices.Compact(slices.Sorted(maps.Values(m)))
}
