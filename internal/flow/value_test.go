package flow

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

var ways = []Choice{{"best_value", Text{"OEPV", "Best value"}}, {"lowest_price", Text{"Minor prezzo", "Lowest price"}}}

// code is the code of a BadValue, or "" when there is no error.
func codeOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var bad BadValue
	if !errors.As(err, &bad) {
		t.Fatalf("error %v is not a BadValue", err)
	}
	if bad.Message.IT == "" || bad.Message.EN == "" {
		t.Errorf("code %s lacks a text: %+v", bad.Code, bad.Message)
	}
	return bad.Code
}

func TestParse(t *testing.T) {
	tests := []struct {
		typ  Type
		raw  any
		want any
		code string
	}{
		{TypeText, "  ciao\r\nmondo ", "ciao\nmondo", ""},
		{TypeText, " ", nil, "empty"},
		{TypeText, "a\x00b", nil, "control"},
		{TypeText, "a\xffb", nil, "format"},
		{TypeText, strings.Repeat("è", 20_000), strings.Repeat("è", 20_000), ""},
		{TypeText, strings.Repeat("è", 20_001), nil, "range"},
		{TypeText, 3.0, nil, "type"},
		{TypeText, nil, nil, "type"},
		{TypeBool, true, true, ""},
		{TypeBool, "true", nil, "type"},
		{TypeInt, 12.0, int64(12), ""},
		{TypeInt, json.Number("-3"), int64(-3), ""},
		{TypeInt, 1.5, nil, "type"},
		{TypeInt, json.Number("1.5"), nil, "type"},
		{TypeInt, json.Number("9007199254740993"), nil, "range"},
		{TypeInt, "12", nil, "type"},
		{TypeMoney, json.Number("330783624"), int64(330783624), ""},
		{TypeMoney, 330783624.5, nil, "type"},
		{TypeMoney, "3.307.836,24", nil, "type"},
		{TypeMoney, 1e15, nil, "range"},
		{TypePercent, "012.350", "12.35", ""},
		{TypePercent, json.Number("80"), "80", ""},
		{TypePercent, 0.1, "0.1", ""},
		{TypePercent, "-0.0", "0", ""},
		{TypePercent, "12,35", nil, "format"},
		{TypePercent, "1e3", nil, "format"},
		{TypePercent, "99999999", nil, "range"},
		{TypeDate, "2026-11-22", "2026-11-22", ""},
		{TypeDate, "2026-02-29", nil, "format"},
		{TypeDate, "1899-12-31", nil, "range"},
		{TypeDate, "2200-01-01", nil, "range"},
		{TypeInstant, "2026-11-22T12:00:00+01:00", "2026-11-22T11:00:00.000000Z", ""},
		{TypeInstant, "2026-11-22T11:00:00.123456789Z", "2026-11-22T11:00:00.123456Z", ""},
		{TypeInstant, "2026-11-22T11:00:00", nil, "format"},
		{TypeInstant, "0001-01-01T00:00:00Z", nil, "range"},
		{TypeChoice, "best_value", "best_value", ""},
		{TypeChoice, "OEPV", nil, "choice"},
		{TypeCIG, " b24da5677b ", "B24DA5677B", ""},
		{TypeCIG, "123", nil, "format"},
		{TypeCUP, "h71b22001210006", "H71B22001210006", ""},
		{TypeCPV, "45214200-2", "45214200-2", ""},
		{TypeNUTS, "ith36", "ITH36", ""},
		{TypeCUI, "L00120540271202600001", "L00120540271202600001", ""},
		{TypeBody, "body_12", "body_12", ""},
		{TypePerson, "../etc", nil, "format"},
		{"nonsense", "x", nil, "type"},
	}
	for _, tt := range tests {
		got, err := Parse(tt.typ, ways, tt.raw)
		if code := codeOf(t, err); code != tt.code || got != tt.want {
			t.Errorf("Parse(%s, %.40v) = %.60v, %q; want %.60v, %q", tt.typ, tt.raw, got, code, tt.want, tt.code)
			continue
		}
		if err != nil {
			continue
		}
		if again, err := Parse(tt.typ, ways, got); err != nil || again != got {
			t.Errorf("canonical %s %v parses to %v, %v: want itself", tt.typ, got, again, err)
		}
	}
}

func TestParseForm(t *testing.T) {
	tests := []struct {
		typ  Type
		s    string
		want any
		code string
	}{
		{TypeMoney, "3.307.836,24", int64(330783624), ""},
		{TypeMoney, "€ 100", int64(10000), ""},
		{TypeMoney, "tanti", nil, "format"},
		{TypeMoney, "", nil, "empty"},
		{TypeBool, "sì", true, ""},
		{TypeBool, "SI", true, ""},
		{TypeBool, "on", true, ""},
		{TypeBool, "", false, ""},
		{TypeBool, "forse", nil, "type"},
		{TypeInt, "1.234", int64(1234), ""},
		{TypeInt, "1,5", nil, "type"},
		{TypeInt, "99999999999999999999", nil, "range"},
		{TypePercent, "12,35 %", "12.35", ""},
		{TypePercent, "1.234,5", "1234.5", ""},
		{TypePercent, "12.35", "12.35", ""},
		{TypePercent, "1,2,3", nil, "format"},
		{TypeDate, "22/11/2026", "2026-11-22", ""},
		{TypeDate, "1.2.2026", "2026-02-01", ""},
		{TypeDate, "2026-11-22", "2026-11-22", ""},
		{TypeDate, "31/11/2026", nil, "format"},
		{TypeDate, "22/11/26", nil, "format"},
		{TypeInstant, "22/11/2026 12:00", "2026-11-22T11:00:00.000000Z", ""},
		{TypeInstant, "22/07/2026, ore 12:00", "2026-07-22T10:00:00.000000Z", ""},
		{TypeInstant, "2026-11-22T12:00", "2026-11-22T11:00:00.000000Z", ""},
		{TypeInstant, "2026-11-22T12:00:30Z", "2026-11-22T12:00:30.000000Z", ""},
		{TypeInstant, "29/03/2026 02:30", nil, "range"}, // skipped by summer time
		{TypeInstant, "25/10/2026 02:30", "2026-10-25T00:30:00.000000Z", ""},
		{TypeInstant, "22/11/2026 24:00", nil, "range"},
		{TypeInstant, "22/11/2026", nil, "format"},
		{TypeChoice, "oepv", "best_value", ""},
		{TypeChoice, "lowest_price", "lowest_price", ""},
		{TypeChoice, "altro", nil, "choice"},
		{TypeText, " x ", "x", ""},
		{TypeCIG, "b24da5677b", "B24DA5677B", ""},
	}
	for _, tt := range tests {
		got, err := ParseForm(tt.typ, ways, tt.s)
		if code := codeOf(t, err); code != tt.code || got != tt.want {
			t.Errorf("ParseForm(%s, %q) = %v, %q; want %v, %q", tt.typ, tt.s, got, code, tt.want, tt.code)
		}
	}
}

func TestFormat(t *testing.T) {
	tests := []struct {
		typ  Type
		v    any
		lang string
		want string
	}{
		{TypeMoney, int64(330783624), "it", "3.307.836,24 €"},
		{TypeMoney, json.Number("100"), "it", "1,00 €"},
		{TypeBool, true, "it", "Sì"},
		{TypeBool, true, "en", "Yes"},
		{TypePercent, "12.35", "it", "12,35"},
		{TypePercent, "12.35", "en", "12.35"},
		{TypeDate, "2026-11-22", "it", "22/11/2026"},
		{TypeInstant, "2026-11-22T11:00:00.000000Z", "it", "22/11/2026 12:00"},
		{TypeInstant, "2026-07-22T10:00:00Z", "it", "22/07/2026 12:00"},
		{TypeChoice, "lowest_price", "it", "Minor prezzo"},
		{TypeChoice, "lowest_price", "en", "Lowest price"},
		{TypeChoice, "gone", "it", "gone"},
		{TypeInt, int64(7), "it", "7"},
		{TypeText, nil, "it", ""},
	}
	for _, tt := range tests {
		if got := Format(tt.typ, ways, tt.v, tt.lang); got != tt.want {
			t.Errorf("Format(%s, %v, %s) = %q, want %q", tt.typ, tt.v, tt.lang, got, tt.want)
		}
	}
}

func TestWarningsOfCheckCharacters(t *testing.T) {
	if w := Warnings(TypeCIG, "988518263E"); len(w) != 0 {
		t.Errorf("a right CIG warns: %v", w)
	}
	if w := Warnings(TypeCIG, "9885182630"); len(w) != 1 || !strings.Contains(w[0].IT, "9885182630") {
		t.Errorf("a wrong check character = %v, want one warning", w)
	}
	if w := Warnings(TypeText, "x"); len(w) != 0 {
		t.Errorf("texts have no check: %v", w)
	}
}

var allTypes = []Type{TypeText, TypeBool, TypeInt, TypeMoney, TypePercent, TypeDate, TypeInstant, TypeChoice,
	TypeCIG, TypeCUP, TypeCUI, TypeCPV, TypeNUTS, TypeBody, TypePerson}

func FuzzParseForm(f *testing.F) {
	for i, s := range []string{"ciao", "sì", "1.234", "3.307.836,24", "12,35 %", "22/11/2026", "29/03/2026 02:30", "oepv", "b24da5677b"} {
		f.Add(i, s)
	}
	f.Fuzz(func(t *testing.T, i int, s string) {
		typ := allTypes[uint(i)%uint(len(allTypes))]
		v, err := ParseForm(typ, ways, s)
		if err != nil {
			codeOf(t, err)
			return
		}
		if again, err := Parse(typ, ways, v); err != nil || again != v {
			t.Fatalf("%s %q gives %v, which parses to %v, %v", typ, s, v, again, err)
		}
		shown := Format(typ, ways, v, "it")
		if typ == TypeInstant { // seconds are not shown
			return
		}
		if back, err := ParseForm(typ, ways, shown); err != nil || back != v {
			t.Fatalf("%s %v is shown as %q, which reads as %v, %v", typ, v, shown, back, err)
		}
	})
}
