package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// tender is an open procedure with lots, led through the pages only.
type tender struct {
	o    *office
	seen map[string]*browser // one session per person
	id   string
	lots []string
}

func (d *tender) as(t *testing.T, who string) *browser {
	t.Helper()
	if d.seen[who] == nil {
		d.seen[who] = d.o.as(t, who)
	}
	return d.seen[who]
}

// form reads "name=value" pairs.
func form(pairs ...string) url.Values {
	v := url.Values{}
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		v.Set(name, value)
	}
	return v
}

// try sends the form of an event with these answers and returns what comes back.
func (d *tender) try(t *testing.T, who, id, event string, answers ...string) reply {
	t.Helper()
	b := d.as(t, who)
	page := b.get(t, actionPath(id, event))
	if len(page.all("form", "method=post", "action="+actionPath(id, event))) != 1 {
		t.Fatalf("%s %s: no form: %s", who, event, text(page.one(t, "main")))
	}
	return b.submit(t, page, actionPath(id, event), form(answers...))
}

func (d *tender) do(t *testing.T, who, id, event string, answers ...string) reply {
	t.Helper()
	page := d.try(t, who, id, event, answers...)
	if page.Status != http.StatusOK || !page.contains("Fatto: ") {
		t.Fatalf("%s %s: %d: %s", who, event, page.Status, text(page.one(t, "main")))
	}
	return page
}

func (d *tender) attach(t *testing.T, who, id string, kinds ...string) {
	t.Helper()
	b := d.as(t, who)
	for _, kind := range kinds {
		b.upload(t, b.get(t, "/procedure/"+id), id, kind, kind+".pdf", "%PDF-1.7 "+kind+id).want(t, http.StatusOK, "Documento caricato")
	}
}

// to moves the clock and applies what is due by then.
func (d *tender) to(t *testing.T, when string) {
	t.Helper()
	d.o.clock.Store(at(t, when).UnixMicro())
	d.seen = map[string]*browser{} // sessions have ended meanwhile
	if _, err := d.o.ExpireDue(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// closed leads a tender with three lots to the deadline of the bids.
func closed(t *testing.T, o *office) *tender {
	t.Helper()
	o.clock.Store(at(t, "2026-01-12T09:00:00+01:00").UnixMicro())
	d := &tender{o: o, seen: map[string]*browser{}}
	path := "/procedure/nuova/open_procedure/create_request"
	rup := d.as(t, "rup")
	page := rup.submit(t, rup.get(t, path), path, form("i.title=Nuove scuole", "i.kind=works", "i.amount=2.400.000,00", "i.cup=B18E18000340009", "i.cui=L80009330285202600007"))
	page.want(t, http.StatusOK, "Procedura aperta", "Tocca a te")
	d.id = strings.TrimSuffix(strings.TrimPrefix(page.URL, "/procedure/"), "?fatto=aperta")
	d.do(t, "rup", d.id, "add_lot", "i.lot_title=Lotto 2: palestra", "i.lot_amount=1.900.000,00")
	page = d.do(t, "rup", d.id, "add_lot", "i.lot_title=Lotto 3: mensa", "i.lot_amount=1.600.000,00")
	for _, a := range (document{page.one(t, "div", "aria-label=Lotti")}).all("a") {
		d.lots = append(d.lots, strings.TrimPrefix(attr(a, "href"), "/procedure/"))
	}
	if len(d.lots) != 3 {
		t.Fatalf("%d lots in the page of the tender, want 3", len(d.lots))
	}
	d.do(t, "rup", d.id, "sum_lots")
	d.do(t, "rup", d.id, "edit_request", "i.procedure_kind=open", "i.criterion=best_value", "i.duration_days=400")
	d.attach(t, "rup", d.id, "request_form", "rup_appointment", "conflict_declaration", "quadro_economico", "project_approval")
	d.do(t, "rup", d.id, "approve_project", "i.project_approved_on=2025-12-15")
	d.do(t, "rup", d.id, "submit_request", "w.documents_incomplete=Arrivano con la PEC di domani")
	d.do(t, "sua_clerk", d.id, "take_charge", "i.officer=sua_clerk", "i.phase_manager=sua_phase_manager", "w.not_qualified=Qualificazione in corso di registrazione")
	d.do(t, "sua_director", d.id, "accept")
	d.do(t, "sua_clerk", d.id, "draft_docs")
	d.do(t, "sua_clerk", d.id, "set_notice", "i.bid_term=ordinary", "i.technical_points=80", "i.price_points=20", "i.anomaly_elements=Quattro quinti", "i.no_award_clause=si")
	d.attach(t, "sua_clerk", d.id, "notice", "tender_rules", "indiction", "eu_receipt")
	d.do(t, "sua_clerk", d.id, "share_docs")
	d.do(t, "rup", d.id, "approve_docs", "i.approved_on=2026-01-12")
	d.attach(t, "rup", d.id, "decision", "coverage")
	d.do(t, "member_director", d.id, "adopt_decision")
	d.do(t, "sua_director", d.id, "adopt_indiction")
	for i, cig := range []string{"A0080CB958", "B24DA5677B", "B24DA5784E"} {
		d.do(t, "sua_clerk", d.lots[i], "record_cig", "i.cig="+cig)
	}
	d.do(t, "sua_clerk", d.id, "get_cig")
	d.to(t, "2026-01-14T10:00:00+01:00")
	d.do(t, "sua_clerk", d.id, "send_notice", "i.questions_until=2026-02-05T12:00", "i.bids_due=2026-02-16T12:00")
	d.to(t, "2026-01-15T09:00:00+01:00")
	d.do(t, "sua_clerk", d.id, "record_eu_publication", "i.number=2026/S 10-0123")
	d.do(t, "sua_clerk", d.id, "publish_after_notice")
	d.to(t, "2026-02-16T12:30:00+01:00")
	return d
}

// bid are the answers for one bid, received at an hour of 16 February.
func bid(operator, hour string) []string {
	return []string{"i.bid.operator=" + operator, "i.bid.tax_code=01234567890", "i.bid.received=2026-02-16T" + hour, "i.bid.guarantee=provided"}
}

func TestTenderWithThreeLots(t *testing.T) {
	each(t, true, func(t *testing.T, o *office) {
		d := closed(t, o)
		lateBid(t, d)
		desertedLot(t, d)
		d.admit(t)
		pricesTooEarly(t, d)
		scoresWithAMistake(t, d)
		scoresStaySecret(t, d)
		storyOfOneCase(t, d)
	})
}

// A bid that came late is refused at the very cell that says so, with the reason, and nothing typed is lost.
func lateBid(t *testing.T, d *tender) {
	d.do(t, "sua_clerk", d.lots[0], "record_bid", bid("Alfa srl", "11:00")...)
	d.do(t, "sua_clerk", d.lots[0], "record_bid", bid("Beta spa", "11:59")...)
	page := d.try(t, "sua_clerk", d.lots[0], "record_bid", bid("Gamma scarl", "12:01")...)
	page.want(t, http.StatusConflict, "Gamma scarl", "è oltre Scadenza offerte (lunedì 16 febbraio 2026, ore 12:00)")
	page.one(t, "a", "href=#i-bid-received")
	if input := page.one(t, "input", "id=i-bid-received"); attr(input, "aria-invalid") != "true" || attr(input, "value") != "2026-02-16T12:01" {
		t.Errorf("the hour that came too late is not marked as it was typed: %v", input.Attr)
	}
	if v := attr(page.one(t, "input", "id=i-bid-operator"), "value"); v != "Gamma scarl" {
		t.Errorf("the operator came back as %q", v)
	}
	if d.as(t, "sua_clerk").get(t, "/procedure/"+d.lots[0]).contains("Gamma") {
		t.Error("the late bid is in the register")
	}
}

// A lot without bids ends before its work is done, which its page, the bar and the page above show; its new tender is linked.
func desertedLot(t *testing.T, d *tender) {
	director := d.as(t, "sua_director")
	page := director.get(t, "/procedure/"+d.lots[1])
	page.want(t, http.StatusOK, "Lotto 2: palestra", "Tocca a: Seggio di gara")
	d.attach(t, "sua_director", d.lots[1], "deserted_act")
	page = director.get(t, "/procedure/"+d.lots[1])
	if first := page.all("a", "class=btn btn-primary"); len(first) != 1 || text(first[0]) != "Dichiara deserto" {
		t.Errorf("with no bid, what comes first is not to declare the lot deserted: %s", text(page.one(t, "main")))
	}
	d.do(t, "sua_director", d.lots[1], "declare_deserted", "i.deserted_reason=no_bid").
		want(t, http.StatusOK, "Deserto", "chiusa prima del compimento", "qui la procedura si è chiusa", "non raggiunta")
	page = d.do(t, "rup", d.lots[1], "re_tender")
	page.want(t, http.StatusOK, "Procedure collegate", "Rifatta con")
	again := page.all("ul", "class=sua-links")
	if len(again) != 1 {
		t.Fatal("the new tender is not linked")
	}
	link := attr((document{again[0]}).all("a")[0], "href")
	d.as(t, "rup").get(t, link).want(t, http.StatusOK, "Nuova gara di Lotto 2: palestra")
	d.as(t, "rup").get(t, "/procedure/"+d.id).want(t, http.StatusOK, "Deserto chiusa prima del compimento", "CIG B24DA5677B")
}

// admit brings the first lot to its committee.
func (d *tender) admit(t *testing.T) {
	t.Helper()
	d.to(t, "2026-02-17T10:00:00+01:00")
	lot := d.lots[0]
	d.attach(t, "seat", lot, "seat_declarations")
	d.do(t, "seat", lot, "open_seat")
	d.do(t, "seat", lot, "start_admin_check")
	d.attach(t, "sua_phase_manager", lot, "admission_act")
	d.do(t, "sua_phase_manager", lot, "decide_admission", "i.decisions.1.admission=admitted", "i.decisions.2.admission=admitted")
	for _, name := range []string{"Arch. Toffanin", "Ing. Gallo", "Ing. Ferro"} {
		chair := "no"
		if name == "Arch. Toffanin" {
			chair = "si"
		}
		d.do(t, "sua_director", d.id, "name_commissioner", "i.commissioner.member="+name, "i.commissioner.chair="+chair,
			"i.commissioner.expertise=Scuole", "i.commissioner.source=sua_staff", "i.commissioner.declaration=2026-02-17")
	}
	d.attach(t, "sua_director", d.id, "committee_act", "committee_declarations", "committee_cvs")
	d.do(t, "sua_director", d.id, "appoint_committee")
}

// Prices cannot be recorded before the technical scores are closed; the page says where they can, and what comes first.
func pricesTooEarly(t *testing.T, d *tender) {
	d.do(t, "committee", d.lots[0], "start_evaluation")
	page := d.as(t, "committee").get(t, actionPath(d.lots[0], "record_prices"))
	page.want(t, http.StatusOK, "Non è ancora possibile", "Apertura offerte economiche", "prima serve «", "Commissione giudicatrice")
	if len(page.all("form", "action="+actionPath(d.lots[0], "record_prices"))) > 0 {
		t.Error("there is a form for prices before the scores are closed")
	}
}

// One wrong score is told at its cell; the rest of the form stays as typed, and nothing is recorded.
func scoresWithAMistake(t *testing.T, d *tender) {
	lot := d.lots[0]
	page := d.as(t, "committee").get(t, "/procedure/"+lot)
	page.want(t, http.StatusOK, "Tocca a te", "Che cosa manca", "la colonna «Punteggio tecnico» non è compilata")
	if first := page.all("a", "class=btn btn-primary"); len(first) != 1 || text(first[0]) != "Registra i punteggi tecnici" {
		t.Error("what the committee misses does not come first")
	}
	page = d.try(t, "committee", lot, "record_technical_scores", "i.scores.1.technical_score=settanta", "i.scores.2.technical_score=64,75")
	page.want(t, http.StatusUnprocessableEntity, "Alfa srl: Punteggio tecnico", "Beta spa")
	page.one(t, "a", "href=#i-scores-1-technical_score")
	for id, want := range map[string]string{"i-scores-1-technical_score": "settanta", "i-scores-2-technical_score": "64,75"} {
		if got := attr(page.one(t, "input", "id="+id), "value"); got != want {
			t.Errorf("%s came back as %q, want %q", id, got, want)
		}
	}
	if wrong := page.all("input", "aria-invalid=true"); len(wrong) != 1 || attr(wrong[0], "id") != "i-scores-1-technical_score" {
		t.Errorf("%d cells are marked wrong", len(wrong))
	}
	if page.contains("Ribasso") {
		t.Error("the form shows columns that it does not ask and nobody has filled")
	}
	if d.as(t, "committee").get(t, "/procedure/"+lot).contains("64,75") {
		t.Error("a form with a mistake was recorded in part")
	}
	// an empty row is left as it is
	d.do(t, "committee", lot, "record_technical_scores", "i.scores.2.technical_score=64,75")
	d.do(t, "committee", lot, "record_technical_scores", "i.scores.1.technical_score=71,2").want(t, http.StatusOK, "64,75", "71,2")
}

// Scores are hidden until the award from whom the workflow does not name; the page says until when. The RUP may see them.
func scoresStaySecret(t *testing.T, d *tender) {
	lot := "/procedure/" + d.lots[0]
	page := d.as(t, "member_director").get(t, lot)
	page.want(t, http.StatusOK, "Alfa srl", "visibile da «Aggiudicato»", "Punteggio tecnico")
	for _, secret := range []string{"64,75", "71,2", "Ammesso"} {
		if page.contains(secret) {
			t.Errorf("%q is shown before the award", secret)
		}
	}
	page = d.as(t, "rup").get(t, lot)
	page.want(t, http.StatusOK, "71,2", "64,75", "Tocca a: Commissione giudicatrice")
	if page.contains("visibile da") {
		t.Error("the RUP, who may see all, is told that something is hidden")
	}
}

// The story of a tree can be read for one of its cases.
func storyOfOneCase(t *testing.T, d *tender) {
	auditor := d.as(t, "auditor")
	whole := auditor.get(t, "/procedure/"+d.id+"/storia")
	whole.want(t, http.StatusOK, "Apri richiesta", "Di quale pratica")
	page := auditor.get(t, "/procedure/"+d.id+"/storia?di="+d.lots[1])
	page.want(t, http.StatusOK, "Storia integra", "Dichiara deserto")
	for _, other := range []string{"Apri richiesta", "Registra i punteggi tecnici"} {
		if strings.Contains(text(page.one(t, "ol", "class=sua-story")), other) {
			t.Errorf("the story of lot 2 tells %q, which is of another case", other)
		}
	}
	auditor.get(t, "/procedure/"+d.id+"/storia?di=none").want(t, http.StatusOK, "Nessun evento")
}

func TestContactsAndTerms(t *testing.T) {
	b := bare()
	b.get(t, "/contatti").want(t, http.StatusOK, "Contatti", "non ha ancora indicato")
	b.get(t, "/condizioni").want(t, http.StatusOK, "Condizioni d'uso", "storia della procedura")
	o := &office{echo: echo.New()}
	Register(o.echo, Server{Now: o.now, Contacts: Contacts{Office: "SUA di Padova", PEC: "sua@pec.example", Phone: "+39 049 00"}})
	page := o.browse().get(t, "/contatti")
	page.want(t, http.StatusOK, "SUA di Padova", "sua@pec.example")
	page.one(t, "a", "href=mailto:sua@pec.example")
	page.one(t, "a", "href=tel:+3904900")
	if page.contains("Posta elettronica") {
		t.Error("an entry that is empty is shown")
	}
}
