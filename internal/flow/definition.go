package flow

// Text is what people read, in Italian and in English. Italian comes first everywhere.
type Text struct {
	IT string `json:"it"`
	EN string `json:"en"`
}

// In returns the text in the language asked ("en"), Italian otherwise or when English is missing.
func (t Text) In(lang string) string {
	if lang == "en" && t.EN != "" {
		return t.EN
	}
	return t.IT
}

// Definition is one kind of case, checked: every name it uses exists, every state is reached and can end.
// It is immutable after Compile and safe for concurrent use.
type Definition struct {
	Workflow  string // id, snake_case, e.g. open_procedure
	Version   int    // raised at each released change
	Case      string // any id: procurement, lot, contract … Go knows none of them
	Label     Text
	Help      Text // one plain sentence for who opens such a case; may be empty
	Law       string
	Start     string // state of a case opened without another destination
	Stages    []Stage
	Fields    []Field
	Documents []DocumentType
	Registers []Register
	Children  []Child
	States    []State
	Deadlines []Deadline
	Events    []Event
	Joins     []Join

	// Hash is the SHA-256 (hex) of Source.
	Hash string
	// Source is the merged definition as canonical JSON (order of keys kept, no comments): the exact bytes
	// the database pins, and Compile reads them back to the same Definition.
	Source []byte

	index index
}

// index answers by id what the slices keep in the order of the file.
type index struct {
	stages, fields, documents, registers, children, states, deadlines, events map[string]int
}

// Stage groups states for people: a column of the progress bar.
type Stage struct {
	ID    string
	Label Text
}

// Type is the kind of a value: text bool int money percent date instant choice cig cup cui cpv nuts body person.
type Type string

// The closed list of types. Money is an integer of euro cents; percent an exact decimal written as text ("12.35");
// date "2006-01-02" in Italy; instant RFC 3339 in UTC; body and person are ids of ours.
const (
	TypeText    Type = "text"
	TypeBool    Type = "bool"
	TypeInt     Type = "int"
	TypeMoney   Type = "money"
	TypePercent Type = "percent"
	TypeDate    Type = "date"
	TypeInstant Type = "instant"
	TypeChoice  Type = "choice"
	TypeCIG     Type = "cig"
	TypeCUP     Type = "cup"
	TypeCUI     Type = "cui"
	TypeCPV     Type = "cpv"
	TypeNUTS    Type = "nuts"
	TypeBody    Type = "body"
	TypePerson  Type = "person"
)

// Choice is one value of a field, column or input of type choice.
type Choice struct {
	ID    string
	Label Text
}

// Field is a scalar of the case, validated on every write.
type Field struct {
	ID     string
	Type   Type
	Of     []Choice // for TypeChoice
	Label  Text
	Help   Text
	Law    string
	Secret *Secret
}

// Secret hides something until the case has been in one of the states named, except to some roles.
type Secret struct {
	// Until maps a column of a register to the states that open it. The key "" stands for the whole
	// field, document type or event (written in YAML as a plain list).
	Until map[string][]string
	See   []string // roles that may see before
}

// DocumentType is a kind of document that events may demand and people upload.
type DocumentType struct {
	ID     string
	Label  Text
	Help   Text
	Law    string
	By     []string // roles that usually provide it; empty: whoever may fire the event
	Secret *Secret
}

// Register is a table of rows that repeat (bids, clarifications, members); rows are added or changed only by events.
type Register struct {
	ID      string
	Label   Text
	Columns []Column
	Secret  *Secret
}

// Column is one typed value of a row. A label may be missing in the YAML short form: then it is the shared
// catalogue's, or the id made readable.
type Column struct {
	ID    string
	Type  Type
	Of    []Choice
	Label Text
}

// Child declares cases that live below this one.
type Child struct {
	ID       string
	Workflow string
	Label    Text
	Outlives bool // may stay open when the parent ends
}

// State is where a case may stand.
type State struct {
	ID    string
	Stage string
	Final string // outcome when the case ends here ("completed", "revoked" …), empty while it goes on
	Label Text
	Help  Text
	Law   string
}

// Deadline is a term that runs while the case stands in certain states.
type Deadline struct {
	ID      string
	Label   Text
	Help    Text
	Law     string
	Term    Term     // zero when Until is used
	Until   FieldRef // field of type instant or date that says when it is over
	Counted string   // rule of package calendar
	// From is which of the two times of the starting event counts: "effective" (default) or "at". FromField, when given,
	// names the date or instant from which the term is counted instead.
	From      string
	FromField FieldRef
	While     []string
	// Fire is the event at expiry; empty when expiry only alerts. Alert names the roles told.
	Fire      string
	Alert     []string
	Remind    []string // "3d" before, or "50%" of the term
	BlockedBy []Call   // guards that must hold before Fire; a refusal blocks and is shown
	// Outage says that a proven outage of the platform extends it; Peremptory that the law lets nobody move it: who does so by hand is
	// warned. Forecast is the state to be reached before it is over, which the program foretells; empty: nothing is foretold.
	Outage, Peremptory bool
	Forecast           string
}

// FieldRef names a field of the case, or of its parent; zero: none.
type FieldRef struct {
	Field       string
	ParentField string
}

// Zero reports whether no field is named.
func (r FieldRef) Zero() bool { return r == FieldRef{} }

// Term says how long: a number of the law under one key, or a total table over a choice field of the case or of its
// parent; or the days that an int field of the case holds; or a share of them that the law fixes.
type Term struct {
	Key         string
	Field       string
	ParentField string
	ByChoice    map[string]string // choice id -> limit key
	Days        string            // int field: so many days
	Share       string            // limit key of kind ratio or percent …
	Of          string            // … of the days in this int field, rounded down
}

// Zero reports whether no term is given.
func (t Term) Zero() bool {
	return t.Key == "" && len(t.ByChoice) == 0 && t.Days == "" && t.Share == ""
}

// Keys returns every limit key that gives the length of the term, sorted; the key of a share is none of them.
func (t Term) Keys() []string {
	if t.Key != "" {
		return []string{t.Key}
	}
	return sortedValues(t.ByChoice)
}

// keysRead are the limit keys that the term rests on, that of a share included.
func (t Term) keysRead() []string {
	if t.Share != "" {
		return []string{t.Share}
	}
	return t.Keys()
}

// By says who may fire an event: a role, or the owner of an act as the agreement assigns it.
type By struct {
	Role    string // role id, or "system", "parent"
	OwnerOf string // decision, indiction, award_proposal, award
}

// Event is something that may happen to a case. `from` and `to` of the YAML are folded into Moves.
type Event struct {
	ID        string
	Label     Text
	Help      Text
	Law       string
	By        []By
	Opens     bool // may also begin a case (then it has a move without From)
	Rectify   bool // the implied event that mends a mistake; see Compile
	Moves     []Move
	Inputs    []Input
	Documents []string // types that must be there
	Guards    []Call   // all must hold, or the event is refused
	Warns     []Call   // ought to hold; a person acknowledges with a reason
	Then      []Action
	Secret    *Secret

	// Needs is what must be loaded to decide this event, cascades included. Computed by Compile.
	Needs Needs
}

// Move is one way on: the first whose From holds the state and whose If all hold is taken.
type Move struct {
	From  []string // states, stages already resolved; empty only for the opening move
	If    []Call
	To    Target
	Opens bool // the move that begins a case
}

// Target is where a move leads.
type Target struct {
	State    string   // a fixed state
	Same     bool     // stays
	Previous bool     // back to the state before the current one
	Input    string   // the person chooses with this input …
	Among    []string // … among these states
}

// InputKind tells the four shapes of an input.
type InputKind string

// A value is only recorded; a field input also sets the field; row adds one row to a register; rows changes existing ones.
const (
	InputValue InputKind = "value"
	InputField InputKind = "field"
	InputRow   InputKind = "row"
	InputRows  InputKind = "rows"
)

// Input is something the event asks for. "effective" (date or instant) sets when the event took effect.
type Input struct {
	ID       string
	Kind     InputKind
	Type     Type
	Of       []Choice // for TypeChoice; for the choice of a Target: the states with their labels
	Field    string   // InputField: which field
	Register string   // InputRow, InputRows
	Columns  []Column // InputRow, InputRows: the columns asked
	Label    Text
	Help     Text
	Optional bool
	Personal bool // goes to the personal part of the audit event (type person always does)
	State    bool // the choice of a Target: its value is a state id
}

// Call is a guard or effect by name with its parameters, decoded into the struct that the vocabulary declares.
type Call struct {
	Name   string
	Params any // nil, or a value of the type of Word.Params
	Line   int `json:"-"`
}

// Verbs of `then`.
const (
	VerbSet        = "set"         // Field, From or Value
	VerbClear      = "clear"       // Field
	VerbFix        = "fix"         // rules_date
	VerbAssign     = "assign"      // Role, From
	VerbStart      = "start"       // Deadline
	VerbRestart    = "restart"     // Deadline
	VerbStop       = "stop"        // Deadline
	VerbSuspend    = "suspend"     // Deadline
	VerbResume     = "resume"      // Deadline
	VerbExtend     = "extend"      // Deadline, Term or Days
	VerbOpen       = "open"        // Children, ForEach, Copy, Set
	VerbOpenLinked = "open_linked" // Workflow, Link, Copy
	VerbTell       = "tell"        // Children, Event, Copy
	VerbNotify     = "notify"      // Template, To
	VerbRun        = "run"         // Effect
)

// Action is one line of `then`; which members are set depends on Verb.
type Action struct {
	Verb     string
	If       []Call    // any verb but stop: the line is left out unless all hold, once the lines before it are done
	Field    string    // set, clear
	From     string    // set, assign: an input id; set: also "effective", the time at which the event took effect
	Value    any       // set: the id of a choice (string), or true or false
	Role     string    // assign: officer | rup | a role of the case
	Deadline string    // start … extend
	Term     string    // extend: a limit key
	Days     string    // extend: an input of kind value or field, or a field: so many days
	Children string    // open, tell: id of a Child
	ForEach  string    // open: an input of kind row or rows
	Copy     []Copied  // open, open_linked, tell: values given to the other case
	Set      []Literal // open: fixed values given to the new case
	Event    string    // tell
	Workflow string    // open_linked
	Link     string    // open_linked: re_tender_of, replaces, call_off_of …
	Template string    // notify
	To       []string  // notify: roles, or "followers"
	Effect   Call      // run
}

// FromEffective stands in Action.From for the time at which the event took effect.
const FromEffective = "effective"

// Copied gives the other case's field To the value of From: a column of the row, an input, a field of this case, of its
// parent or of its root, looked up in that order.
type Copied struct {
	From, To string
}

// Literal gives a field of a new case a value that the workflow fixes: the id of a choice (string), or true or false.
type Literal struct {
	Field string
	Value any
}

// Join moves this case when its children have moved: the only way up.
type Join struct {
	Children string
	All      bool     // every child (and at least one), else any
	Final    bool     // … in a final state
	States   []string // … or in one of these states of the child's workflow
	Fire     string
}

// Need is a set of things a guard or effect reads.
type Need uint16

// What may be needed besides the case itself and the root.
const (
	NeedParent Need = 1 << iota
	NeedChildren
	NeedRows
	NeedDocuments
	NeedAgreement
	NeedPast
	NeedDeadlines
	NeedAbove // the other children of the parent and of the root
)

// Needs is what deciding an event reads: What, for the case alone or, when Tree is set, for every case of its tree.
type Needs struct {
	What Need
	Tree bool
}

// Has reports whether every bit of n is in the set.
func (n Needs) Has(what Need) bool { return n.What&what == what }
