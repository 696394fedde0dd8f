package exchange

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Bounds of a row: beyond them a quotation mark was left open somewhere, and swallowing the rest of the file would lose it.
const (
	maxRecordBytes = 256 << 10
	maxRecordLines = 100
)

// fault says what is wrong with a record as a piece of CSV.
type fault string

const (
	faultNone    fault = ""
	faultQuote   fault = "quote"   // a quotation mark is never closed
	faultColumns fault = "columns" // fewer or more columns than the header
	faultLong    fault = "long"    // longer than any row can be
)

// record is one row of the file.
type record struct {
	fields  []string
	line    int64 // physical line on which it began, 1 for the first of the file
	fault   fault
	last    bool // nothing follows: a fault here means that the file was cut
	recoded bool // it held bytes that are not UTF-8, read as Windows-1252
}

// records cuts a stream into rows: fields in quotation marks may hold separators, line ends and doubled quotation marks; a
// quotation mark that neither ends its field nor is doubled stands for itself. After a row that cannot be read it goes on with
// the next physical line.
type records struct {
	r       *bufio.Reader
	sep     byte
	columns int // of the header; 0 while it is not known
	bytes   int64
	lines   int64
	held    []physical // lines read ahead by a record that failed
	scan    scanner
}

// physical is one line without its end.
type physical struct {
	text    string
	number  int64
	recoded bool
	long    bool
}

func newRecords(r io.Reader) *records { return &records{r: bufio.NewReaderSize(r, 1<<16)} }

// next returns the next row that is not empty; io.EOF at the end. Its fields are good until the next call.
func (rs *records) next() (record, error) {
	for {
		first, err := rs.line()
		if err != nil {
			return record{}, err
		}
		if strings.TrimSpace(first.text) == "" && !first.long {
			continue
		}
		return rs.record(first)
	}
}

func (rs *records) record(first physical) (record, error) {
	rec := record{line: first.number, recoded: first.recoded}
	if first.long {
		rec.fault = faultLong
		return rs.finish(rec)
	}
	rs.scan.reset(rs.sep)
	size, whole := len(first.text), rs.scan.feed(first.text)
	var more []physical
	for !whole && rec.fault == faultNone {
		next, err := rs.line()
		if err != nil && !errors.Is(err, io.EOF) {
			return rec, err
		}
		size += len(next.text)
		if err == nil {
			more = append(more, next)
		}
		if err != nil || next.long || len(more) > maxRecordLines || size > maxRecordBytes {
			rec.fault = faultQuote
			break
		}
		rec.recoded = rec.recoded || next.recoded
		whole = rs.scan.feed(next.text)
	}
	rec.fields = rs.scan.fields
	if rec.fault == faultNone && rs.columns > 0 && len(rec.fields) != rs.columns {
		rec.fault = faultColumns
	}
	if rec.fault != faultNone && len(more) > 0 { // the lines below may well be rows of their own
		rs.held = append(more, rs.held...)
	}
	return rs.finish(rec)
}

// finish notes whether the file ends here.
func (rs *records) finish(rec record) (record, error) {
	if rec.fault == faultNone || len(rs.held) > 0 {
		return rec, nil
	}
	_, err := rs.r.Peek(1)
	rec.last = err != nil
	if err != nil && !errors.Is(err, io.EOF) {
		return rec, err
	}
	return rec, nil
}

// line returns the next physical line: one that was read ahead, or a new one.
func (rs *records) line() (physical, error) {
	if len(rs.held) > 0 {
		p := rs.held[0]
		rs.held = rs.held[1:]
		return p, nil
	}
	raw, long, err := rs.read()
	if err != nil {
		return physical{}, err
	}
	rs.lines++
	p := physical{number: rs.lines, long: long}
	raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
	if rs.lines == 1 {
		raw = bytes.TrimPrefix(raw, []byte("\uFEFF"))
	}
	if p.recoded = !utf8.Valid(raw); p.recoded {
		p.text = recode(raw)
	} else {
		p.text = string(raw)
	}
	return p, nil
}

// read gives the bytes of a line, valid until the next read; of one that is too long only the beginning, and long.
func (rs *records) read() (line []byte, long bool, err error) {
	part, err := rs.r.ReadSlice('\n')
	rs.bytes += int64(len(part))
	if err == nil {
		return part, false, nil
	}
	line = append([]byte(nil), part...)
	for errors.Is(err, bufio.ErrBufferFull) {
		part, err = rs.r.ReadSlice('\n')
		rs.bytes += int64(len(part))
		if long = long || len(line)+len(part) > maxRecordBytes; !long {
			line = append(line, part...)
		}
	}
	if errors.Is(err, io.EOF) && len(line) > 0 {
		err = nil // the last line, without an end
	}
	return line, long, err
}

// recode keeps what is UTF-8 and reads the other bytes as Windows-1252: files pass through programs that mix the two.
func recode(raw []byte) string {
	var b strings.Builder
	for len(raw) > 0 {
		r, n := utf8.DecodeRune(raw)
		if r == utf8.RuneError && n == 1 {
			r = charmap.Windows1252.DecodeByte(raw[0])
		}
		b.WriteRune(r)
		raw = raw[n:]
	}
	return b.String()
}

// scanner splits the physical lines of one record into fields.
type scanner struct {
	sep    byte
	fields []string
	quoted bool            // inside a field in quotation marks
	part   strings.Builder // what of that field is already known
}

func (s *scanner) reset(sep byte) {
	s.sep, s.quoted, s.fields = sep, false, s.fields[:0]
	s.part.Reset()
}

// feed takes one more line and reports whether the record is whole.
func (s *scanner) feed(line string) bool {
	i := 0
	if s.quoted {
		s.part.WriteByte('\n')
		if i = s.inside(line, 0); i < 0 {
			return false
		}
		if i > len(line) {
			return true
		}
	}
	for {
		if i < len(line) && line[i] == '"' {
			s.quoted = true
			if i = s.inside(line, i+1); i < 0 {
				return false
			}
			if i > len(line) {
				return true
			}
			continue
		}
		end := strings.IndexByte(line[i:], s.sep)
		if end < 0 {
			s.fields = append(s.fields, line[i:])
			return true
		}
		s.fields = append(s.fields, line[i:i+end])
		i += end + 1
	}
}

// inside reads on within a quoted field from i. It returns where the next field begins, more than the line's length when
// the field was the last, and -1 when it goes on in the next line.
func (s *scanner) inside(line string, i int) int {
	start := i
	for {
		q := strings.IndexByte(line[i:], '"')
		if q < 0 {
			s.part.WriteString(line[start:])
			return -1
		}
		i += q
		switch {
		case i+1 == len(line) || line[i+1] == s.sep:
			s.close(line[start:i])
			return i + 2
		case line[i+1] == '"':
			s.part.WriteString(line[start : i+1])
			i += 2
			start = i
		default: // it stands for itself
			i++
		}
	}
}

func (s *scanner) close(rest string) {
	s.quoted = false
	if s.part.Len() == 0 {
		s.fields = append(s.fields, rest)
		return
	}
	s.part.WriteString(rest)
	s.fields = append(s.fields, s.part.String())
	s.part = strings.Builder{}
}
