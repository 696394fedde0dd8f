package flow

import (
	"slices"
	"testing"
)

func TestCountedByNamesRuleAndWorkflows(t *testing.T) {
	l := compiled(t, string(mustRead(t, "testdata/good/open_procedure.yaml")), string(mustRead(t, "testdata/good/stubs.yaml")))
	for key, want := range map[string]string{"standstill.days": "standstill", "request.answer_days": "calendar_roll"} {
		got := l.CountedBy(key)
		if len(got[want]) == 0 {
			t.Errorf("%s is counted by %v, want %s among them", key, got, want)
		}
		for rule, by := range got {
			if !slices.IsSorted(by) {
				t.Errorf("%s by %s: %v, want them in order", key, rule, by)
			}
		}
	}
	if got := l.CountedBy("no.such.key"); len(got) != 0 {
		t.Errorf("a key nobody uses is counted by %v", got)
	}
}

func TestCountingReadsTheParameters(t *testing.T) {
	keys, rule := Counting(struct {
		Field   string `flow:"field"`
		Term    string `flow:"limit,days"`
		Table   Term   `flow:"limit,days"`
		Counted string `flow:"rule"`
	}{"x", "a.days", Term{Field: "f", ByChoice: map[string]string{"1": "c.days", "2": "b.days"}}, "calendar"})
	if !slices.Equal(keys, []string{"a.days", "b.days", "c.days"}) || rule != "calendar" {
		t.Errorf("counting reads %v by %q", keys, rule)
	}
	if keys, rule := Counting(nil); keys != nil || rule != "" {
		t.Errorf("no parameters give %v by %q", keys, rule)
	}
}
