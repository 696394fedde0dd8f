package web

import (
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
)

// efficiencyView is the page of the figure of All. II.4 art. 11.
type efficiencyView struct {
	SUA     string
	Choices []option // the SUAs to choose from, when there are several
	Chosen  string
	Whole   bool
	Periods []periodView
	Lots    []awardView
	More    int // lots that are not listed
}

type periodView struct {
	Span, Lots, Mean, Text, Law string
	Missing                     int
	Plan                        bool // it asks for a plan: drawn as a warning
}

type awardView struct{ ID, Title, CIG, Body, BidsDue, Contract, Days string }

// mostLots is how many lots the page lists; the API has more.
const mostLots = 200

func (s *site) efficiency(c echo.Context, who visitor) error {
	ctx := c.Request().Context()
	suas, err := s.Engine.EfficiencySUAs(ctx, who.Actor)
	if err != nil {
		return err
	}
	view := efficiencyView{Chosen: c.QueryParam("sua")}
	if len(suas) > 1 {
		for _, r := range suas {
			view.Choices = append(view.Choices, option{r.ID, r.Name})
		}
	}
	if view.Chosen != "" || len(suas) == 1 {
		f, err := s.Engine.Efficiency(ctx, who.Actor, view.Chosen, "", "")
		if err != nil {
			return err
		}
		view.fill(f)
	}
	return show(c, efficiencyPage(s.frame(who, "Efficienza", "efficienza"), view))
}

func (v *efficiencyView) fill(f engine.Efficiency) {
	v.SUA, v.Chosen, v.Whole = f.SUA.Name, f.SUA.ID, f.Whole
	for _, p := range f.Periods {
		v.Periods = append(v.Periods, periodView{
			Span: isoDay(p.From) + " – " + isoDay(p.To), Lots: strconv.Itoa(p.Lots), Mean: strings.Replace(p.Mean(), ".", ",", 1), Text: p.Text.IT, Law: p.Law,
			Missing: p.Missing, Plan: p.Verdict == engine.VerdictPlan,
		})
	}
	v.More = max(0, len(f.Lots)-mostLots)
	for _, t := range f.Lots[:len(f.Lots)-v.More] {
		row := awardView{ID: t.Case.ID, Title: t.Case.Title, CIG: t.Case.CIG, Body: t.Case.MemberBody.Name, BidsDue: isoDay(t.BidsDue), Contract: isoDay(t.Contract)}
		if row.Title == "" {
			row.Title = t.Case.Workflow.Label.IT
		}
		if t.Days != nil {
			row.Days = strconv.Itoa(*t.Days)
		}
		v.Lots = append(v.Lots, row)
	}
}
