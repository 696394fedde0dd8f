package storetest

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Kind is a workflow of which Fill makes cases: its states that are not final, each with its stage, and one final state.
type Kind struct {
	Workflow, Hash string
	Version        int
	Open           [][2]string // state, stage
	Final          [3]string   // state, stage, outcome
}

// Big says what Fill makes. Each tree has five cases: a procurement, two lots, a contract of the first, a question.
type Big struct {
	Cases                         int // rounded down to whole trees
	Events                        int // of a tree; 0: a hundred
	Root, Lot, Contract, Question Kind
	// Now is the end of the twenty years over which the trees began. A tenth of them still goes on, most of those that began last.
	Now time.Time
}

// How many there are in a filled database, whatever its size: bodies comune-0 … of SUAs sua-0 …, and officer-0 … (rup-0 …).
const (
	BigBodies   = 200
	BigSUAs     = 5
	BigOfficers = 40
)

// BigCases is how many cases a measure shall make: SUA_BENCH_CASES, or as many as given.
func BigCases(usual int) int {
	if n, err := strconv.Atoi(os.Getenv("SUA_BENCH_CASES")); err == nil && n > 0 {
		return n
	}
	return usual
}

// Trees is how many trees there are.
func (b Big) Trees() int { return max(b.Cases/5, 1) }

// Tree is the id of the root of a tree, from 0; its other cases end in 1 to 4.
func (b Big) Tree(k int) string { return fmt.Sprintf("b%08d-0", k) }

// CIG is the CIG of a tree, found nowhere else.
func (b Big) CIG(k int) string { return fmt.Sprintf("B%09d", k) }

// Body is the number of the body of a tree: the first bodies have many, the last few.
func (b Big) Body(k int) int {
	r := spread(k, 1)
	return int(BigBodies * r * r)
}

// spread gives a number from 0 to 1 for each tree; salt makes another.
func spread(k, salt int) float64 {
	const odd = 2654435761
	x := uint32(k+1)*odd ^ uint32(salt)*40503*odd
	x ^= x >> 15
	x *= 2246822519
	x ^= x >> 13
	return float64(x) / (1 << 32)
}

var objects = []string{"strada provinciale", "palestra comunale", "refezione scolastica", "verde pubblico", "illuminazione", "trasporto alunni", "cimitero",
	"rete fognaria", "biblioteca", "municipio", "asilo nido", "impianto sportivo", "ponte", "argine", "museo", "caserma"}

// cases are the rows of some trees, by column.
func (b Big) cases(lo, hi int) []map[string]any {
	out := make([]map[string]any, 0, 5*(hi-lo))
	start := b.Now.AddDate(-20, 0, 0)
	for k := lo; k < hi; k++ {
		opened := start.Add(time.Duration(float64(b.Now.Sub(start)) * float64(k) / float64(b.Trees()))).Truncate(time.Second)
		goes, ended := k > b.Trees()*11/12 || k%60 == 3, opened.AddDate(1, 1, 0)
		touched := ended
		if goes || touched.After(b.Now) {
			touched = b.Now.Add(-time.Duration(spread(k, 2) * float64(90*24*time.Hour))).Truncate(time.Second)
		}
		body := b.Body(k)
		title := fmt.Sprintf("Servizio %s lotto %d", objects[int(spread(k, 3)*float64(len(objects)))], k)
		if k%5 == 0 {
			title = "Lavori scuola " + title
		}
		amount := int64(spread(k, 4) * 500_000_000)
		root := b.Tree(k)
		for i, kind := range []Kind{b.Root, b.Lot, b.Lot, b.Contract, b.Question} {
			c := map[string]any{
				"id": root[:len(root)-1] + strconv.Itoa(i), "workflow": kind.Workflow, "version": kind.Version, "hash": kind.Hash,
				"state": kind.Final[0], "stage": kind.Final[1], "outcome": kind.Final[2], "ended_at": stamp(touched), "revision": 20, "root": root, "parent": root,
				"child": []string{"", "lots", "lots", "contracts", "questions"}[i], "ordinal": []int{0, 1, 2, 1, 1}[i], "previous": "", "visited": " ", "source": "", "source_key": "",
				"member_body": fmt.Sprintf("comune-%d", body), "sua": fmt.Sprintf("sua-%d", body%BigSUAs),
				"officer": fmt.Sprintf("officer-%d", int(spread(k, 5)*BigOfficers)), "rup": fmt.Sprintf("rup-%d", body),
				"title": "", "search": fmt.Sprintf("comune %d", body), "cig": "", "cup": "", "amount": nil, "data": map[string]any{}, "rules_date": "",
				"next_due": stamp(b.Now.Add(time.Duration(1+spread(5*k+i, 6)*1000*24) * time.Hour)), "opened_at": stamp(opened), "updated_at": stamp(touched),
				"updated_on": touched.Format(time.DateOnly), "chain_seq": 0, "chain_at": nil,
			}
			if goes {
				s := kind.Open[int(spread(k, 7+i)*float64(len(kind.Open)))]
				c["state"], c["stage"], c["outcome"], c["ended_at"] = s[0], s[1], "", nil
			}
			switch i {
			case 0:
				c["parent"], c["chain_seq"], c["chain_at"] = nil, cmp.Or(b.Events, 100), stamp(touched)
				c["title"], c["search"], c["cig"], c["amount"] = title, strings.ToLower(fmt.Sprintf("comune %d %s %s", body, title, b.CIG(k))), b.CIG(k), amount
				c["data"] = map[string]any{"title": title, "cig": b.CIG(k), "amount": amount}
				if !goes {
					c["next_due"] = nil
				}
			case 1:
				c["data"] = map[string]any{"title": title, "amount": amount / 2, "contract_signed_on": touched.Format(time.DateOnly)}
			case 3:
				c["parent"] = root[:len(root)-1] + "1"
			}
			out = append(out, c)
		}
	}
	return out
}

// stamp is a time as SQLite keeps it; PostgreSQL reads it too.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05-07:00") }

const caseColumns = "id, workflow, version, hash, state, stage, outcome, ended_at, revision, parent, root, child, ordinal, previous, visited, source, source_key, member_body, sua, officer, rup, " +
	"title, search, cig, cup, amount, data, rules_date, next_due, opened_at, updated_at, updated_on, chain_seq, chain_at"

func casesSQL(lite bool) string {
	if !lite {
		return "INSERT INTO cases (" + caseColumns + ") SELECT " + caseColumns + " FROM jsonb_populate_recordset(NULL::cases, $1::jsonb)"
	}
	values := "value ->> '" + strings.ReplaceAll(caseColumns, ", ", "', value ->> '") + "'"
	return "INSERT INTO cases (" + caseColumns + ") SELECT " + values + " FROM json_each($1)"
}

// restSQL hangs everything else on the cases of some trees, those from $1 and before $2, in either dialect.
func restSQL(lite bool, events int) []string {
	series := func(n int) string { return fmt.Sprintf("generate_series(1, %d) AS s(n)", n) }
	bytes := func(text string) string { return "convert_to(" + text + ", 'UTF8')" }
	typed := func(expr, _ string) string { return expr }
	if lite {
		series = func(n int) string {
			return fmt.Sprintf("(WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < %d) SELECT n FROM t) AS s", n)
		}
		bytes = func(text string) string { return "CAST(" + text + " AS blob)" }
	} else {
		typed = func(expr, kind string) string { return "(" + expr + ")::" + kind }
	}
	const these, owners = " WHERE c.id >= $1 AND c.id < $2", "c.member_body, c.sua"
	header := `'{"root":"' || c.root || '","seq":' || n || ',"case":"' || substr(c.id, 1, 10) || (n % 5) ||
		'","event":"next","from":"published","to":"evaluation","at":"2026-03-02T08:00:00.000000Z","effective":"2026-03-02T08:00:00.000000Z","actor":"' || c.rup ||
		'","role":"rup","body":"' || c.member_body || '","definition":"' || c.hash || '","parts":{"open":"' || c.hash || '"},"prev":"' || c.hash || '"}'`
	return []string{
		"INSERT INTO case_search (case_id, words) SELECT c.id, c.search FROM cases c" + these, // Fill has switched PostgreSQL's trigger off
		"INSERT INTO events (root, seq, case_id, member_body, sua, event, at, effective, actor, header, hash, open_salt, open_body) SELECT c.root, n, substr(c.id, 1, 10) || (n % 5), " +
			owners + ", 'next', c.opened_at, c.opened_at, c.rup, " + bytes(header) + ", " + bytes("substr(c.hash, 1, 32)") + ", " + bytes("substr(c.hash, 1, 16)") + ", " +
			bytes(`'{"inputs":{"reason":"aperte tutte le buste alla presenza della commissione"}}'`) + " FROM cases c, " + series(events) + these + " AND c.parent IS NULL",
		"INSERT INTO case_rows (case_id, register, row, root, member_body, sua, data, changed_seq) SELECT c.id, 'bids', n, c.root, " + owners + ", " +
			typed(`'{"operator":"Impresa ' || n || ' srl","discount":"12.5"}'`, "jsonb") + ", 20 FROM cases c, " + series(3) + these + " AND c.child = 'lots'",
		"INSERT INTO documents (id, case_id, root, member_body, sua, type, name, media, size, sha256, uploaded_by, at, seq) SELECT 'd' || n || c.id, c.id, c.root, " + owners +
			", 'notice', 'bando.pdf', 'application/pdf', 100000, c.hash, c.rup, c.opened_at, n FROM cases c, " + series(2) + these + " AND c.child <> 'questions'",
		deadlineSQL + "'m' || c.id, c.id, c.root, " + owners + ", 'request_answer', 'met', c.opened_at, 1, c.opened_at, '2026-01-01', " + typed(`'{"IT":"trenta giorni","EN":"thirty days"}'`, "jsonb") +
			", 2, c.opened_at, c.opened_at FROM cases c" + these,
		deadlineSQL + "'r' || n || c.id, c.id, c.root, " + owners + ", 'bids', 'running', c.opened_at, 1, c.next_due, '2030-01-01', " + typed(`'{"IT":"trenta giorni","EN":"thirty days"}'`, "jsonb") +
			", 1, c.next_due, " + typed("NULL", "timestamptz") + " FROM cases c, " + series(2) + these + " AND c.next_due IS NOT NULL AND (n = 1 OR c.outcome = '')",
		"INSERT INTO outbox (topic, case_id, root, member_body, sua, payload, at) SELECT 'notice', c.id, c.root, " + owners + ", " + typed("'{}'", "jsonb") + ", c.opened_at FROM cases c" + these,
		"INSERT INTO links (from_case, to_case, kind, member_body, sua, at) SELECT c.id, (SELECT max(p.id) FROM cases p WHERE p.id < c.id AND p.parent IS NULL), 're_tender_of', " + owners +
			", c.opened_at FROM cases c" + these + " AND c.id LIKE '%7-0'",
		"INSERT INTO notices (id, source, person, channel, case_id, root, member_body, sua, event, seq, template, params, state, next_try, at, sent_at, read_at) SELECT 'n' || c.id, 'old:' || c.id, c.officer, 'app', c.id, c.root, " +
			owners + ", 'next', 1, 'state_changed', " + typed("'{}'", "jsonb") + ", 'read', c.opened_at, c.opened_at, c.opened_at, c.opened_at FROM cases c" + these,
	}
}

// numbersSQL gives the events of some trees their numbers in the one sequence, one tree after the other.
func numbersSQL(lite bool, events int) string {
	series := fmt.Sprintf("generate_series(1, %d) AS s(n)", events)
	if lite {
		series = fmt.Sprintf("(WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < %d) SELECT n FROM t) AS s", events)
	}
	return "INSERT INTO log (n, root, seq) SELECT h.n + row_number() OVER (ORDER BY c.id, s.n), c.root, s.n FROM cases c, " + series +
		", (SELECT coalesce(max(n), 0) AS n FROM log) h WHERE c.id >= $1 AND c.id < $2 AND c.parent IS NULL ORDER BY 1"
}

const deadlineSQL = "INSERT INTO deadlines (id, case_id, root, member_body, sua, name, status, started_at, started_seq, due_at, last_day, explanation, revision, next_try, ended_at) SELECT "
