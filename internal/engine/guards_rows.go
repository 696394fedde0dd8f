package engine

import (
	"fmt"
	"strconv"

	"github.com/province-comuni/sua/internal/store"
)

func (f *Facts) registerLabel(id string) Text {
	if r, ok := f.Def.Register(id); ok {
		return r.Label
	}
	return Text{IT: id, EN: id}
}

func (f *Facts) columnLabel(register, id string) Text {
	if r, ok := f.Def.Register(register); ok {
		if c, ok := r.Column(id); ok {
			return c.Label
		}
	}
	return Text{IT: id, EN: id}
}

func rowsFilled(f *Facts, p columnParam) *Refusal {
	label := f.registerLabel(p.Register)
	for _, r := range f.Rows[p.Register] {
		if empty(r.Data[p.Column]) && matching([]store.Row{r}, p.Where, p.Value) > 0 {
			column := f.columnLabel(p.Register, p.Column)
			return refuse("rows_unfilled", "register", label.IT, "register_en", label.EN, "column", column.IT, "column_en", column.EN)
		}
	}
	return nil
}

// matching counts the rows: all, those with the column filled in, or those with the value.
func matching(rows []store.Row, column, value string) int {
	n := 0
	for _, r := range rows {
		if column == "" || (value == "" && !empty(r.Data[column])) || (value != "" && fmt.Sprint(r.Data[column]) == value) {
			n++
		}
	}
	return n
}

func rowsSome(f *Facts, p columnValueParam) *Refusal {
	if matching(f.Rows[p.Register], p.Column, p.Value) > 0 {
		return nil
	}
	label := f.registerLabel(p.Register)
	return refuse("rows_missing", "register", label.IT, "register_en", label.EN)
}

func rowsNone(f *Facts, p columnValueParam) *Refusal {
	if matching(f.Rows[p.Register], p.Column, p.Value) == 0 {
		return nil
	}
	label := f.registerLabel(p.Register)
	return refuse("rows_present", "register", label.IT, "register_en", label.EN)
}

func rowsAtLeast(f *Facts, p rowsLimitParam) *Refusal {
	l, no := f.Limit(p.Limit)
	if no != nil {
		return no
	}
	n, err := l.Int()
	if err == nil && len(f.Rows[p.Register]) >= n {
		return nil
	}
	label := f.registerLabel(p.Register)
	r := refuse("rows_too_few", "register", label.IT, "register_en", label.EN, "minimum", strconv.Itoa(n))
	r.Law = l.Law
	return r
}

func rowsOdd(f *Facts, p registerParam) *Refusal {
	if len(f.Rows[p.Register])%2 == 1 {
		return nil
	}
	label := f.registerLabel(p.Register)
	return refuse("rows_even", "register", label.IT, "register_en", label.EN)
}

func rowsSum(f *Facts, p rowsSumParam) *Refusal {
	var sum int64
	for _, r := range f.Rows[p.Register] {
		v, _ := r.Data[p.Column].(int64)
		sum += v
	}
	if want, _ := f.Case.Data[p.Equals].(int64); sum == want {
		return nil
	}
	reg, label := f.registerLabel(p.Register), f.fieldLabel(p.Equals)
	return refuse("rows_sum", "register", reg.IT, "register_en", reg.EN, "field", label.IT, "field_en", label.EN)
}

func rowsAtMost(f *Facts, p rowsLimitParam) *Refusal {
	l, no := f.Limit(p.Limit)
	if no != nil {
		return no
	}
	n, err := l.Int()
	if err == nil && len(f.Rows[p.Register]) <= n {
		return nil
	}
	label := f.registerLabel(p.Register)
	r := refuse("rows_too_many", "register", label.IT, "register_en", label.EN, "maximum", strconv.Itoa(n))
	r.Law = l.Law
	return r
}

// rowsNotAfter names the operator of the row, when the register has one: who was late is what people ask first.
func rowsNotAfter(f *Facts, p columnBoundParam) *Refusal {
	b, no := f.bound(p.Field, p.ParentField)
	if no != nil {
		return no
	}
	for _, r := range f.Rows[p.Register] {
		at, ok := boundOf(r.Data[p.Column], Text{})
		if !ok || at.compare(b) <= 0 {
			continue
		}
		who, _ := r.Data["operator"].(string)
		if who == "" {
			who = strconv.Itoa(r.Row)
		}
		label, column, late, when := f.registerLabel(p.Register), f.columnLabel(p.Register, p.Column), at.when(), b.when()
		return refuse("row_late", "register", label.IT, "register_en", label.EN, "row", who, "column", column.IT, "column_en", column.EN,
			"late", late.IT, "late_en", late.EN, "field", b.label.IT, "field_en", b.label.EN, "when", when.IT, "when_en", when.EN)
	}
	return nil
}
