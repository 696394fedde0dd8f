package notice

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is one kind of notice.
type Template struct {
	ID      string
	Subject Text
	Body    Text
	Act     bool // the person is expected to do something: nobody reacting is told to the director
	Formal  bool // sent by PEC too, to people who have one

	fields []string
}

// Fields are the fields that it names, sorted.
func (t *Template) Fields() []string { return t.fields }

// Habit is how people of a role get mail as long as they do not choose.
type Habit struct {
	Mail string // now, digest, off
	Hour int    // of the digest, in Italy
}

// Templates are all templates, with what stands around them and the habits of roles.
type Templates struct {
	byID   map[string]*Template
	habits map[string]Habit
	// Frame surrounds every mail: greeting above, why and where below.
	Frame struct{ Above, Below Text }
}

// Names of templates that the engine itself asks for.
const (
	Generic    = "event"    // an event whose notice has no template of its own
	Reminder   = "reminder" // a term comes to its end
	Expired    = "deadline_expired"
	Blocked    = "deadline_blocked"
	Moved      = "deadline_moved" // moved, suspended, resumed by hand, or extended for an outage
	Escalation = "escalation"     // nobody reacted
	Digest     = "digest"
	Damaged    = "document_damaged"
	Test       = "test"
)

var own = []string{Generic, Reminder, Expired, Blocked, Moved, Escalation, Digest, Damaged, Test}

// For returns the template of a notice; a notice without one of its own is told by the label of its event.
func (t *Templates) For(id string) *Template {
	if x, ok := t.byID[id]; ok {
		return x
	}
	return t.byID[Generic]
}

// Has reports whether a notice has a template of its own.
func (t *Templates) Has(id string) bool { _, ok := t.byID[id]; return ok }

// IDs are the ids of all templates, sorted.
func (t *Templates) IDs() []string {
	var out []string
	for id := range t.byID {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// Habit returns how people with these roles get mail: at once when one of the roles wants that.
func (t *Templates) Habit(roles []string) Habit {
	out := Habit{Mail: "now", Hour: 8}
	for i, r := range roles {
		h, ok := t.habits[r]
		if !ok {
			return Habit{Mail: "now", Hour: 8}
		}
		if i == 0 || h.Mail == "now" {
			out = h
		}
	}
	return out
}

type fileText struct {
	IT yaml.Node `yaml:"it"`
	EN yaml.Node `yaml:"en"`
}

type fileTemplate struct {
	Subject fileText `yaml:"subject"`
	Text    fileText `yaml:"text"`
	Act     bool     `yaml:"act"`
	Formal  bool     `yaml:"formal"`
}

type file struct {
	Frame struct {
		Above fileText `yaml:"above"`
		Below fileText `yaml:"below"`
	} `yaml:"frame"`
	Habits map[string]struct {
		Mail string `yaml:"mail"`
		Hour int    `yaml:"hour"`
	} `yaml:"habits"`
	Templates map[string]fileTemplate `yaml:"templates"`
}

// Load reads templates; the files after the first replace templates and add new ones. Every fault is reported with its file and
// line: an unknown key, a field that is not in Fields, a missing language.
func Load(sources ...Source) (*Templates, error) {
	out := &Templates{byID: map[string]*Template{}, habits: map[string]Habit{}}
	var faults []error
	for _, s := range sources {
		faults = append(faults, out.add(s)...)
	}
	if len(faults) == 0 {
		for _, id := range own {
			if !out.Has(id) {
				faults = append(faults, fmt.Errorf("avvisi: manca il modello «%s»", id))
			}
		}
	}
	return out, errors.Join(faults...)
}

// Source is a file of templates.
type Source struct {
	Name string
	Data []byte
}

func (t *Templates) add(s Source) []error {
	var f file
	dec := yaml.NewDecoder(strings.NewReader(string(s.Data)))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return []error{fmt.Errorf("%s: %w", s.Name, err)}
	}
	c := &checker{source: s.Name}
	for id, x := range f.Templates {
		made := &Template{ID: id, Act: x.Act, Formal: x.Formal}
		made.Subject, made.Body = c.text(id+".subject", x.Subject), c.text(id+".text", x.Text)
		if strings.ContainsAny(made.Subject.IT+made.Subject.EN, "\r\n") {
			c.fault(x.Subject.IT.Line, "%s.subject: un oggetto sta su una riga", id)
		}
		made.fields = fieldsOf(made.Subject.IT, made.Subject.EN, made.Body.IT, made.Body.EN)
		t.byID[id] = made
	}
	if above := f.Frame.Above; above.IT.Kind != 0 || above.EN.Kind != 0 {
		t.Frame.Above, t.Frame.Below = c.text("frame.above", above), c.text("frame.below", f.Frame.Below)
	}
	for role, h := range f.Habits {
		if !slices.Contains([]string{"now", "digest", "off"}, h.Mail) || h.Hour < 0 || h.Hour > 23 {
			c.fault(1, "habits.%s: mail è now, digest o off, hour va da 0 a 23", role)
		}
		t.habits[role] = Habit{h.Mail, h.Hour}
	}
	slices.SortFunc(c.faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return c.faults
}

// checker collects faults of one file.
type checker struct {
	source string
	faults []error
}

func (c *checker) fault(line int, format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf("%s:%d: "+format, append([]any{c.source, line}, args...)...))
}

var field = regexp.MustCompile(`\{([^{}\n]*)\}`)

func (c *checker) text(where string, t fileText) Text {
	read := func(lang string, n yaml.Node) string {
		if n.Kind == 0 || n.Kind != yaml.ScalarNode || strings.TrimSpace(n.Value) == "" {
			c.fault(n.Line, "%s: manca il testo (%s)", where, lang)
			return ""
		}
		for _, at := range field.FindAllStringSubmatchIndex(n.Value, -1) {
			name := n.Value[at[2]:at[3]]
			if _, ok := Fields[name]; ok {
				continue
			}
			line := n.Line
			if n.Style == yaml.LiteralStyle {
				line += 1 + strings.Count(n.Value[:at[0]], "\n")
			}
			c.fault(line, "%s: campo sconosciuto {%s}", where, name)
		}
		return strings.TrimSpace(n.Value)
	}
	return Text{IT: read("it", t.IT), EN: read("en", t.EN)}
}

func fieldsOf(texts ...string) []string {
	var out []string
	for _, text := range texts {
		for _, m := range field.FindAllStringSubmatch(text, -1) {
			out = append(out, m[1])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
