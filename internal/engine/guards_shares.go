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
	rowsShareParam struct {
		Register string `yaml:"register" flow:"register"`
		Column   string `yaml:"column" flow:"column,money"`
		Share    string `yaml:"share" flow:"limit,percent|ratio"`
		Of       string `yaml:"of" flow:"field,money"`
	}
)

// shareWithin: an amount given, or of the case, is at most that share of a field: the advance of the contract, say.
func shareWithin(f *Facts, p shareParam) *Refusal {
	v, label := f.given(p.Amount)
	amount, ok := v.(int64)
	if !ok {
		return refuse("field_empty", "field", label.IT, "field_en", label.EN)
	}
	return f.beyondShare(amount, label, p.Share, p.Of)
}

// rowsShareWithin: the rows of a register together are at most that share of a field: the penalties of the contract, say.
func rowsShareWithin(f *Facts, p rowsShareParam) *Refusal {
	var sum int64
	for _, r := range f.Rows[p.Register] {
		v, _ := r.Data[p.Column].(int64)
		sum += v
	}
	return f.beyondShare(sum, f.registerLabel(p.Register), p.Share, p.Of)
}

// beyondShare refuses cents that exceed a share of a money field; a field that is not known has no share.
func (f *Facts) beyondShare(cents int64, what Text, share, of string) *Refusal {
	whole, ok := f.Case.Data[of].(int64)
	if !ok {
		return f.missing(of)
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
	label := f.fieldLabel(of)
	r := refuse("share_beyond", "what", what.IT, "what_en", what.EN, "amount", law.Cents(cents).String(), "limit", l.Text(), "field", label.IT, "field_en", label.EN)
	r.Law = l.Law
	return r
}
