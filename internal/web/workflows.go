package web

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// workflowView is the page of one definition: the picture, and the same as a table for who cannot see it.
type workflowView struct {
	Title, Help, Law, Hash string
	Version                int
	Groups                 []stateGroup
	Terms                  []termRule
}

// stateGroup is a stage with its states.
type stateGroup struct {
	Stage  string
	States []stateView
}

type stateView struct {
	Label, Help, Law string
	Final            bool
	Ways             []wayView
}

// wayView is an event that leaves from a state.
type wayView struct{ Event, To, Who, Documents, Law string }

type termRule struct{ Label, Law, Then string }

func (s *site) workflows(c echo.Context, who visitor) error {
	var latest, older []engine.WorkflowView
	for _, w := range s.Engine.Workflows() {
		if w.Latest {
			latest = append(latest, w)
		} else {
			older = append(older, w)
		}
	}
	return show(c, workflowsPage(s.frame(who, "Flussi", "flussi"), latest, older))
}

func (s *site) workflow(c echo.Context, who visitor) error {
	def, err := s.Engine.Definition(c.Param("hash"))
	if err != nil {
		return err
	}
	view := describe(def, engine.Vocabulary())
	return show(c, workflowPage(s.frame(who, view.Title, "flussi"), view))
}

func describe(def *flow.Definition, words flow.Vocabulary) workflowView {
	v := workflowView{Title: def.Label.IT, Help: def.Help.IT, Law: def.Law, Hash: def.Hash, Version: def.Version}
	for _, stage := range def.Stages {
		group := stateGroup{Stage: stage.Label.IT}
		for _, st := range def.States {
			if st.Stage != stage.ID {
				continue
			}
			view := stateView{Label: st.Label.IT, Help: st.Help.IT, Law: st.Law, Final: st.Final != ""}
			for _, ev := range def.EventsFrom(st.ID) {
				if !ev.Rectify { // from everywhere to everywhere: it would hide the rest
					view.Ways = append(view.Ways, wayOf(def, ev, st, words))
				}
			}
			group.States = append(group.States, view)
		}
		v.Groups = append(v.Groups, group)
	}
	for _, d := range def.Deadlines {
		rule := termRule{Label: d.Label.IT, Law: d.Law}
		if ev, ok := def.Event(d.Fire); ok {
			rule.Then = ev.Label.IT
		}
		v.Terms = append(v.Terms, rule)
	}
	return v
}

func wayOf(def *flow.Definition, ev *flow.Event, from flow.State, words flow.Vocabulary) wayView {
	w := wayView{Event: ev.Label.IT, Law: ev.Law}
	var to, who, documents []string
	for _, m := range def.MovesFrom(ev.ID, from.ID) {
		to = append(to, targetName(def, m.To)...)
	}
	for _, by := range ev.By {
		name := words.Roles[by.Role].Label.IT
		if by.OwnerOf != "" {
			name = "chi adotta l'atto «" + words.Acts[by.OwnerOf].IT + "»"
		}
		who = append(who, name)
	}
	for _, id := range ev.Documents {
		if doc, ok := def.Document(id); ok {
			documents = append(documents, doc.Label.IT)
		}
	}
	w.To, w.Who, w.Documents = either(to), strings.Join(who, ", "), strings.Join(documents, ", ")
	return w
}

func targetName(def *flow.Definition, t flow.Target) []string {
	switch {
	case t.Same:
		return []string{"resta"}
	case t.Previous:
		return []string{"torna allo stato precedente"}
	case t.State != "":
		return []string{stateName(def, t.State)}
	}
	var names []string
	for _, id := range t.Among {
		names = append(names, stateName(def, id))
	}
	return names
}

func stateName(def *flow.Definition, id string) string {
	if st, ok := def.State(id); ok {
		return st.Label.IT
	}
	return id
}

func (s *site) graph(c echo.Context, _ visitor) error {
	svg, err := s.Engine.Graph(c.Request().Context(), c.Param("hash"), "it")
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	h.Set("Cache-Control", "private, max-age=86400") // a definition never changes
	return c.Blob(http.StatusOK, "image/svg+xml", svg)
}

// either joins alternatives: "A", "A oppure B", "A, B oppure C".
func either(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " oppure " + names[len(names)-1]
}

func roleNames(roles []engine.Labelled) string {
	var names []string
	for _, r := range roles {
		names = append(names, r.Label.IT)
	}
	return either(names)
}

// together joins the names of roles that are told together.
func together(roles []engine.Labelled) string {
	var names []string
	for _, r := range roles {
		names = append(names, r.Label.IT)
	}
	return strings.Join(names, ", ")
}
