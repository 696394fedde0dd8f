package flow

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// verbKeys are the verbs of `then` with the keys that may stand beside them.
var verbKeys = map[string][]string{
	VerbSet: {"from", "value"}, VerbClear: nil, VerbFix: nil, VerbAssign: {"from"},
	VerbStart: nil, VerbRestart: nil, VerbStop: nil, VerbSuspend: nil, VerbResume: nil, VerbExtend: {"term", "days"},
	VerbOpen: {"for_each", "copy", "set"}, VerbOpenLinked: {"link", "copy"}, VerbTell: {"event", "copy"}, VerbNotify: {"to"}, VerbRun: nil,
}

// verbs in the order in which a line is searched for one: open comes first, because `set` may stand beside it.
var verbs = []string{VerbOpen, VerbOpenLinked, VerbSet, VerbClear, VerbFix, VerbAssign, VerbStart, VerbRestart, VerbStop, VerbSuspend, VerbResume, VerbExtend,
	VerbTell, VerbNotify, VerbRun}

func (d *draft) actions(t table) []Action {
	var actions []Action
	for i, n := range t.items("then") {
		path := nth(join(t.path, "then"), i)
		if n.Kind != yaml.MappingNode {
			d.fault(path, "ogni riga di «then» deve essere una tabella {verbo: …}")
			continue
		}
		verb := ""
		for _, v := range verbs {
			if value(n, v) != nil && (verb == "" || !slices.Contains(verbKeys[verb], v)) {
				if verb != "" {
					d.fault(path, "una riga di «then» ha un solo verbo: qui «%s» e «%s»", verb, v)
					break
				}
				verb = v
			}
		}
		if verb == "" {
			first := ""
			if len(n.Content) > 0 {
				first = n.Content[0].Value
			}
			d.fault(path, "verbo sconosciuto: «%s»%s", first, maybe(first, verbs))
			continue
		}
		actions = append(actions, d.action(n, path, verb))
	}
	return actions
}

func (d *draft) action(n *yaml.Node, path, verb string) Action {
	known := append([]string{verb, "if"}, verbKeys[verb]...)
	t := d.table(n, path, known...)
	a := Action{Verb: verb, If: d.calls(t, "if", d.c.vocabulary.Guards, "guardia")}
	if verb == VerbStop && t.keys["if"] != nil {
		d.fault(path, "«stop» non può avere «if»: il termine si chiude prima che la pratica si muova")
	}
	switch verb {
	case VerbSet:
		if given := t.keys["value"]; given != nil {
			a.Field, a.Value = t.id(verb), d.literal(given, "value")
			if t.keys["from"] != nil {
				d.fault(path, "«set» ha «from» oppure «value»")
			}
			break
		}
		a.Field, a.From = d.pairOf(t, verb, "field", "from")
	case VerbClear:
		a.Field = t.id(verb)
	case VerbAssign:
		a.Role, a.From = d.pairOf(t, verb, "role", "from")
	case VerbFix:
		if what := t.id(verb); what != "rules_date" && what != "" {
			d.fault(path, "«fix» conosce solo rules_date")
		}
	case VerbOpen:
		a.Children, a.ForEach, a.Copy = t.id(verb), t.optionalID("for_each"), d.copied(t)
		a.Set = d.literals(t)
	case VerbOpenLinked:
		a.Workflow, a.Link = d.pairOf(t, verb, "workflow", "link")
		a.Copy = d.copied(t)
	case VerbTell:
		a.Children, a.Event, a.Copy = t.id(verb), t.id("event"), d.copied(t)
	case VerbExtend:
		a.Deadline, a.Term, a.Days = t.id(verb), t.text("term"), t.optionalID("days")
		if (t.keys["term"] == nil) == (t.keys["days"] == nil) {
			d.fault(path, "«extend» deve dire di quanto: «term» (un limite) oppure «days» (un dato o un campo)")
		}
	case VerbNotify:
		a.Template, a.To = t.id(verb), t.roles("to", "followers")
		if len(a.To) == 0 {
			d.fault(path, "manca «to»: a chi va la notizia")
		}
	case VerbRun:
		if run := t.keys[verb]; run != nil {
			a.Effect = d.call(run, join(path, verb), d.c.vocabulary.Effects, "effetto")
		}
	default:
		a.Deadline = t.id(verb)
	}
	return a
}

// pairOf reads {verb: a, second: b}, or the longer {verb: {first: a, second: b}}.
func (d *draft) pairOf(t table, verb, first, second string) (string, string) {
	n := t.keys[verb]
	if n == nil || n.Kind != yaml.MappingNode {
		return t.id(verb), t.id(second)
	}
	if t.keys[second] != nil {
		d.fault(t.path, "«%s» è scritto due volte", second)
	}
	inner := d.table(n, join(t.path, verb), first, second)
	return inner.id(first), inner.id(second)
}

// literals reads {field: value …}: what `open` gives to the new case.
func (d *draft) literals(t table) []Literal {
	var list []Literal
	for _, e := range d.named(t, "set") {
		list = append(list, Literal{Field: e.id, Value: d.literal(e.val, e.id)})
	}
	return list
}

// literal reads the id of a choice, or true or false.
func (d *draft) literal(n *yaml.Node, what string) any {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		return d.scalar(n, what)
	}
	var yes bool
	if n.Decode(&yes) != nil {
		d.c.reportNode(n, "«%s» deve essere true o false", what)
	}
	return yes
}

// copied reads [a, {from: b, to: c}, {b: c}].
func (d *draft) copied(t table) []Copied {
	var list []Copied
	for i, n := range t.items("copy") {
		path := nth(join(t.path, "copy"), i)
		if n.Kind != yaml.MappingNode {
			if id := d.scalar(n, "copy"); id != "" {
				list = append(list, Copied{From: id, To: id})
			}
			continue
		}
		if len(n.Content) == 2 {
			if from, to := n.Content[0].Value, d.scalar(n.Content[1], "copy"); to != "" {
				list = append(list, Copied{From: from, To: to})
			}
			continue
		}
		c := d.table(n, path, "from", "to")
		list = append(list, Copied{From: c.id("from"), To: c.id("to")})
	}
	return list
}

func (d *draft) readJoins(t table) {
	for i, n := range t.items("joins") {
		path := nth("joins", i)
		j := d.table(n, path, "children", "all", "any", "fire")
		joined := Join{Children: j.id("children"), Fire: j.id("fire"), All: j.keys["all"] != nil}
		if joined.All == (j.keys["any"] != nil) {
			d.fault(path, "una giunzione ha «all» oppure «any»")
			continue
		}
		key := "any"
		if joined.All {
			key = "all"
		}
		if which := j.keys[key]; which.Kind == yaml.SequenceNode {
			joined.States = j.ids(key)
		} else if d.scalar(which, key) == "final" {
			joined.Final = true
		} else {
			d.fault(join(path, key), "«%s» deve essere final o un elenco di stati del workflow figlio", key)
		}
		d.Joins = append(d.Joins, joined)
	}
}

// calls reads a list of guards: [name, {name: {param: value}}].
func (d *draft) calls(t table, key string, words map[string]Word, what string) []Call {
	var calls []Call
	for i, n := range t.items(key) {
		calls = append(calls, d.call(n, nth(join(t.path, key), i), words, what))
	}
	return calls
}

func (d *draft) call(n *yaml.Node, path string, words map[string]Word, what string) Call {
	d.mark(path, n)
	call := Call{Line: n.Line}
	var params *yaml.Node
	switch {
	case n.Kind == yaml.MappingNode && len(n.Content) == 2:
		call.Name, params = n.Content[0].Value, n.Content[1]
	case n.Kind == yaml.ScalarNode:
		call.Name = d.scalar(n, what)
	default:
		d.fault(path, "serve il nome di una %s, o {nome: {parametro: valore}}", what)
		return call
	}
	word, found := words[call.Name]
	if !found {
		known := make([]string, 0, len(words))
		for name := range words {
			known = append(known, name)
		}
		d.fault(path, "%s: «%s»%s", unknown(what), call.Name, maybe(call.Name, known))
		return call
	}
	if word.Params == nil {
		if params != nil {
			d.fault(path, "«%s» non ha parametri", call.Name)
		}
		return call
	}
	call.Params = d.params(params, path, call.Name, reflect.TypeOf(word.Params))
	return call
}

func unknown(what string) string {
	if what == "effetto" {
		return "effetto sconosciuto"
	}
	return what + " sconosciuta"
}

// params decodes into a new value of the struct type that the vocabulary declares.
func (d *draft) params(n *yaml.Node, path, name string, typ reflect.Type) any {
	into := reflect.New(typ).Elem()
	var known []string
	for i := range typ.NumField() {
		key, _ := paramKey(typ.Field(i))
		known = append(known, key)
	}
	t := table{d: d, path: path}
	if n != nil {
		t = d.table(n, path, known...)
		t.node = n
	}
	for i, key := range known {
		given := t.keys[key]
		if given == nil {
			if _, optional := paramKey(typ.Field(i)); !optional {
				d.fault(path, "a «%s» manca il parametro «%s»", name, key)
			}
			continue
		}
		switch field := into.Field(i); {
		case field.Type() == termType:
			field.Set(reflect.ValueOf(d.readTerm(t)))
		case field.Kind() == reflect.String && given.Tag == "!!bool" && paramTag(typ.Field(i)) == "field_value":
			field.SetString(strconv.FormatBool(t.flag(key)))
		case field.Kind() == reflect.String:
			field.SetString(d.scalar(given, key))
		case field.Kind() == reflect.Bool:
			field.SetBool(t.flag(key))
		case field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.String:
			field.Set(reflect.ValueOf(t.ids(key)).Convert(field.Type()))
		default:
			panic("flow: parameter " + name + "." + key + " has a type that workflows cannot write: " + field.Type().String())
		}
	}
	return into.Interface()
}

// termType is that of a parameter that may be a table of terms; its key must be «term».
var termType = reflect.TypeFor[Term]()

// paramTag is what a parameter names, without the types it accepts.
func paramTag(field reflect.StructField) string {
	what, _, _ := strings.Cut(field.Tag.Get("flow"), ",")
	return what
}

// paramKey reads the yaml tag of a parameter: its key and whether it may be absent.
func paramKey(field reflect.StructField) (key string, optional bool) {
	key, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
	if key == "" {
		key = strings.ToLower(field.Name)
	}
	return key, strings.Contains(options, "optional")
}
