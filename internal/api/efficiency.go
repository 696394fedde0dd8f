package api

import (
	"context"
	"net/http"

	"github.com/province-comuni/sua/internal/engine"
)

// efficiency is the figure of All. II.4 art. 11 for one SUA.
type efficiency struct {
	SUA     ref               `json:"sua"`
	Whole   bool              `json:"whole" doc:"Tutti i lotti della SUA; false: solo quelli degli enti di chi chiede, e nessun esito"`
	Periods list[awardPeriod] `json:"periods" doc:"I semestri per data del contratto, dal più recente"`
	Lots    list[awardTime]   `json:"lots" doc:"I lotti con contratto, dal più recente; al più 1000"`
}

type awardPeriod struct {
	From     day       `json:"from"`
	To       day       `json:"to"`
	Complete bool      `json:"complete" doc:"Il periodo è finito"`
	Lots     count     `json:"lots" doc:"I lotti con entrambe le date"`
	Missing  count     `json:"missing" doc:"I lotti con il contratto ma senza scadenza delle offerte: fuori dalla media"`
	Days     span      `json:"days" doc:"La somma dei giorni"`
	Mean     line      `json:"mean,omitempty" doc:"La media in giorni, con un decimale: 98.5"`
	Verdict  ident     `json:"verdict" doc:"premium: premialità; middle: né l'una né l'altro; plan: piano all'ANAC; none: nulla da giudicare"`
	Text     bilingual `json:"text" doc:"L'esito in una frase"`
	Law      line      `json:"law,omitempty"`
}

type awardTime struct {
	Case       ident `json:"case"`
	Root       ident `json:"root" doc:"La pratica in cima all'albero"`
	Title      prose `json:"title"`
	CIG        line  `json:"cig,omitempty"`
	MemberBody *ref  `json:"member_body,omitempty"`
	BidsDue    day   `json:"bids_due,omitempty" doc:"Il giorno della scadenza delle offerte; manca se non è registrata"`
	Contract   day   `json:"contract" doc:"Il giorno del contratto"`
	Days       *span `json:"days,omitempty" doc:"I giorni dalla scadenza delle offerte al contratto"`
}

type efficiencyInput struct {
	caller
	SUA  ident `query:"sua" doc:"La SUA; può mancare se chi chiede ne ha una sola"`
	From day   `query:"from" doc:"Solo i contratti da questo giorno"`
	To   day   `query:"to" doc:"Solo i contratti fino a questo giorno"`
}

type efficiencyOutput struct{ Body efficiency }

func (s *service) efficiency(ctx context.Context, in *efficiencyInput) (*efficiencyOutput, error) {
	f, err := s.Engine.Efficiency(ctx, in.actor, string(in.SUA), string(in.From), string(in.To))
	if err != nil {
		return nil, ofParameters(err)
	}
	return &efficiencyOutput{efficiency{
		SUA: refBody(f.SUA), Whole: f.Whole, Periods: each(f.Periods, periodBody), Lots: each(f.Lots[:min(len(f.Lots), manyItems)], awardTimeBody),
	}}, nil
}

func periodBody(p engine.AwardPeriod) awardPeriod {
	return awardPeriod{
		From: day(p.From), To: day(p.To), Complete: p.Complete, Lots: count(p.Lots), Missing: count(p.Missing), Days: span(p.Days), Mean: line(p.Mean()),
		Verdict: ident(p.Verdict), Text: text2(p.Text), Law: line(p.Law),
	}
}

func awardTimeBody(t engine.AwardTime) awardTime {
	out := awardTime{
		Case: ident(t.Case.ID), Root: ident(t.Case.Root), Title: prose(t.Case.Title), CIG: line(t.Case.CIG), MemberBody: refOf(t.Case.MemberBody),
		BidsDue: day(t.BidsDue), Contract: day(t.Contract),
	}
	if t.Days != nil {
		days := span(*t.Days)
		out.Days = &days
	}
	return out
}

func (s *service) efficiencyRoutes(r *routes) {
	add(r, operation{
		id: "efficiency", method: http.MethodGet, path: "/efficiency", tag: "pratiche", errors: []int{http.StatusNotFound},
		summary: "L'efficienza di una SUA",
		description: "Per ogni lotto i giorni dalla scadenza delle offerte al contratto, e la media di ogni semestre con il suo esito (D.Lgs. 36/2023, All. II.4 art. 11). " +
			"Chi lavora per un Comune vede solo i propri lotti, senza esito.",
	}, s.efficiency)
}
