package flow

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var topKeys = []string{"workflow", "version", "case", "label", "help", "law", "start", "stages", "fields", "documents",
	"registers", "children", "states", "deadlines", "events", "joins", "rectify"}

// Types is the closed list of value types, in the order of the documentation.
var knownTypes = []string{"text", "bool", "int", "money", "percent", "date", "instant", "choice",
	"cig", "cup", "cui", "cpv", "nuts", "body", "person"}

// readDefinition reads every section; later ones may look at earlier ones, whatever their order in the file.
func (d *draft) readDefinition(root *yaml.Node) {
	d.mark("", root)
	t := d.table(root, "", topKeys...)
	d.Workflow, d.Case, d.Start = t.id("workflow"), t.id("case"), t.id("start")
	d.Version = d.readVersion(t)
	d.Label, d.Help, d.Law = t.label(), t.optional("help"), t.text("law")
	d.readStages(t)
	d.readFields(t)
	d.readDocuments(t)
	d.readRegisters(t)
	d.readChildren(t)
	d.readStates(t)
	d.readSecrets(t)
	d.readDeadlines(t)
	d.readEvents(t)
	d.addImplied(t)
	d.borrowDocuments()
	d.readJoins(t)
	d.reindex()
}

func (d *draft) readVersion(t table) int {
	n := t.keys["version"]
	if n == nil {
		d.fault("", "manca «version»")
		return 0
	}
	version, err := strconv.Atoi(n.Value)
	if n.Tag != "!!int" || err != nil || version < 1 {
		d.c.reportNode(n, "«version» deve essere un intero da 1 in su")
	}
	return version
}

func (d *draft) readStages(t table) {
	for _, e := range d.named(t, "stages") {
		s := d.table(e.val, e.path, "label")
		d.Stages = append(d.Stages, Stage{ID: e.id, Label: s.label()})
	}
	d.index.stages = indexBy(d.Stages, func(s Stage) string { return s.ID })
}

func (d *draft) readFields(t table) {
	for _, e := range d.named(t, "fields") {
		f := d.table(e.val, e.path, "type", "of", "label", "help", "law", "secret")
		field := Field{ID: e.id, Label: f.label(), Help: f.optional("help"), Law: f.text("law")}
		field.Type, field.Of = d.typed(f, true)
		d.Fields = append(d.Fields, field)
	}
	d.index.fields = indexBy(d.Fields, func(f Field) string { return f.ID })
}

// typed reads `type` and, for a choice, `of`; labels says whether each choice must carry one.
func (d *draft) typed(t table, labels bool) (Type, []Choice) {
	n := t.keys["type"]
	if n == nil {
		d.fault(t.path, "manca «type»%s", of(t.path))
		return "", nil
	}
	typ := d.typeOf(n)
	choices := t.keys["of"]
	switch {
	case typ == TypeChoice && choices == nil:
		d.fault(t.path, "una scelta deve dire i suoi valori in «of»%s", of(t.path))
	case typ == TypeChoice:
		return typ, d.choices(choices, join(t.path, "of"), labels)
	case choices != nil && typ != "":
		d.fault(join(t.path, "of"), "«of» vale solo per il tipo choice")
	}
	return typ, nil
}

func (d *draft) typeOf(n *yaml.Node) Type {
	name := d.scalar(n, "type")
	if name != "" && !slices.Contains(knownTypes, name) {
		d.c.reportNode(n, "tipo sconosciuto: «%s»%s", name, maybe(name, knownTypes))
		return ""
	}
	return Type(name)
}

// choices reads `of`: a table id: {it, en}, or a plain list where labels are not demanded.
func (d *draft) choices(n *yaml.Node, path string, labels bool) []Choice {
	var choices []Choice
	if n.Kind == yaml.SequenceNode {
		for i, item := range n.Content {
			d.mark(nth(path, i), item)
			id := d.scalar(item, "of")
			d.checkID(item, id)
			if labels {
				d.c.reportNode(item, "manca «label: {it, en}» del valore «%s»", id)
			}
			if slices.ContainsFunc(choices, func(c Choice) bool { return c.ID == id }) {
				d.c.reportNode(item, "valore ripetuto: «%s»", id)
			}
			choices = append(choices, Choice{ID: id, Label: d.c.catalogue.column(id)})
		}
	} else {
		for _, e := range d.pairs(n, path) {
			d.mark(e.path, e.key)
			d.checkID(e.key, e.id)
			choices = append(choices, Choice{ID: e.id, Label: d.bilingual(e.val, e.path)})
		}
	}
	if len(choices) == 0 {
		d.c.reportNode(n, "una scelta deve avere almeno un valore")
	}
	return choices
}

func (d *draft) readDocuments(t table) {
	for _, e := range d.named(t, "documents") {
		doc := d.table(e.val, e.path, "label", "help", "law", "by", "secret")
		shared := d.c.catalogue.Documents[e.id]
		document := DocumentType{ID: e.id, Label: shared.Label, Help: shared.Help, Law: shared.Law, By: doc.roles("by")}
		if doc.keys["label"] != nil || shared.Label == (Text{}) {
			document.Label = doc.label()
		}
		if help := doc.optional("help"); help != (Text{}) {
			document.Help = help
		}
		if reference := doc.text("law"); reference != "" {
			document.Law = reference
		}
		d.Documents = append(d.Documents, document)
	}
	d.index.documents = indexBy(d.Documents, func(doc DocumentType) string { return doc.ID })
}

func (d *draft) readRegisters(t table) {
	for _, e := range d.named(t, "registers") {
		r := d.table(e.val, e.path, "label", "columns", "secret")
		register := Register{ID: e.id, Label: r.label()}
		for _, c := range d.named(r, "columns") {
			register.Columns = append(register.Columns, d.readColumn(c))
		}
		if len(register.Columns) == 0 {
			d.fault(e.path, "il registro «%s» non ha colonne", e.id)
		}
		d.Registers = append(d.Registers, register)
	}
	d.index.registers = indexBy(d.Registers, func(r Register) string { return r.ID })
}

// readColumn reads `received: instant`, `admission: {choice: [a, b]}` or the long form with type, of and label.
func (d *draft) readColumn(e entry) Column {
	column := Column{ID: e.id, Label: d.c.catalogue.column(e.id)}
	if e.val.Kind == yaml.ScalarNode {
		column.Type = d.typeOf(e.val)
		if column.Type == TypeChoice {
			d.fault(e.path, "una scelta deve dire i suoi valori: {choice: [a, b]}")
		}
		return column
	}
	t := d.table(e.val, e.path, "choice", "type", "of", "label")
	if label := t.keys["label"]; label != nil {
		column.Label = t.label()
	}
	if short := t.keys["choice"]; short != nil {
		if t.keys["type"] != nil || t.keys["of"] != nil {
			d.fault(e.path, "«choice» sta al posto di «type» e «of»")
		}
		column.Type, column.Of = TypeChoice, d.choices(short, join(e.path, "choice"), false)
		return column
	}
	column.Type, column.Of = d.typed(t, false)
	return column
}

func (d *draft) readChildren(t table) {
	for _, e := range d.named(t, "children") {
		c := d.table(e.val, e.path, "workflow", "label", "outlives")
		d.Children = append(d.Children, Child{ID: e.id, Workflow: c.id("workflow"), Label: c.label(), Outlives: c.flag("outlives")})
	}
	d.index.children = indexBy(d.Children, func(c Child) string { return c.ID })
}

func (d *draft) readStates(t table) {
	for _, e := range d.named(t, "states") {
		s := d.table(e.val, e.path, "stage", "final", "label", "help", "law")
		state := State{ID: e.id, Stage: s.id("stage"), Final: s.optionalID("final"), Label: s.label(), Help: s.optional("help"), Law: s.text("law")}
		if e.id == "same" || e.id == "previous" {
			d.fault(e.path, "«%s» è una parola riservata delle destinazioni", e.id)
		}
		if _, found := d.index.stages[state.Stage]; !found && state.Stage != "" {
			d.fault(join(e.path, "stage"), "fase sconosciuta: «%s»%s", state.Stage, maybe(state.Stage, keys(d.index.stages)))
		}
		d.States = append(d.States, state)
	}
	d.index.states = indexBy(d.States, func(s State) string { return s.ID })
	if len(d.States) == 0 {
		d.fault("", "il workflow non ha stati")
		return
	}
	d.checkState("start", d.Start)
}

// checkState reports a state that the workflow lacks.
func (d *draft) checkState(path, state string) {
	if _, found := d.index.states[state]; !found && state != "" {
		d.fault(path, "stato sconosciuto: «%s»%s", state, maybe(state, keys(d.index.states)))
	}
}

// states reads a list of states; {stage: x} stands for the states of x that are not final.
func (d *draft) states(t table, key string) []string {
	var states []string
	add := func(path, state string) {
		if slices.Contains(states, state) {
			d.fault(path, "stato ripetuto: «%s»", state)
			return
		}
		states = append(states, state)
	}
	for i, n := range t.items(key) {
		path := nth(join(t.path, key), i)
		if n.Kind != yaml.MappingNode {
			if state := d.scalar(n, key); state != "" {
				d.checkState(path, state)
				add(path, state)
			}
			continue
		}
		stage := d.table(n, path, "stage").id("stage")
		if _, found := d.index.stages[stage]; !found && stage != "" {
			d.fault(path, "fase sconosciuta: «%s»%s", stage, maybe(stage, keys(d.index.stages)))
		}
		for _, s := range d.States {
			if s.Stage == stage && s.Final == "" {
				add(path, s.ID)
			}
		}
	}
	return states
}

// readSecrets reads `secret` of fields, documents and registers, which names states and so comes after them.
func (d *draft) readSecrets(t table) {
	for _, e := range d.quietly(t, "fields") {
		d.Fields[d.index.fields[e.id]].Secret = d.secret(e, nil)
	}
	for _, e := range d.quietly(t, "documents") {
		d.Documents[d.index.documents[e.id]].Secret = d.secret(e, nil)
	}
	for _, e := range d.quietly(t, "registers") {
		register := &d.Registers[d.index.registers[e.id]]
		register.Secret = d.secret(e, register)
	}
}

// quietly reads again a section whose faults are already reported: only the first of repeated keys.
func (d *draft) quietly(t table, section string) []entry {
	n := t.keys[section]
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	var entries []entry
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; indexOf(n, key.Value) == i {
			entries = append(entries, entry{key.Value, join(section, key.Value), key, n.Content[i+1]})
		}
	}
	return entries
}

// secret reads {until: {column: [states]} | [states], see: [roles]}; columns only for a register.
func (d *draft) secret(e entry, register *Register) *Secret {
	if e.val.Kind != yaml.MappingNode {
		return nil
	}
	n := value(e.val, "secret")
	if n == nil || n.Tag == "!!null" {
		return nil
	}
	t := d.table(n, join(e.path, "secret"), "until", "see")
	secret := &Secret{Until: map[string][]string{}, See: t.roles("see")}
	until := t.keys["until"]
	switch {
	case until == nil:
		d.fault(t.path, "manca «until»: gli stati che aprono il segreto")
	case until.Kind == yaml.SequenceNode:
		secret.Until[""] = d.states(t, "until")
	case register == nil:
		d.fault(join(t.path, "until"), "«until» deve essere un elenco di stati (le colonne sono solo dei registri)")
	default:
		var columns []string
		for _, c := range register.Columns {
			columns = append(columns, c.ID)
		}
		byColumn := table{d: d, path: join(t.path, "until"), node: until, keys: map[string]*yaml.Node{}}
		for _, c := range d.pairs(until, byColumn.path) {
			d.mark(c.path, c.key)
			byColumn.keys[c.id] = c.val
			if !slices.Contains(columns, c.id) {
				d.fault(c.path, "colonna sconosciuta: «%s» nel registro «%s»%s", c.id, register.ID, maybe(c.id, columns))
			}
			secret.Until[c.id] = d.states(byColumn, c.id)
		}
	}
	return secret
}

// readable makes a label of an id that has none: "rup_appointment" gives "Rup appointment".
func readable(id string) Text {
	words := strings.ReplaceAll(id, "_", " ")
	if words != "" {
		words = strings.ToUpper(words[:1]) + words[1:]
	}
	return Text{IT: words, EN: words}
}

func keys(index map[string]int) []string {
	list := make([]string, 0, len(index))
	for id := range index {
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}
