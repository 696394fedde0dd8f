package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/province-comuni/sua/internal/audit"
)

// ErrUnusual is returned by SkimTrees for rows that only WalkTrees can read: a separator inside a text, a time spelled otherwise.
var ErrUnusual = errors.New("not as the program writes it")

// SkimEvent is an event as its row holds it. Its bytes live until the next one.
type SkimEvent struct {
	Root, CaseID, Event, Actor, MemberBody, SUA []byte
	Seq                                         int64
	At, Effective                               int64 // microseconds since 1970, UTC
	audit.Sealed
}

// SkimCase is what an audit compares of a case.
type SkimCase struct {
	ID, Root, Hash, Workflow, State, Stage, Previous, Visited, Outcome, Parent, Child, MemberBody, SUA, Officer, RUP string
	Title, CIG, CUP, Amount, RulesDate, Source, SourceKey                                                            string // Amount: euro cents in digits, or empty
	Data                                                                                                             string // JSON
	Revision, Ordinal, ChainSeq, Version                                                                             int64
	OpenedAt                                                                                                         int64 // microseconds since 1970, UTC
	ChainHash                                                                                                        []byte
}

// Skim is told what stands under the roots of a range, in the order of Walk.
type Skim struct {
	Case     func(SkimCase)
	Row      func(Row)
	Document func(Document)
	Deadline func(Deadline)
	Event    func(*SkimEvent)
}

// Columns of SkimTrees in the order of the fields that skimCase and skimFrame fill.
const (
	skimTexts = "id, root, hash, workflow, state, stage, previous, visited, outcome, coalesce(parent, ''), child, member_body, sua, officer, rup, " +
		"title, cig, cup, %s, rules_date, source, source_key, %s, revision, ordinal, chain_seq, version, opened_at, %s"
	skimEvents = "root, case_id, event, actor, member_body, sua, seq, at, effective, header, hash, open_salt, open_body, secret_salt, secret_body, personal_salt, personal_body"

	skimCaseColumns = 29
	skimEventTexts  = 9 // of them the first that are no bytes
	skimEventBytes  = 8
)

// separator stands between texts. One that holds it is unusual.
const separator = 0x1f

// SQLite's driver takes its time for each column: there the texts of a row come as a single one.
var (
	skimCasesLite  = "SELECT CAST(concat_ws(char(31), " + fmt.Sprintf(skimTexts, "coalesce(amount, '')", "data", "hex(chain_hash)") + ") AS BLOB) FROM cases WHERE %s ORDER BY root, id"
	skimEventsLite = "SELECT CAST(concat_ws(char(31), root, case_id, event, actor, member_body, sua, seq, at, effective, hash) AS BLOB), " +
		"header, open_salt, open_body, secret_salt, secret_body, personal_salt, personal_body FROM events WHERE %s ORDER BY root, seq"
	skimCasesPG = "SELECT " + fmt.Sprintf(skimTexts, "coalesce(amount::text, '')", "data::text", "upper(encode(chain_hash, 'hex'))") + " FROM cases WHERE %s ORDER BY root, id"
	skimEventPG = "SELECT " + skimEvents + " FROM events WHERE %s ORDER BY root, seq"
)

// SkimTrees reads a range as WalkTrees does, in a fifth of the time, for a reader that only wants to know whether all is well: it
// gives bytes instead of values, and ErrUnusual for what it cannot tell.
func (db *DB) SkimTrees(ctx context.Context, r Range, w Skim) error {
	where, args := r.where("root")
	lite := db.pool == nil
	cases, events := skimCasesPG, skimEventPG
	if lite {
		cases, events = skimCasesLite, skimEventsLite
	}
	var frame []byte
	var raw sql.RawBytes
	whole := []any{&raw}
	var e SkimEvent
	row := eventPG(&e)
	if lite {
		row = eventLite(&e)
	}
	qs := []query{{sql: fmt.Sprintf(cases, where), args: args, scan: func(rs rows) error {
		var err error
		if lite {
			err = rs.Scan(whole...)
			frame = raw
		} else {
			frame, err = joined(frame[:0], rs.(pgx.Rows))
		}
		if err != nil {
			return err
		}
		c, ok := skimCase(string(frame), lite)
		if !ok {
			return ErrUnusual
		}
		w.Case(c)
		return nil
	}}, walkRows(where, w.Row), readDocuments(where, nil, w.Document), readDeadlines(where, nil, w.Deadline),
		{sql: fmt.Sprintf(events, where), args: args, scan: func(rs rows) error {
			err := row(rs)
			if err == nil {
				w.Event(&e)
			}
			return err
		}}}
	for i := range qs {
		qs[i].args = args
	}
	if !lite { // a plan made without knowing the range expects few rows, which it would gather and sort: here they are thousands of long ones
		qs = append([]query{{sql: "SET LOCAL enable_bitmapscan = off"}}, qs...)
	}
	if err := db.read(ctx, Everything, qs...); err != nil {
		return fmt.Errorf("audit: skim trees: %w", err)
	}
	return nil
}

// eventLite reads an event of SQLite: the texts and the hash in one column, the other bytes in theirs.
func eventLite(e *SkimEvent) func(rows) error {
	var raw [skimEventBytes]sql.RawBytes
	var to [len(raw)]any
	for i := range raw {
		to[i] = &raw[i]
	}
	var texts [skimEventTexts][]byte
	var parts [skimEventBytes][]byte
	return func(rs rows) error {
		if err := rs.Scan(to[:]...); err != nil {
			return err
		}
		rest := []byte(raw[0])
		for i := range texts {
			end := bytes.IndexByte(rest, separator)
			if end < 0 {
				return ErrUnusual
			}
			texts[i], rest = rest[:end], rest[end+1:]
		}
		parts[0], parts[1] = raw[1], rest
		for i := range raw[2:] {
			parts[2+i] = raw[2+i]
		}
		var ok [3]bool
		e.Seq, ok[0] = decimal(texts[6])
		e.At, ok[1] = liteTime(texts[7])
		e.Effective, ok[2] = liteTime(texts[8])
		e.fill(texts[:6], parts[:])
		if ok != [3]bool{true, true, true} {
			return ErrUnusual
		}
		return nil
	}
}

// eventPG reads an event of PostgreSQL: bytes and times in binary.
func eventPG(e *SkimEvent) func(rows) error {
	return func(rs rows) error {
		v := rs.(pgx.Rows).RawValues()
		if len(v) != skimEventTexts+skimEventBytes || len(v[6]) != 8 || len(v[7]) != 8 || len(v[8]) != 8 {
			return ErrUnusual
		}
		e.Seq, e.At, e.Effective = int64(binary.BigEndian.Uint64(v[6])), pgTime(v[7]), pgTime(v[8])
		e.fill(v[:6], v[skimEventTexts:])
		return nil
	}
}

func (e *SkimEvent) fill(texts, parts [][]byte) {
	e.Root, e.CaseID, e.Event, e.Actor, e.MemberBody, e.SUA = texts[0], texts[1], texts[2], texts[3], texts[4], texts[5]
	e.Header, e.Hash = parts[0], parts[1]
	e.Parts.Open = audit.Part{Salt: parts[2], Body: parts[3]}
	e.Parts.Secret = audit.Part{Salt: parts[4], Body: parts[5]}
	e.Parts.Personal = audit.Part{Salt: parts[6], Body: parts[7]}
}

// joined writes the columns of a case as SQLite would, with the time in digits.
func joined(to []byte, rs pgx.Rows) ([]byte, error) {
	v := rs.RawValues()
	if len(v) != skimCaseColumns {
		return to, ErrUnusual
	}
	for i, b := range v {
		if i > 0 {
			to = append(to, separator)
		}
		switch i {
		case 23, 24, 25, 26: // revision, ordinal, chain_seq, version
			switch len(b) {
			case 8:
				to = strconv.AppendInt(to, int64(binary.BigEndian.Uint64(b)), 10)
			case 4:
				to = strconv.AppendInt(to, int64(int32(binary.BigEndian.Uint32(b))), 10)
			default:
				return to, ErrUnusual
			}
		case 27:
			if len(b) != 8 {
				return to, ErrUnusual
			}
			to = strconv.AppendInt(to, pgTime(b), 10)
		default:
			to = append(to, b...)
		}
	}
	return to, nil
}

// skimCase takes a row of texts apart.
func skimCase(frame string, lite bool) (c SkimCase, ok bool) {
	var v [skimCaseColumns]string
	last := 0
	n := 0
	for i := 0; i <= len(frame); i++ {
		if i < len(frame) && frame[i] != separator {
			continue
		}
		if n == len(v) {
			return c, false
		}
		v[n], last = frame[last:i], i+1
		n++
	}
	for i, to := range []*string{&c.ID, &c.Root, &c.Hash, &c.Workflow, &c.State, &c.Stage, &c.Previous, &c.Visited, &c.Outcome, &c.Parent, &c.Child, &c.MemberBody, &c.SUA, &c.Officer, &c.RUP,
		&c.Title, &c.CIG, &c.CUP, &c.Amount, &c.RulesDate, &c.Source, &c.SourceKey, &c.Data} {
		*to = v[i]
	}
	var good [5]bool
	c.Revision, good[0] = decimal([]byte(v[23]))
	c.Ordinal, good[1] = decimal([]byte(v[24]))
	c.ChainSeq, good[2] = decimal([]byte(v[25]))
	c.Version, good[4] = decimal([]byte(v[26]))
	if lite {
		c.OpenedAt, good[3] = liteTime([]byte(v[27]))
	} else {
		n, err := strconv.ParseInt(v[27], 10, 64)
		c.OpenedAt, good[3] = n, err == nil
	}
	c.ChainHash = unhex(v[28])
	return c, n == len(v) && good == [5]bool{true, true, true, true, true}
}

func unhex(s string) []byte {
	b := make([]byte, len(s)/2)
	digit := func(c byte) byte {
		if c >= 'A' {
			return c - 'A' + 10
		}
		return c - '0'
	}
	for i := range b {
		b[i] = digit(s[2*i])<<4 | digit(s[2*i+1])
	}
	return b
}

// decimal reads digits: no sign, no more than fit.
func decimal(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// liteTime reads a time as SQLite's driver writes it.
func liteTime(b []byte) (int64, bool) {
	const utc = "+00:00"
	if len(b) < len(utc) || string(b[len(b)-len(utc):]) != utc {
		return 0, false
	}
	return audit.Micros(b[:len(b)-len(utc)], ' ')
}

// pgTime reads a time of PostgreSQL: microseconds since 2000.
func pgTime(b []byte) int64 {
	return int64(binary.BigEndian.Uint64(b)) + 946_684_800_000_000
}
