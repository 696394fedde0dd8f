package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Values are typed scalars by field or column id: string, bool or int64 (money is euro cents; percent is decimal text).
type Values map[string]any

// Clone copies the map; the scalars in it are immutable.
func (v Values) Clone() Values {
	out := make(Values, len(v))
	for k, x := range v {
		out[k] = x
	}
	return out
}

// Case is anything that has a state. See migrations for the meaning of each column.
type Case struct {
	ID, Workflow      string
	Version           int
	Hash              string
	State, Stage      string
	Previous, Outcome string
	Visited           string // states it has been in, each between spaces
	Revision          int64
	Parent, Root      string // Parent is empty on a root
	Child             string
	Ordinal           int
	MemberBody, SUA   string
	Officer, RUP      string
	Title, Search     string
	CIG, CUP          string
	Amount            *int64 // euro cents
	Data              Values
	RulesDate         string     // YYYY-MM-DD once frozen
	NextDue           *time.Time // see migrations
	OpenedAt          time.Time
	UpdatedAt         time.Time
	EndedAt           *time.Time
	Source, SourceKey string
	ChainSeq          int64 // on a root: the head of the tree's chain
	ChainHash         []byte
	ChainAt           *time.Time
}

// Row is one row of a register of a case.
type Row struct {
	CaseID, Register string
	Row              int
	Data             Values
	ChangedSeq       int64
	MemberBody, SUA  string // filled by WalkTrees alone: elsewhere the case says them
}

// Deadline is a term of a case. Statuses are the constants below.
type Deadline struct {
	ID, CaseID, Root     string
	MemberBody, SUA      string
	Name, Status         string
	StartedAt            time.Time
	StartedSeq           int64
	DueAt                time.Time
	LastDay              string
	LimitKey             string
	ExplainIT, ExplainEN string
	Revision             int64
	NextTry              time.Time
	BlockedBy            []byte // JSON of the refusal while blocked; of a term cancelled while suspended, since when it was
	EndedAt              *time.Time
}

// Statuses of a deadline.
const (
	Running   = "running"
	Met       = "met"
	Expired   = "expired"
	Cancelled = "cancelled"
	Suspended = "suspended"
	Blocked   = "blocked"
)

// Document is the record of an uploaded file; its bytes are in package blob under SHA256.
type Document struct {
	ID, CaseID, Root string
	MemberBody, SUA  string
	Type, Name       string
	Media            string
	Size             int64
	SHA256           string
	UploadedBy       string
	At               time.Time
	Seq              int64
}

// Event is one link of a tree's chain as stored. Parts are empty when there are none or they were erased.
type Event struct {
	Root                       string
	Seq                        int64
	CaseID                     string
	MemberBody, SUA            string
	Event                      string
	At, Effective              time.Time
	Actor                      string
	Header, Hash               []byte
	OpenSalt, OpenBody         []byte
	SecretSalt, SecretBody     []byte
	PersonalSalt, PersonalBody []byte
}

// Fired says when an event of a case last happened, and by whom.
type Fired struct {
	Seq           int64
	At, Effective time.Time
	Actor         string
}

// Agreement binds a member body to its SUA and says who adopts which act.
type Agreement struct {
	ID, MemberBody, SUA string
	ValidFrom, ValidTo  string            // days; empty end = open
	Acts                map[string]string // act -> "member" or "sua"
}

// Link ties two cases of different trees (re-tender, replacement).
type Link struct {
	From, To, Kind  string
	MemberBody, SUA string
	At              time.Time
}

// Message is a row of the outbox.
type Message struct {
	ID              int64
	Topic           string
	CaseID, Root    string
	MemberBody, SUA string
	Payload         []byte
	At              time.Time
}

// IdemKey identifies a request that may be repeated: same actor, path and key must carry the same body.
type IdemKey struct {
	Actor, Path, Key string
	BodyHash         []byte
}

// storable reports whether text can stand in a column. PostgreSQL holds no NUL and only UTF-8: an id or a filter with
// anything else, typed into an address, matches nothing and must not become an error of the database.
func storable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func encodeJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode json column: %w", err)
	}
	return string(b), nil
}

// decodeValues reads a data column. Every number in it is an integer by construction.
func decodeValues(b []byte) (Values, error) {
	if len(b) == 0 {
		return Values{}, nil
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v Values
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("decode data column: %w", err)
	}
	for k, x := range v {
		if n, ok := x.(json.Number); ok {
			i, err := n.Int64()
			if err != nil {
				return nil, fmt.Errorf("decode data column: field %s: %w", k, err)
			}
			v[k] = i
		}
	}
	return v, nil
}
