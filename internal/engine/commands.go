package engine

import (
	"io"
	"time"

	"github.com/province-comuni/sua/internal/flow"
)

// Fire asks that an event happen to a case.
type Fire struct {
	Case  string
	Event string
	// Revision is the one the person saw; a different one is Stale. 0 asks for no check (deadlines, scenarios).
	Revision int64
	// Inputs by id, as JSON values or already canonical (see flow.Parse): money in euro cents, dates "2006-01-02",
	// instants RFC 3339. A row is a map by column; rows is a list of such maps with the key "row".
	Inputs map[string]any
	// Acknowledge answers the warnings, each with a reason.
	Acknowledge []Acknowledgement
	// Key makes the request repeatable: the same key, actor and content gives the first answer again. May be empty.
	Key string
}

// Open asks for a new case that is nobody's child: the tree begins with it.
type Open struct {
	Workflow string
	Event    string // one of the workflow's opening events; empty when there is only one
	// MemberBody and SUA are the owners. When MemberBody is empty it is the actor's only body on that side; when SUA is empty it
	// is the one of the member body's agreement.
	MemberBody, SUA string
	Inputs          map[string]any
	Acknowledge     []Acknowledgement
	Key             string
}

// Attach asks to add a document to a case.
type Attach struct {
	Case  string
	Type  string // a document type of the workflow
	Name  string // file name as the person knows it
	Bytes io.Reader
	Key   string
}

// Acknowledgement is a person's answer to a warning.
type Acknowledgement struct {
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// Moved is the answer to Open and Fire.
type Moved struct {
	Case      string    `json:"case"`
	Event     string    `json:"event"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Revision  int64     `json:"revision"`
	Seq       int64     `json:"seq"` // of the event in the tree's history
	At        time.Time `json:"at"`
	Effective time.Time `json:"effective"`
	Opened    []string  `json:"opened,omitempty"` // cases that began with it
}

// Filter selects and orders a list of cases. Zero values do not filter.
type Filter struct {
	Workflow, State, Stage string
	Body                   string
	Officer                string
	Text                   string // words, or beginnings of words, that must all occur in title, CIG, CUP or body
	DueBefore              time.Time
	Open                   *bool
	Children               bool   // also cases below a parent
	Sort                   string // updated, opened, due, title, amount
	Desc                   bool
	After                  string // cursor
	Limit                  int    // 1 … MaxPage; 0 is 50
}

// MaxPage is the largest page of a list.
const MaxPage = 200

// Page is one page of a list; Next is the cursor of the following one, empty at the end.
type Page[T any] struct {
	Items []T
	Next  string
}

// Text is what people read.
type Text = flow.Text
