package calendar

import (
	"math/rand/v2"
	"testing"
	"time"
)

// cases calls check with many random starts and lengths for every rule and unit of days; the seed is fixed so that a
// failure comes back.
func cases(t *testing.T, check func(t *testing.T, r Rule, unit Unit, start time.Time, n int, h Holidays)) {
	t.Helper()
	seats := []Holidays{Italy(), Italy(MonthDay{time.December, 7}), Italy(MonthDay{time.September, 1}, MonthDay{time.June, 24})}
	for _, r := range Rules() {
		random := rand.New(rand.NewPCG(1182, 1971))
		for _, unit := range []Unit{Days, Months, Years, WorkingDays} {
			if !r.Counts(unit) {
				continue
			}
			for range 400 {
				start := time.Date(2023, time.July, 1, 0, 0, random.IntN(15*365*24*3600), 0, time.UTC)
				check(t, r, unit, start, random.IntN(70), seats[random.IntN(len(seats))])
				if t.Failed() {
					return
				}
			}
		}
	}
}

func TestLastDayNeverRests(t *testing.T) {
	rests := map[string]func(d Date, h Holidays) bool{ // said again here, apart from the table of rules
		"calendar_roll": isHoliday, "months_roll": isHoliday, "years_roll": isHoliday, "free_days": isHoliday,
		"calendar_roll_saturday": isClosed, "working_days": isClosed, "backward": isClosed,
		"eu_1182": func(d Date, _ Holidays) bool { return isClosed(d, Italy()) },
		"court":   func(d Date, h Holidays) bool { return d.Month == time.August || isClosed(d, h) },
	}
	never := map[string]bool{"calendar": true, "months": true, "standstill": true}
	cases(t, func(t *testing.T, r Rule, unit Unit, start time.Time, n int, h Holidays) {
		rest, moves := rests[r.Name]
		if moves == never[r.Name] {
			t.Fatalf("say here whether %s moves its last day", r.Name)
		}
		if got := count(t, start, n, unit, r.Name, h); moves && rest(got.LastDay, h) {
			t.Errorf("%s: %v + %d %s ends on %v, which is no day for it", r.Name, start, n, unit, got.LastDay.Italian())
		}
	})
}

func isHoliday(d Date, h Holidays) bool { _, ok := h.Holiday(d); return ok }
func isClosed(d Date, h Holidays) bool  { return isHoliday(d, h) || d.Weekday() == time.Saturday }

func TestLongerTermsNeverEndEarlier(t *testing.T) {
	cases(t, func(t *testing.T, r Rule, unit Unit, start time.Time, n int, h Holidays) {
		one, more := count(t, start, n, unit, r.Name, h), count(t, start, n+1, unit, r.Name, h)
		if r.Name == "backward" {
			one, more = more, one
		}
		if more.Due.Before(one.Due) {
			t.Errorf("%s: from %v, %d and %d %s end at %v and %v", r.Name, start, n, n+1, unit, one.Due, more.Due)
		}
	})
}

func TestDayTermsEndAtMidnightInRome(t *testing.T) {
	cases(t, func(t *testing.T, r Rule, unit Unit, start time.Time, n int, h Holidays) {
		got := count(t, start, n, unit, r.Name, h)
		if clock := got.Due.In(Rome).Format("15:04:05.999999999"); clock != "00:00:00" || DateOf(got.Due) != got.LastDay.AddDays(1) {
			t.Errorf("%s: over at %v, last day %v", r.Name, got.Due.In(Rome), got.LastDay)
		}
		if r.Name != "backward" && got.LastDay.Before(DateOf(start).AddDays(n)) {
			t.Errorf("%s: %d %s from %v end already on %v", r.Name, n, unit, start, got.LastDay)
		}
		if r.Name == "backward" && got.LastDay.After(DateOf(start).AddDays(-n)) {
			t.Errorf("backward: %d %s before %v end only on %v", n, unit, start, got.LastDay)
		}
		if !got.FirstDay.After(got.LastDay) || !h.National().WorkingDay(got.FirstDay) {
			t.Errorf("%s: first working day after %v is %v", r.Name, got.LastDay, got.FirstDay)
		}
	})
}

func TestEUTermsHaveTwoWorkingDays(t *testing.T) {
	cases(t, func(t *testing.T, r Rule, unit Unit, start time.Time, n int, h Holidays) {
		if r.Name != "eu_1182" || unit != Days {
			return
		}
		n = 2 + n%6 // the short terms are the ones at risk
		got, working := count(t, start, n, unit, r.Name, h), 0
		for d := DateOf(start).AddDays(1); !d.After(got.LastDay); d = d.AddDays(1) {
			if !isClosed(d, Italy()) {
				working++
			}
		}
		if working < 2 {
			t.Errorf("%v + %d days ends on %v with %d working days", start, n, got.LastDay, working)
		}
	})
}

func TestCourtTermsNeverCountAugust(t *testing.T) {
	cases(t, func(t *testing.T, r Rule, unit Unit, start time.Time, n int, h Holidays) {
		if r.Name != "court" || unit != Days {
			return
		}
		got, counted := count(t, start, n, unit, r.Name, h), 0
		for d := DateOf(start).AddDays(1); !d.After(got.LastDay); d = d.AddDays(1) {
			if d.Month != time.August {
				counted++
			}
		}
		if counted < n || counted > n+6 { // more only by the roll: Easter and Christmas with a patron are the longest
			t.Errorf("%v + %d days ends on %v after %d days outside August", start, n, got.LastDay, counted)
		}
	})
}
