package exchange

import (
	"encoding/json"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/law"
)

// reader makes lots out of rows and remembers why it could not.
type reader struct {
	h     *header
	today calendar.Date
	seen  memory
	batch *batch
	row   current
	// failed is an error of the file itself, held back until what is whole before it was written
	failed error
}

// batch is what one transaction will write, and what was found on the way.
type batch struct {
	rows       []engine.ImportedLot
	number     int
	read       int64
	repeated   int64
	rejected   int64
	bytes      int64 // read from the file so far
	warnings   []Finding
	rejections []Finding
	facts      []Finding
	truncated  bool
	err        error
}

// current is the row being read.
type current struct {
	fields []string
	line   int64
}

func (rd *reader) get(c column) string { return rd.h.get(rd.row.fields, c) }

func (rd *reader) warn(code, example string) {
	finding(&rd.batch.warnings, code, example, rd.row.line)
}

func (rd *reader) reject(code, example string) {
	rd.batch.rejected++
	finding(&rd.batch.rejections, code, example, rd.row.line)
}

// take reads a row into the batch.
func (rd *reader) take(rec record) {
	rd.row = current{rec.fields, rec.line}
	rd.batch.read++
	if rec.recoded {
		rd.warn("encoding", "")
	}
	if rec.fault != faultNone {
		rd.batch.truncated = rd.batch.truncated || (rec.last && rec.fault != faultLong)
		example := ""
		if len(rec.fields) > 0 {
			example = rec.fields[0]
		}
		rd.reject(string(rec.fault), example)
		return
	}
	lot := engine.ImportedLot{Line: rec.line, Secondary: rd.secondary()}
	if !rd.identify(&lot) {
		return
	}
	skip, at := rd.known(&lot)
	if skip || !rd.bodies(&lot) || !rd.values(&lot) {
		return
	}
	lot.Source = rd.source()
	if at < len(rd.batch.rows) {
		rd.batch.rows[at] = lot
		rd.batch.repeated++
	} else {
		rd.batch.rows = append(rd.batch.rows, lot)
	}
	rd.seen.keep(lot.CIG, sight{tender: lot.Tender, secondary: lot.Secondary, hash: rd.hash(), batch: rd.batch.number, at: at})
}

// secondary rows repeat a lot for one more CPV; only an explicit no says so.
func (rd *reader) secondary() bool {
	yes, ok := parseFlag(rd.get(colMainCPV))
	return ok && !yes
}

// identify reads what a row cannot do without: the lot's CIG and the number of its tender.
func (rd *reader) identify(lot *engine.ImportedLot) bool {
	raw := rd.get(colCIG)
	if raw == "" {
		rd.reject("cig_missing", "")
		return false
	}
	cig, err := law.ParseCIG(raw)
	if err != nil {
		rd.reject("cig_format", raw)
		return false
	}
	if !cig.ChecksumOK() {
		rd.warn("cig_check", raw)
	}
	lot.CIG = strings.Clone(string(cig)) // remembered longer than the line it was cut out of
	number, _ := clean(whole(rd.get(colTender)))
	switch {
	case number == "":
		rd.reject("tender_missing", raw)
		return false
	case len(number) > 64:
		rd.reject("tender_format", number)
		return false
	}
	lot.Tender = strings.Clone(number)
	return true
}

// known settles rows that repeat a lot of the same file: the prevalent row wins, else the first one. The others are skipped; at
// is the place in the batch of a row that goes on, which may be that of a secondary row not written yet.
func (rd *reader) known(lot *engine.ImportedLot) (skip bool, at int) {
	at = len(rd.batch.rows)
	before, ok := rd.seen.find(lot.CIG)
	switch {
	case !ok:
		return false, at
	case before.tender != lot.Tender:
		rd.reject("other_tender", lot.CIG)
		return true, at
	case before.secondary && !lot.Secondary:
		if before.batch == rd.batch.number {
			at = before.at
		}
		return false, at
	case !lot.Secondary && before.hash != rd.hash():
		rd.warn("repeated", lot.CIG)
	}
	rd.batch.repeated++
	return true, at
}

// bodies reads for whom the tender is run, and by whom. Without a delegation one body is both.
func (rd *reader) bodies(lot *engine.ImportedLot) bool {
	raw := rd.get(colBodyCode)
	if raw == "" {
		rd.reject("body_missing", lot.CIG)
		return false
	}
	own, ok := rd.body(raw, rd.get(colBodyName))
	if !ok {
		rd.reject("body_format", raw)
		return false
	}
	lot.Member, lot.SUA = own, own
	delegated, _ := parseFlag(rd.get(colDelegated))
	if !delegated {
		return true
	}
	member, okMember := rd.body(rd.get(colMemberCode), rd.get(colMemberName))
	sua, okSUA := rd.body(rd.get(colSUACode), rd.get(colSUAName))
	if okMember {
		lot.Member = member
	}
	if okSUA {
		lot.SUA = sua
	}
	if !okMember || !okSUA {
		rd.warn("delegate", lot.CIG)
	}
	return true
}

// body reads a contracting body; false when its tax code has no known form.
func (rd *reader) body(raw, name string) (engine.ImportedBody, bool) {
	raw = whole(raw)
	code, err := law.ParseTaxCode(raw)
	if err != nil {
		// spreadsheets take the zeros away from numbers: they come back where the check digit agrees
		padded, errPadded := law.ParseTaxCode(strings.Repeat("0", max(0, 11-len(raw))) + raw)
		if raw == "" || errPadded != nil || !padded.ChecksumOK() {
			return engine.ImportedBody{}, false
		}
		rd.warn("body_padded", raw)
		code = padded
	}
	if !code.ChecksumOK() {
		rd.warn("body_check", raw)
	}
	name, _ = clean(name)
	if name == "" {
		rd.warn("body_name", string(code))
		name = string(code)
	}
	// what outlives the batch must not hold on to the line it was cut out of
	return engine.ImportedBody{TaxCode: strings.Clone(string(code)), Name: strings.Clone(name), Kind: bodyKind(name)}, true
}

// bodyKind guesses the kind of a body from its name.
func bodyKind(name string) string {
	name = strings.ToUpper(strings.ReplaceAll(name, "’", "'"))
	starts := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(name, w) })
	}
	switch {
	case starts("COMUNE DI ", "COMUNE D'", "COMUNE DELL", "COMUNE DE "):
		return "comune"
	case starts("PROVINCIA ", "AMMINISTRAZIONE PROVINCIALE", "CITTA' METROPOLITANA", "CITTÀ METROPOLITANA", "CITTA METROPOLITANA", "LIBERO CONSORZIO COMUNALE"):
		return "provincia"
	}
	return "other"
}

// source is the row as it was, as a JSON object without the empty values.
func (rd *reader) source() json.RawMessage {
	size := 2
	for i, v := range rd.row.fields {
		size += len(rd.h.keys[i]) + len(v) + 3
	}
	out := append(make(json.RawMessage, 0, size+64), '{')
	for i, v := range rd.row.fields {
		if v == "" || rd.h.keys[i] == "" {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(out, rd.h.keys[i]...), ':')
		out = appendText(out, v)
	}
	return append(out, '}')
}

// appendText writes a JSON string; most texts need no escaping.
func appendText(out []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			b, _ := json.Marshal(s) // a string never fails
			return append(out, b...)
		}
	}
	out = append(append(out, '"'), s...)
	return append(out, '"')
}

var seed = maphash.MakeSeed() // constant for the process: hashes are compared within one import only

func (rd *reader) hash() uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, v := range rd.row.fields {
		_, _ = h.WriteString(v) // never fails
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

// values reads everything else into the inputs of the two workflows.
func (rd *reader) values(lot *engine.ImportedLot) bool {
	tenderTitle, lotTitle := rd.title(colTenderTitle), rd.title(colTitle)
	if tenderTitle == "" && lotTitle == "" {
		rd.reject("title_missing", lot.CIG)
		return false
	}
	if tenderTitle == "" {
		tenderTitle = lotTitle
	}
	if lotTitle == "" {
		lotTitle = tenderTitle
	}
	lot.Lot = map[string]any{"cig": lot.CIG, "title": lotTitle}
	lot.Gara = map[string]any{"number": lot.Tender, "title": tenderTitle}
	rd.amount(lot.Lot, "amount", colAmount, "amount")
	rd.amount(lot.Gara, "amount", colTenderAmount, "tender_amount")
	rd.kind(lot)
	rd.codes(lot.Lot)
	rd.cup(lot, tenderTitle, lotTitle)
	rd.day(lot.Lot, "published", colPublished)
	rd.day(lot.Lot, "bids_due", colBidsDue)
	rd.day(lot.Lot, "outcome_date", colOutcomeDate)
	rd.text(lot.Lot, "procedure_kind", colProcedure)
	rd.text(lot.Gara, "procedure_kind", colProcedure)
	rd.text(lot.Lot, "outcome", colOutcome)
	rd.flag(lot.Lot, "pnrr", colPNRR)
	rd.flag(lot.Lot, "urgent", colUrgent)
	rd.flag(lot.Gara, "delegated", colDelegated)
	rd.lots(lot)
	lot.State = rd.state(lot.Lot)
	return true
}

func (rd *reader) title(c column) string {
	s, cut := clean(rd.get(c))
	if cut {
		rd.warn("text_cut", s)
	}
	return s
}

// text sets a field from a column that is there: an empty value empties the field.
func (rd *reader) text(to map[string]any, field string, c column) {
	if !rd.h.has(c) {
		return
	}
	if s := rd.title(c); s != "" {
		to[field] = s
	} else {
		to[field] = nil
	}
}

// parsed sets a field to what parse makes of a column; a value that it refuses is warned of, and the field left as it is.
func (rd *reader) parsed(to map[string]any, field string, c column, code string, parse func(string) (any, bool)) {
	if !rd.h.has(c) {
		return
	}
	raw := rd.get(c)
	if raw == "" {
		to[field] = nil
		return
	}
	if v, ok := parse(raw); ok {
		to[field] = v
	} else {
		rd.warn(code, raw)
	}
}

func (rd *reader) amount(to map[string]any, field string, c column, code string) {
	rd.parsed(to, field, c, code, func(s string) (any, bool) { return boxed(parseAmount(s)) })
}

func (rd *reader) day(to map[string]any, field string, c column) {
	rd.parsed(to, field, c, field, func(s string) (any, bool) { return boxed(parseDay(s)) })
}

func (rd *reader) flag(to map[string]any, field string, c column) {
	rd.parsed(to, field, c, "flag", func(s string) (any, bool) { return boxed(parseFlag(s)) })
}

func boxed[T any](v T, ok bool) (any, bool) { return v, ok }

// code reads a code with package flow, which is what the engine will do with it.
func code(t flow.Type) func(string) (any, bool) {
	return func(s string) (any, bool) {
		v, err := flow.Parse(t, nil, s)
		return v, err == nil
	}
}

var readCPV, readCUI, readCUP, readNUTS = code(flow.TypeCPV), code(flow.TypeCUI), code(flow.TypeCUP), code(flow.TypeNUTS)

func (rd *reader) codes(to map[string]any) {
	rd.parsed(to, "cpv", colCPV, "cpv", readCPV)
	rd.parsed(to, "cui", colCUI, "cui", readCUI)
	rd.parsed(to, "nuts", colNUTS, "nuts", readNUTS)
	rd.parsed(to, "place", colPlace, "place", func(s string) (any, bool) {
		if strings.HasPrefix(s, "IT") && !rd.h.has(colNUTS) { // later files write the NUTS code here
			v, ok := readNUTS(s)
			if ok {
				to["nuts"] = v
			}
			return nil, ok
		}
		s = whole(s)
		c, err := law.ParseISTAT(strings.Repeat("0", max(0, 6-len(s))) + s)
		return string(c), err == nil
	})
}

// kind reads works, services or supplies.
func (rd *reader) kind(lot *engine.ImportedLot) {
	rd.parsed(lot.Lot, "kind", colKind, "kind", func(s string) (any, bool) {
		k, ok := map[string]string{"LAVORI": "works", "SERVIZI": "services", "FORNITURE": "supplies", "FORNITURA": "supplies"}[strings.ToUpper(s)]
		return k, ok
	})
	if k, ok := lot.Lot["kind"]; ok {
		lot.Gara["kind"] = k
	}
}

// cup takes the CUP of its column, or the only one that the titles name: ANAC's file has no column for it.
func (rd *reader) cup(lot *engine.ImportedLot, titles ...string) {
	if rd.get(colCUP) != "" {
		rd.parsed(lot.Lot, "cup", colCUP, "cup", readCUP)
		return
	}
	lot.Lot["cup"] = nil
	if found := findCUPs(titles...); len(found) == 1 {
		lot.Lot["cup"] = found[0]
		finding(&rd.batch.facts, "cup_from_title", found[0], rd.row.line)
	}
}

// lots reads how many lots the tender has; the only lot gives the tender its codes, so that lists find it by them.
func (rd *reader) lots(lot *engine.ImportedLot) {
	rd.parsed(lot.Gara, "lots_expected", colLots, "lots", func(s string) (any, bool) {
		s = whole(s)
		n := int64(0)
		for _, r := range s {
			if r < '0' || r > '9' || n > 100_000 {
				return nil, false
			}
			n = n*10 + int64(r-'0')
		}
		return n, n > 0
	})
	lot.Gara["cig"], lot.Gara["cup"] = nil, nil
	if lot.Gara["lots_expected"] == int64(1) {
		lot.Gara["cig"], lot.Gara["cup"] = lot.CIG, lot.Lot["cup"]
	}
}

// state says where the lot stands.
func (rd *reader) state(values map[string]any) string {
	text := func(field string) string { s, _ := values[field].(string); return s }
	e := evidence{
		status: rd.get(colStatus), code: rd.get(colOutcomeCode), word: rd.get(colOutcome), published: text("published"), bidsDue: text("bids_due"), today: rd.today,
		cancelled: rd.get(colCancelCode) != "" || rd.get(colCancelReason) != "" || rd.get(colCancelDate) != "",
	}
	state := e.state()
	if e.unknownWord {
		rd.warn("outcome", strings.TrimSpace(e.word+" "+e.code))
	}
	if e.unknownStatus {
		rd.warn("status", e.status)
	}
	return state
}
