package engine

import (
	"testing"
	"time"
)

func TestForecastIsPure(t *testing.T) {
	const day = 24 * time.Hour
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(days int) time.Time { return start.Add(time.Duration(days) * day) }
	rest := func(days ...int) []time.Duration {
		var out []time.Duration
		for _, d := range days {
			out = append(out, time.Duration(d)*day)
		}
		return out
	}
	for _, c := range []struct {
		name   string
		p      pace
		at     time.Time
		basis  string
		breach int
	}{
		{"first of four stages, half done: an eighth took ten days", pace{Started: start, Entered: start, Now: at(10), Due: at(100), Stages: 4}, at(80), BasisPlan, 0},
		{"the same, too slow", pace{Started: start, Entered: start, Now: at(20), Due: at(100), Stages: 4}, at(160), BasisPlan, 60},
		{"last of four: seven eighths", pace{Started: start, Entered: at(60), Now: at(70), Due: at(100), Stage: 3, Stages: 4}, at(80), BasisPlan, 0},
		{"four cases are too few", pace{Started: start, Entered: start, Now: at(10), Due: at(100), Stages: 4, Rest: rest(1, 1, 1, 1)}, at(80), BasisPlan, 0},
		{"the middle of five", pace{Started: start, Entered: at(20), Now: at(30), Due: at(100), Stages: 4, Rest: rest(10, 500, 40, 30, 90)}, at(60), BasisHistory, 0},
		{"of six the mean of two", pace{Started: start, Entered: at(20), Now: at(30), Due: at(50), Stages: 4, Rest: rest(10, 500, 40, 30, 90, 50)}, at(65), BasisHistory, 15},
		{"never before now", pace{Started: start, Entered: at(20), Now: at(99), Due: at(100), Stages: 4, Rest: rest(1, 2, 3, 4, 5)}, at(99), BasisHistory, 0},
		{"just begun", pace{Started: start, Entered: start, Now: start, Due: at(100), Stages: 4}, start, BasisPlan, 0},
	} {
		f := c.p.forecast()
		if !f.At.Equal(c.at) || f.Basis != c.basis || f.Breach != (c.breach > 0) || f.Days != c.breach || f.Text.IT == "" || f.Text.EN == f.Text.IT {
			t.Errorf("%s: %s %s, %d days late: %s", c.name, f.At, f.Basis, f.Days, f.Text.IT)
		}
	}
}

func TestPercentOfATerm(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ at, due, want int }{{0, 100, 0}, {1, 3, 33}, {50, 100, 50}, {99, 100, 99}, {100, 100, 100}, {500, 100, 100}, {-3, 100, 0}, {0, 0, 100}, {-1, -2, 100}} {
		if got := percent(start, start.Add(time.Duration(c.at)*time.Hour), start.Add(time.Duration(c.due)*time.Hour)); got != c.want {
			t.Errorf("%d of %d: %d, want %d", c.at, c.due, got, c.want)
		}
	}
}
