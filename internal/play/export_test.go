package play

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
)

// DemoOnDays plays what Demo would load at each of these moments, ascending, all on one stage and in one run through time: procedures
// know nothing of each other, so that they need not be played one day after the other. What each expects is looked at when it would
// be loaded. A script of real dates is played once, and looked at on each day.
func DemoOnDays(ctx context.Context, cfg Config, moments []time.Time) error {
	cfg.Clock.set(demoBegins.Start())
	d, err := cast(ctx, cfg)
	if err != nil {
		return err
	}
	var all []*tale
	for i, now := range moments {
		tales, err := d.tales(calendar.DateOf(now))
		if err != nil {
			return err
		}
		for _, t := range tales {
			switch {
			case t.relative:
				t.name, t.until = fmt.Sprintf("%s on %s", t.name, calendar.DateOf(now)), []time.Time{now}
				if t.end.After(now) {
					return fmt.Errorf("%s ends on %s", t.name, t.end)
				}
				all = append(all, t)
			case i == 0:
				t.until = slices.Clone(moments)
				all = append(all, t)
			}
		}
	}
	_, err = perform(ctx, cfg, all, moments[len(moments)-1], io.Discard)
	return err
}
