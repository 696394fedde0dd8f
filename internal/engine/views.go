package engine

import (
	"time"

	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// Ref names something by id and by what people call it.
type Ref struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Labelled is an id with its label in both languages.
type Labelled struct {
	ID    string `json:"id"`
	Label Text   `json:"label"`
}

// Summary is a case in a list.
type Summary struct {
	ID         string
	Root       string
	Parent     string
	Workflow   Labelled
	Version    int
	Hash       string
	State      Labelled
	Stage      Labelled
	Outcome    string // empty while it goes on
	Revision   int64
	Title      string
	CIG, CUP   string
	Amount     *int64 // euro cents
	MemberBody Ref
	SUA        Ref
	Officer    Ref
	RUP        Ref
	Child      string // under which declaration of the parent
	Ordinal    int
	NextDue    *time.Time // first instant after the nearest term of the tree
	OpenedAt   time.Time
	UpdatedAt  time.Time
	EndedAt    *time.Time
	Imported   bool
	Turn       []Labelled // roles that may lead it on from here; filled only inside a CaseView
	About      string     // what tells it from its siblings when it has no title, in Italian; filled only inside a CaseView
}

// Value is a field or input as shown: the canonical value and its text. Hidden values are secret for now.
type Value struct {
	Field  flow.Field
	Value  any
	Text   string // as people read it, in Italian; bodies and people by name
	Hidden bool
}

// StageView is a step of the progress of a case.
type StageView struct {
	Labelled
	Status string // done, current, todo
}

// RegisterView is a register with its visible rows.
type RegisterView struct {
	Register flow.Register
	Hidden   []string // columns that are secret for now
	Rows     []RowView
}

// RowView is one row of a register.
type RowView struct {
	Row    int
	Values map[string]any
}

// ChildrenView lists the cases under one declaration.
type ChildrenView struct {
	Labelled
	Workflow string
	Cases    []Summary
	Below    map[string][]ChildrenView // by case id: what that case has below it, one level deep and without empty groups
}

// LinkView is a link to a case of another tree that the actor may see.
type LinkView struct {
	Kind string
	To   Summary // the other end
	Away bool    // true when the link points from this case to the other
	At   time.Time
}

// CaseView is one case with everything the actor may see, but history and options.
type CaseView struct {
	Summary
	Help      Text // of the state
	Stages    []StageView
	Fields    []Value
	Registers []RegisterView
	Children  []ChildrenView
	Links     []LinkView
	Deadlines []DeadlineView
	Documents []DocumentView
	Parents   []Summary // from the root down to the parent
	RulesDate string
	GoesOn    bool // people may still have something to do: it has not ended, or has duties after its end
}

// DeadlineView is a term as people see it.
type DeadlineView struct {
	ID          string
	Case        string
	Name        string
	Label       Text
	Law         string
	Status      string // running, met, expired, cancelled, suspended, blocked
	StartedAt   time.Time
	StartedSeq  int64     // event that started it
	DueAt       time.Time // first instant at which it is over
	LastDay     string    // last useful day, YYYY-MM-DD
	Explanation Text
	BlockedBy   *Refusal
	AtExpiry    Text // what happens then
	Help        Text
	Alerts      []Labelled // roles told at expiry
	EndedAt     *time.Time // of a suspended one: since when it stands still
	Percent     int        // of the term that has gone by, 0 to 100; a suspended one stands still
	Overdue     bool       // it is over, and what it waits for has not happened
	Acts        []Labelled // roles that may do what it waits for
	Peremptory  bool       // the law lets nobody move it
	ByHand      []string   // what the reader may do to it now: move, suspend, resume
	Forecast    *Forecast  // of a running one whose workflow asks for it
	goal        string     // state that its workflow wants reached before its end
}

// DocumentView is an uploaded file.
type DocumentView struct {
	ID         string
	Case       string
	Type       Labelled
	Name       string
	Media      string
	Size       int64 // bytes
	SHA256     string
	UploadedBy Ref
	At         time.Time
	Current    bool // no later document of the same type
}

// Needed is a document type that an event demands.
type Needed struct {
	Type    flow.DocumentType
	Present bool
}

// Option is an event seen from the state in which the case is now.
type Option struct {
	Event     string
	Label     Text
	Help      Text
	Law       string
	Allowed   bool     // may be fired by this actor, the inputs being right
	Mine      bool     // the actor has a role for it
	Lead      Lead     // where it takes the case
	Guarded   bool     // it has conditions beside its documents
	Stops     []string // names of the terms that it brings to their end
	Apart     bool     // refused because the case goes another of the ways that the law has, which no work on it changes
	Roles     []Labelled
	To        []Labelled // where it may lead
	Inputs    []flow.Input
	Current   map[string]any // present values of the fields and rows that the inputs would change
	Documents []Needed
	Refusals  []Refusal // why not, when not allowed
	Warnings  []Refusal // to acknowledge with a reason
}

// Options are the events of a case for an actor.
type Options struct {
	Case     string
	Revision int64
	State    Labelled
	Events   []Option // the allowed ones first, each group in the order of the workflow
}

// Opening is a way to begin a new case.
type Opening struct {
	Workflow Labelled
	Help     Text
	Event    string
	Label    Text
	Inputs   []flow.Input
	Bodies   []Ref // member bodies for which this actor may open it
	SUAs     []Ref // possible SUAs, when there is a choice
}

// HistoryItem is one event of the story, as the actor may see it.
type HistoryItem struct {
	Seq        int64
	Case       string
	CaseLabel  Text // e.g. Lotto 2
	Event      string
	Label      Text
	From, To   Labelled
	At         time.Time
	Effective  time.Time
	Actor      Ref
	Role       Labelled
	Cause      int64
	Law        string
	Inputs     []Told
	Changes    []Told
	Documents  []Attached
	Warnings   []Acknowledged
	Deadlines  []DeadlineChange
	Hidden     bool // something of it is secret for now
	Hash       string
	Definition string

	hiddenOpen, hiddenPersonal bool // an input in this part of the event is secret for now: the part may not go out as it is
}

// Told is a value given or changed, with its label.
type Told struct {
	Label Text
	Text  string // as people read it, in Italian
	Value any
}

// Attached is a document named by an event.
type Attached struct {
	Type   Labelled
	SHA256 string
}

// Acknowledged is a warning that a person accepted, and why.
type Acknowledged struct {
	Code   string `json:"code"`
	Text   Text   `json:"text"`
	Reason string `json:"reason"`
}

// DeadlineChange says what an event did to a term.
type DeadlineChange struct {
	Name    string    `json:"name"`
	Status  string    `json:"status"`
	LastDay string    `json:"last_day,omitempty"`
	Started int64     `json:"started,omitempty"` // event that started it: of several terms of one name, which
	Due     time.Time `json:"due,omitzero"`      // first instant at which it is over
	Label   Text      `json:"-"`
}

// changeOf tells of a term what an event left.
func changeOf(d *store.Deadline) DeadlineChange {
	return DeadlineChange{Name: d.Name, Status: d.Status, LastDay: d.LastDay, Started: d.StartedSeq, Due: d.DueAt}
}

// History is the story of a tree with the result of checking its chain.
type History struct {
	Root     string
	Items    []HistoryItem
	Verified bool
	Broken   string // where the chain does not hold, when not verified
	Next     int64  // seq to ask after for the next page, 0 at the end
}

// WorkflowView describes a definition.
type WorkflowView struct {
	Labelled
	Version  int
	Hash     string
	Help     Text
	Law      string
	Latest   bool
	States   []flow.State
	Stages   []flow.Stage
	Openable bool
}
