package engine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/province-comuni/sua/internal/store"
)

// ErrorKind groups what a use case may return; each edge maps a kind to its status (design.md §9).
type ErrorKind string

// Kinds of error.
const (
	KindNotFound    ErrorKind = "not_found"   // 404: not there, or not yours
	KindForbidden   ErrorKind = "forbidden"   // 403: yours to see, not to do
	KindInvalid     ErrorKind = "invalid"     // 422: the request itself is wrong
	KindRefused     ErrorKind = "refused"     // 409: the law or the state says no
	KindAcknowledge ErrorKind = "acknowledge" // 409: warnings to acknowledge
	KindStale       ErrorKind = "stale"       // 412: somebody was faster
	KindKeyReused   ErrorKind = "key_reused"  // 422: idempotency key with another body
	KindAway        ErrorKind = "away"        // 503: the database does not answer, or stopped answering halfway
	KindFull        ErrorKind = "full"        // 507: a disk has no room left, nothing was recorded
	KindInternal    ErrorKind = "internal"    // 500
)

// ErrNotFound: the case, document or workflow is not there, or not in the actor's sight.
var ErrNotFound = store.ErrNotFound

// Refusal says why something may not happen: a stable code and a sentence for people.
type Refusal struct {
	Code   string            `json:"code"`
	Text   Text              `json:"text"`
	Law    string            `json:"law,omitempty"`
	Params map[string]string `json:"params,omitempty"`
	// Soft refusals are warnings: they can be acknowledged with a reason.
	Soft bool `json:"soft,omitempty"`

	rests  []ground // the secret things that the guard looked at: who does not see them does not get this refusal
	veiled bool     // who asks does not see them
}

// Refused is returned when guards, state or missing documents say no. Every reason is listed.
type Refused struct {
	Event    string
	Refusals []Refusal
}

func (e *Refused) Error() string {
	codes := make([]string, len(e.Refusals))
	for i, r := range e.Refusals {
		codes[i] = r.Code
	}
	return fmt.Sprintf("event %s refused: %s", e.Event, strings.Join(codes, ", "))
}

// NeedsAcknowledgement is returned when an event would fire but for warnings that nobody has acknowledged.
type NeedsAcknowledgement struct {
	Event    string
	Warnings []Refusal
}

func (e *NeedsAcknowledgement) Error() string {
	return fmt.Sprintf("event %s has %d warnings to acknowledge", e.Event, len(e.Warnings))
}

// Problem is one fault of a request. Pointer is a JSON pointer into the request ("/inputs/amount").
type Problem struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Text    Text   `json:"text"`
}

// Invalid is returned when the request itself is wrong. Every fault is listed.
type Invalid struct{ Problems []Problem }

func (e *Invalid) Error() string {
	parts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		parts[i] = p.Pointer + " " + p.Code
	}
	return "invalid request: " + strings.Join(parts, ", ")
}

// Forbidden is returned when the actor sees the case but has no role that may do this.
type Forbidden struct {
	Action string
	Roles  []string // who may
	Text   Text
}

func (e *Forbidden) Error() string { return "forbidden: " + e.Action }

// Stale is returned when the case has changed since the person looked. Changes says what happened meanwhile.
type Stale struct {
	Expected, Current int64
	Changes           []HistoryItem
}

func (e *Stale) Error() string {
	return fmt.Sprintf("stale revision: expected %d, current %d", e.Expected, e.Current)
}

// Kind tells which kind of error a use case returned.
func Kind(err error) ErrorKind {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return KindNotFound
	case errors.Is(err, store.ErrKeyReused):
		return KindKeyReused
	case errors.Is(err, store.ErrBadCursor), as[*Invalid](err):
		return KindInvalid
	case as[*Forbidden](err):
		return KindForbidden
	case as[*Refused](err):
		return KindRefused
	case as[*NeedsAcknowledgement](err):
		return KindAcknowledge
	case as[*Stale](err):
		return KindStale
	case store.Full(err):
		return KindFull
	case store.Away(err):
		return KindAway
	}
	return KindInternal
}

func as[E error](err error) bool {
	var target E
	return errors.As(err, &target)
}
