package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
)

// tale is what a notice is about.
type tale struct {
	e        *Engine
	c, root  *store.Case
	def      *flow.Definition // nil when it is gone
	order    noticeOrder
	happened *store.Event // nil when there is none
	term     *store.Deadline
	now      time.Time
	fields   []string // that its template names
}

// near gives the cases that are known here.
func (t *tale) near(id string) *store.Case {
	switch id {
	case t.c.ID:
		return t.c
	case t.root.ID:
		return t.root
	}
	return nil
}

// reasons are the inputs that say why an event happened.
var reasons = []string{"reason", "reasons", "motivation"}

// values gives the fields of the template as this person may see them; what is secret for now is left out.
func (t *tale) values(who auth.Actor) notice.Values {
	v := notice.Values{}
	seen := look(who, t.c)
	own, top := t.e.summary(t.c, seen), t.e.summary(t.root, look(who, t.root))
	for _, f := range t.fields {
		var x Text
		switch f {
		case "case.title":
			x = same(firstOf(own.Title, top.Title))
			if x.IT == "" {
				x = top.Workflow.Label
			}
		case "case.label":
			x = own.Workflow.Label
			if t.def != nil {
				x = caseLabel(t.c, t.def)
			}
		case "case.cig":
			x = same(firstOf(own.CIG, top.CIG))
		case "case.state":
			x = own.State.Label
		case "body":
			x = same(t.e.parties.bodyRef(t.c.MemberBody).Name)
		case "sua":
			x = same(t.e.parties.bodyRef(t.c.SUA).Name)
		case "link":
			x = same(t.e.cfg.Notices.PublicURL + "/procedure/" + t.c.ID)
		default:
			x = t.ofEvent(f, seen)
		}
		if x.IT != "" {
			v[f] = notice.Text{IT: x.IT, EN: x.EN}
		}
	}
	return v
}

// ofEvent gives the fields about the event or the term.
func (t *tale) ofEvent(field string, seen sight) Text {
	if t.term != nil {
		if x, ok := t.ofTerm(field, seen); ok {
			return x
		}
	}
	var decl *flow.Event
	if t.def != nil {
		decl, _ = t.def.Event(t.order.Event)
	}
	switch {
	case field == "event.label" && decl != nil:
		return decl.Label
	case field == "event.label":
		if t.def != nil {
			if d, ok := t.def.Deadline(t.order.Event); ok {
				return d.Label
			}
		}
		return same(t.order.Event)
	case field == "law" && decl != nil:
		return same(decl.Law)
	case field == "event.day" && t.happened != nil:
		return dayText(calendar.DateOf(t.happened.Effective))
	case field == "reason" && t.happened != nil && decl != nil:
		return same(t.reasonOf(decl, seen))
	}
	return Text{}
}

// reasonOf reads the motivation among what was given to the event, as far as this person may see it.
func (t *tale) reasonOf(decl *flow.Event, seen sight) string {
	for _, part := range [][]byte{t.happened.OpenBody, t.happened.SecretBody} {
		var told struct {
			Inputs map[string]any `json:"inputs"`
		}
		if len(part) == 0 || json.Unmarshal(part, &told) != nil {
			continue
		}
		for _, id := range reasons {
			if s, ok := told.Inputs[id].(string); ok && s != "" && t.e.seesInput(seen, t.def, decl, id) {
				return s
			}
		}
	}
	return ""
}

// findTerm picks the deadline that a notice about a term means: of the name in the order, started by that event; or the one whose
// expiry brought the event about.
func (t *tale) findTerm(all []store.Deadline) {
	if !isTermNotice(t.order.Template) {
		return
	}
	name, seq := t.order.Event, t.order.Seq
	if t.def != nil {
		if _, isTerm := t.def.Deadline(name); !isTerm && t.happened != nil {
			var told story
			if json.Unmarshal(t.happened.OpenBody, &told) == nil {
				name, seq = told.Deadline, 0
			}
		}
	}
	for i := range all {
		if d := &all[i]; d.CaseID == t.c.ID && d.Name == name && (seq == 0 || d.StartedSeq == seq) {
			t.term = d
		}
	}
}

func (t *tale) ofTerm(field string, seen sight) (Text, bool) {
	if text, ok := t.ofChange(field); ok {
		return text, true
	}
	var decl *flow.Deadline
	if t.def != nil {
		decl, _ = t.def.Deadline(t.term.Name)
	}
	day, err := calendar.ParseDate(t.term.LastDay)
	switch field {
	case "deadline.label", "event.label":
		if decl != nil {
			return decl.Label, true
		}
		return same(t.term.Name), true
	case "deadline.last_day":
		if err != nil {
			return same(t.term.LastDay), true
		}
		return dayText(day), true
	case "deadline.left":
		if err != nil {
			return Text{}, true
		}
		return same(strconv.Itoa(max(0, day.Sub(calendar.DateOf(t.now))))), true
	case "deadline.then":
		if decl != nil {
			if ev, ok := t.def.Event(decl.Fire); ok {
				return ev.Label, true
			}
		}
		return Text{}, true
	case "deadline.others":
		return t.others(), true
	case "deadline.blocked":
		var no heldBack
		if t.term.BlockedBy != nil && json.Unmarshal(t.term.BlockedBy, &no) == nil {
			return t.e.heldFor(seen.among(t.near), t.c, t.def, t.term.Name, no).Text, true
		}
		return Text{}, true
	case "law":
		if decl != nil {
			return same(decl.Law), true
		}
	case "event.day":
		return Text{}, true
	}
	return Text{}, false
}

// mostNamed is how many of the terms that changed with one a notice names; the rest is counted.
const mostNamed = 3

// others names the terms that the event changed besides the one the notice is about, each with its last day.
func (t *tale) others() Text {
	var event story
	if t.happened == nil || json.Unmarshal(t.happened.OpenBody, &event) != nil {
		return Text{}
	}
	var it, en []string
	for _, d := range event.Deadlines {
		day, err := calendar.ParseDate(d.LastDay)
		if err != nil || d.Name == t.term.Name && d.Started == t.term.StartedSeq {
			continue
		}
		label := same(d.Name)
		if t.def != nil {
			if decl, ok := t.def.Deadline(d.Name); ok {
				label = decl.Label
			}
		}
		it, en = append(it, "«"+label.IT+"» ("+day.Italian()+")"), append(en, "“"+label.EN+"” ("+day.English()+")")
	}
	if more := len(it) - mostNamed; more == 1 {
		it, en = append(it[:mostNamed], "un altro"), append(en[:mostNamed], "one more")
	} else if more > 1 {
		it, en = append(it[:mostNamed], fmt.Sprintf("altri %d", more)), append(en[:mostNamed], fmt.Sprintf("%d more", more))
	}
	return Text{IT: listed(it, " e "), EN: listed(en, " and ")}
}

// listed writes a list as people do: commas, and the last word before its end.
func listed(all []string, last string) string {
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + last + all[len(all)-1]
}

// ofChange gives what was said when a term was changed by hand or for an outage.
func (t *tale) ofChange(field string) (Text, bool) {
	label, ok := aside[t.order.Event]
	if !ok || t.happened == nil {
		return Text{}, false
	}
	switch field {
	case "event.label":
		return label, true
	case "reason", "law":
		var told story
		if json.Unmarshal(t.happened.OpenBody, &told) != nil {
			return Text{}, true
		}
		text, _ := told.Inputs[field].(string)
		return same(text), true
	}
	return Text{}, false
}

func same(s string) Text { return Text{IT: s, EN: s} }

func firstOf(all ...string) string {
	if i := slices.IndexFunc(all, func(s string) bool { return s != "" }); i >= 0 {
		return all[i]
	}
	return ""
}

func dayText(d calendar.Date) Text { return Text{IT: d.Italian(), EN: d.English()} }

// told reads the values of a notice back.
func told(n *store.Notice) (notice.Values, error) {
	v := notice.Values{}
	if err := json.Unmarshal(n.Params, &v); err != nil {
		return nil, fmt.Errorf("notice %s: %w", n.ID, err)
	}
	return v, nil
}
