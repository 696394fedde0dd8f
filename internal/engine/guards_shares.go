package engine

import (
	"math/big"

	"github.com/province-comuni/sua/internal/law"
)

// Parameters of the guards that hold an amount against a part of another: the part is a percent or ratio of the law.
type (
	shareParam struct {
		Amount string `yaml:"amount" flow:"given,money"`
		Share  string `yaml:"share" flow:"limit,percent|ratio"`
		Of     string `yaml:"of" flow:"field,money"`
	}
	parentShareParam struct {
		Amount string `yaml:"amount" flow:"given,money"`
		Share  string `yaml:"share" flow:"limit,percent|ratio"`
		Of     string `yaml:"of" flow:"parent_field,money"`
		Field  string `yaml:"field,optional" flow:"field,choice|bool"`
		Value  string `yaml:"value,optional" flow:"field_value"`
	}
	rowsShareParam struct {
		Register string `yaml:"register" flow:"register"`
		Column   string `yaml:"column" flow:"column,money"`
		Share    string `yaml:"share" flow:"limit,percent|ratio"`
		Of       string `yaml:"of" flow:"field,money"`
	}
)

// shareWithin: an amount given, or of the case, is at most that share of a field: the advance of the contract, say.
func shareWithin(f *Facts, p shareParam) *Refusal {
	amount, label, ok := f.amountGiven(p.Amount)
	if !ok {
		return refuse("field_empty", "field", label.IT, "field_en", label.EN)
	}
	return f.beyondShare(amount, label, p.Share, f.Case.Data[p.Of], f.fieldLabel(p.Of))
}

// shareOfParentWithin: the same with a field of the parent; with a field and a value, only where the case has that value: a
// limit that the law sets for one ground of several.
func shareOfParentWithin(f *Facts, p parentShareParam) *Refusal {
	if p.Field != "" && !f.hasValue(fieldValueParam{Field: p.Field, Value: p.Value}) {
		return nil
	}
	amount, label, ok := f.amountGiven(p.Amount)
	if !ok {
		return refuse("field_empty", "field", label.IT, "field_en", label.EN)
	}
	return f.beyondShare(amount, label, p.Share, f.parentData()[p.Of], f.parentLabel(p.Of))
}

// rowsShareWithin: the rows of a register together are at most that share of a field: the penalties of the contract, say.
func rowsShareWithin(f *Facts, p rowsShareParam) *Refusal {
	var sum int64
	for _, r := range f.Rows[p.Register] {
		v, _ := r.Data[p.Column].(int64)
		sum += v
	}
	return f.beyondShare(sum, f.registerLabel(p.Register), p.Share, f.Case.Data[p.Of], f.fieldLabel(p.Of))
}

// amountGiven reads an amount that the event asks for; one that may be left out and was is that of the case.
func (f *Facts) amountGiven(id string) (int64, Text, bool) {
	v, label := f.given(id)
	if v == nil {
		v = f.Case.Data[id]
	}
	cents, ok := v.(int64)
	return cents, label, ok
}

// beyondShare refuses cents that exceed a share of an amount; one that is not known has no share.
func (f *Facts) beyondShare(cents int64, what Text, share string, of any, label Text) *Refusal {
	whole, ok := of.(int64)
	if !ok {
		return refuse("field_empty", "field", label.IT, "field_en", label.EN)
	}
	l, no := f.Limit(share)
	if no != nil {
		return no
	}
	part, err := l.Fraction()
	if err != nil {
		return refuse("limit_missing", "key", share, "day", "")
	}
	part.Mul(part, big.NewRat(whole, 1))
	if big.NewRat(cents, 1).Cmp(part) <= 0 {
		return nil
	}
	r := refuse("share_beyond", "what", what.IT, "what_en", what.EN, "amount", law.Cents(cents).String(), "limit", l.Text(), "field", label.IT, "field_en", label.EN)
	r.Law = l.Law
	return r
}
