package engine

import "github.com/province-comuni/sua/internal/flow"

// Parameters of the generic guards; see flow.Word for the tags.
type (
	fieldsParam struct {
		Fields []string `yaml:"fields" flow:"field"`
	}
	fieldTermParam struct {
		Field   string    `yaml:"field" flow:"field,instant|date"`
		Term    flow.Term `yaml:"term" flow:"term,days|months|years|hours"`
		Counted string    `yaml:"counted" flow:"rule"`
	}
	givenTermParam struct {
		Given   string    `yaml:"given" flow:"given,instant|date"`
		Term    flow.Term `yaml:"term" flow:"term,days|months|years|hours"`
		Counted string    `yaml:"counted" flow:"rule"`
	}
	givenParam struct {
		Given string `yaml:"given" flow:"given,instant|date"`
	}
	fieldValueParam struct {
		Field string `yaml:"field" flow:"field,choice|bool"`
		Value string `yaml:"value" flow:"field_value"`
	}
	boundParam struct {
		Field       string `yaml:"field,optional" flow:"field,instant|date"`
		ParentField string `yaml:"parent_field,optional" flow:"parent_field,instant|date"`
	}
	ownStatesParam struct {
		States []string `yaml:"states" flow:"states"`
	}
	givenBoundParam struct {
		Given string `yaml:"given" flow:"given,instant|date"`
		Field string `yaml:"field" flow:"field,instant|date"`
	}
	movedParam struct {
		Field string `yaml:"field" flow:"field,instant|date"`
		Since string `yaml:"since" flow:"field,instant|date"`
	}
	parentStatesParam struct {
		States []string `yaml:"states" flow:"parent_states"`
	}
	parentFieldsParam struct {
		Fields []string `yaml:"fields" flow:"parent_field"`
	}
	twoFieldsParam struct {
		Field string `yaml:"field" flow:"field,instant|date"`
		Other string `yaml:"other" flow:"field,instant|date"`
	}
	fieldParam struct {
		Field string `yaml:"field" flow:"field,instant|date"`
	}
	amountParam struct {
		Field string `yaml:"field" flow:"field,money"`
		Limit string `yaml:"limit" flow:"limit,amount"`
	}
	sinceParam struct {
		Since   string    `yaml:"since" flow:"event"`
		Term    flow.Term `yaml:"term" flow:"term,days|months|years|hours"`
		Counted string    `yaml:"counted,optional" flow:"rule"`
	}
	columnParam struct {
		Register string `yaml:"register" flow:"register"`
		Column   string `yaml:"column" flow:"column"`
		Where    string `yaml:"where,optional" flow:"column"`
		Value    string `yaml:"value,optional" flow:"value"`
	}
	columnBoundParam struct {
		Register    string `yaml:"register" flow:"register"`
		Column      string `yaml:"column" flow:"column,instant|date"`
		Field       string `yaml:"field,optional" flow:"field,instant|date"`
		ParentField string `yaml:"parent_field,optional" flow:"parent_field,instant|date"`
	}
	columnValueParam struct {
		Register string `yaml:"register" flow:"register"`
		Column   string `yaml:"column,optional" flow:"column"`
		Value    string `yaml:"value,optional" flow:"value"`
	}
	rowsLimitParam struct {
		Register string `yaml:"register" flow:"register"`
		Limit    string `yaml:"limit" flow:"limit,count"`
	}
	registerParam struct {
		Register string `yaml:"register" flow:"register"`
	}
	rowsSumParam struct {
		Register string `yaml:"register" flow:"register"`
		Column   string `yaml:"column" flow:"column,money|int"`
		Equals   string `yaml:"equals" flow:"field,money|int"`
	}
	childrenParam struct {
		Children string `yaml:"children" flow:"children"`
	}
	childStatesParam struct {
		Children string   `yaml:"children" flow:"children"`
		States   []string `yaml:"states" flow:"child_states"`
	}
	childFieldsParam struct {
		Children string   `yaml:"children" flow:"children"`
		Fields   []string `yaml:"fields" flow:"child_fields"`
	}
	documentParam struct {
		Type string `yaml:"type" flow:"document"`
	}
	eventParam struct {
		Event string `yaml:"event" flow:"event"`
	}
)

func genericGuards() map[string]Guard {
	return map[string]Guard{
		"fields_filled":          guard(Text{IT: "campi compilati", EN: "fields filled in"}, "", 0, fieldsFilled),
		"field_at_least":         guard(Text{IT: "data non prima del termine minimo", EN: "date not before the minimum term"}, "", 0, fieldAtLeast).earlier(),
		"field_at_most":          guard(Text{IT: "data entro il termine massimo", EN: "date within the maximum term"}, "", 0, fieldAtMost),
		"field_before":           guard(Text{IT: "una data precede l'altra", EN: "one date precedes the other"}, "", 0, fieldBefore),
		"field_moves_later":      guard(Text{IT: "la data si sposta in avanti", EN: "the date moves later"}, "", 0, fieldMovesLater),
		"field_moves_enough":     guard(Text{IT: "la data si sposta almeno del tempo perso", EN: "the date moves by at least the time lost"}, "", 0, fieldMovesEnough),
		"given_not_after":        guard(Text{IT: "data indicata non dopo un'altra", EN: "date given not after another"}, "", 0, givenNotAfter),
		"field_is":               guard(Text{IT: "il dato ha quel valore", EN: "the field has that value"}, "", 0, fieldIs),
		"field_not":              guard(Text{IT: "il dato non ha quel valore", EN: "the field has not that value"}, "", 0, fieldNot),
		"given_at_least":         guard(Text{IT: "data indicata non prima del termine minimo", EN: "date given not before the minimum term"}, "", 0, givenAtLeast).earlier(),
		"given_at_most":          guard(Text{IT: "data indicata entro il termine massimo", EN: "date given within the maximum term"}, "", 0, givenAtMost),
		"on_working_day":         guard(Text{IT: "in un giorno lavorativo", EN: "on a working day"}, "", 0, onWorkingDay),
		"effective_from":         guard(Text{IT: "non prima di quel momento", EN: "not before that moment"}, "", 0, effectiveFrom),
		"effective_after":        guard(Text{IT: "dopo quel momento", EN: "after that moment"}, "", 0, effectiveAfter),
		"now_in":                 guard(Text{IT: "la pratica è nello stato richiesto", EN: "the case is in the states asked"}, "", 0, nowIn),
		"parent_in":              guard(Text{IT: "la procedura superiore è nello stato richiesto", EN: "the parent case is in the states asked"}, "", flow.NeedParent, parentIn),
		"parent_fields_filled":   guard(Text{IT: "dati compilati nella procedura superiore", EN: "fields filled in the parent case"}, "", flow.NeedParent, parentFieldsFilled),
		"amount_within":          guard(Text{IT: "importo entro il limite", EN: "amount within the limit"}, "", 0, amountWithin),
		"share_within":           guard(Text{IT: "importo entro la percentuale di un altro", EN: "amount within a share of another"}, "", 0, shareWithin),
		"share_of_parent_within": guard(Text{IT: "importo entro la percentuale di uno della procedura superiore", EN: "amount within a share of one of the parent"}, "", flow.NeedParent, shareOfParentWithin),
		"elapsed":                guard(Text{IT: "termine trascorso", EN: "term elapsed"}, "", flow.NeedPast, elapsed),
		"not_elapsed":            guard(Text{IT: "termine non ancora trascorso", EN: "term not elapsed"}, "", flow.NeedPast, notElapsed).earlier(),
		"happened":               guard(Text{IT: "l'azione è già avvenuta", EN: "the event has happened"}, "", flow.NeedPast, happened),
		"not_happened":           guard(Text{IT: "l'azione non è ancora avvenuta", EN: "the event has not happened"}, "", flow.NeedPast, notHappened),
		"rows_filled":            guard(Text{IT: "colonna compilata in ogni riga (o in quelle con quel valore)", EN: "column filled in every row (or in those with that value)"}, "", flow.NeedRows, rowsFilled),
		"rows_some":              guard(Text{IT: "almeno una riga", EN: "at least one row"}, "", flow.NeedRows, rowsSome),
		"rows_none":              guard(Text{IT: "nessuna riga", EN: "no row"}, "", flow.NeedRows, rowsNone),
		"rows_at_least":          guard(Text{IT: "numero minimo di righe", EN: "minimum number of rows"}, "", flow.NeedRows, rowsAtLeast),
		"rows_odd":               guard(Text{IT: "numero dispari di righe", EN: "odd number of rows"}, "", flow.NeedRows, rowsOdd),
		"rows_at_most":           guard(Text{IT: "numero massimo di righe", EN: "maximum number of rows"}, "", flow.NeedRows, rowsAtMost),
		"rows_not_after":         guard(Text{IT: "nessuna riga oltre quel momento", EN: "no row after that moment"}, "", flow.NeedRows, rowsNotAfter),
		"rows_sum":               guard(Text{IT: "la somma delle righe torna", EN: "rows add up"}, "", flow.NeedRows, rowsSum),
		"rows_share_within":      guard(Text{IT: "somma delle righe entro la percentuale di un importo", EN: "sum of the rows within a share of an amount"}, "", flow.NeedRows, rowsShareWithin),
		"children_exist":         guard(Text{IT: "almeno una pratica collegata", EN: "at least one child case"}, "", flow.NeedChildren, childrenExist),
		"children_ended":         guard(Text{IT: "pratiche collegate tutte concluse", EN: "all child cases ended"}, "", flow.NeedChildren, childrenEnded),
		"children_in":            guard(Text{IT: "pratiche collegate nello stato richiesto", EN: "child cases in the states asked"}, "", flow.NeedChildren, childrenIn),
		"no_child_in":            guard(Text{IT: "nessuna pratica collegata in quello stato", EN: "no child case in those states"}, "", flow.NeedChildren, noChildIn),
		"children_some":          guard(Text{IT: "almeno una pratica collegata nello stato richiesto", EN: "some child case in the states asked"}, "", flow.NeedChildren, childrenSome),
		"children_fields_filled": guard(Text{IT: "campi compilati nelle pratiche collegate", EN: "fields filled in child cases"}, "", flow.NeedChildren, childrenFieldsFilled),
		"document_valid":         guard(Text{IT: "documento presente", EN: "document present"}, "", flow.NeedDocuments, documentValid),
		"not_same_person":        guard(Text{IT: "persona diversa da chi ha compiuto l'altro atto", EN: "not the person of the other act"}, "", flow.NeedPast, notSamePerson),
	}
}
