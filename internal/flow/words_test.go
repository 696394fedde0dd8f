package flow

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/province-comuni/sua/internal/law"
)

// The words that the worked example names, with the parameters of the real ones.
type (
	fieldsParams struct {
		Fields []string `yaml:"fields" flow:"field"`
	}
	fieldAtLeastParams struct {
		Field   string `yaml:"field" flow:"field,instant|date"`
		Term    Term   `yaml:"term" flow:"term,days|months"`
		Counted string `yaml:"counted" flow:"rule"`
	}
	fieldParams struct {
		Field string `yaml:"field" flow:"field,instant|date"`
	}
	childrenParams struct {
		Children string `yaml:"children" flow:"children"`
	}
	childrenFieldsParams struct {
		Children string   `yaml:"children" flow:"children"`
		Fields   []string `yaml:"fields" flow:"child_fields"`
	}
	childrenInParams struct {
		Children string   `yaml:"children" flow:"children"`
		States   []string `yaml:"states" flow:"child_states"`
	}
	columnParams struct {
		Register string `yaml:"register" flow:"register"`
		Column   string `yaml:"column" flow:"column"`
	}
	valueParams struct {
		Register string `yaml:"register" flow:"register"`
		Column   string `yaml:"column" flow:"column,choice"`
		Value    string `yaml:"value" flow:"value"`
	}
	amountParams struct {
		Field string `yaml:"field" flow:"field,money"`
		Limit string `yaml:"limit" flow:"limit,amount"`
	}
	documentParams struct {
		Type string `yaml:"type" flow:"document"`
	}
	eventParams struct {
		Event string `yaml:"event" flow:"event"`
		Note  string `yaml:"note,optional" flow:"id"`
	}
	boundParams struct {
		Field       string `yaml:"field,optional" flow:"field,instant|date"`
		ParentField string `yaml:"parent_field,optional" flow:"parent_field,instant|date"`
	}
	fieldValueParams struct {
		Field string `yaml:"field" flow:"field,choice|bool"`
		Value string `yaml:"value" flow:"field_value"`
	}
	givenParams struct {
		Given string `yaml:"given" flow:"given,instant|date"`
	}
	parentStatesParams struct {
		States []string `yaml:"states" flow:"parent_states"`
	}
	whereParams struct {
		Register string `yaml:"register" flow:"register"`
		Column   string `yaml:"column" flow:"column"`
		Where    string `yaml:"where,optional" flow:"column"`
		Value    string `yaml:"value,optional" flow:"value"`
	}
	statesParams struct {
		States []string `yaml:"states" flow:"states"`
	}
)

func testVocabulary() Vocabulary {
	doc := func(it, en string) Text { return Text{it, en} }
	return Vocabulary{
		Guards: map[string]Word{
			"agreement_active":       {Needs: NeedAgreement, Doc: doc("la convenzione è in vigore", "the agreement is in force")},
			"fields_filled":          {Params: fieldsParams{}, Doc: doc("i campi sono compilati", "the fields are filled")},
			"field_at_least":         {Params: fieldAtLeastParams{}, Doc: doc("il termine minimo è rispettato", "the minimum term is kept")},
			"field_moves_later":      {Params: fieldParams{}, Doc: doc("la nuova data è successiva", "the new date is later")},
			"children_exist":         {Params: childrenParams{}, Needs: NeedChildren, Doc: doc("ce n'è almeno uno", "there is at least one")},
			"children_ended":         {Params: childrenParams{}, Needs: NeedChildren, Doc: doc("sono tutti conclusi", "all have ended")},
			"children_in":            {Params: childrenInParams{}, Needs: NeedChildren, Doc: doc("sono tutti in certi stati", "all are in certain states")},
			"children_fields_filled": {Params: childrenFieldsParams{}, Needs: NeedChildren, Doc: doc("i campi dei figli sono compilati", "the children's fields are filled")},
			"rows_none":              {Params: valueParams{}, Needs: NeedRows, Doc: doc("nessuna riga ha quel valore", "no row has that value")},
			"rows_some":              {Params: columnParams{}, Needs: NeedRows, Doc: doc("almeno una riga ha la colonna", "some row has the column")},
			"rows_filled":            {Params: columnParams{}, Needs: NeedRows, Doc: doc("la colonna è compilata", "the column is filled")},
			"amount_within":          {Params: amountParams{}, Doc: doc("l'importo è entro il limite", "the amount is within the limit")},
			"document_valid":         {Params: documentParams{}, Needs: NeedDocuments, Doc: doc("il documento è valido", "the document is valid")},
			"not_same_person":        {Params: eventParams{}, Needs: NeedPast, Doc: doc("è un'altra persona", "it is another person")},
			"states_passed":          {Params: statesParams{}, Needs: NeedPast, Doc: doc("è già passato di lì", "it has been there")},
			"quadro_economico_sums":  {Doc: doc("il quadro economico quadra", "the cost breakdown sums up")},
			"standstill_applies": {ParentFields: map[string][]Type{"criterion": {TypeChoice}}, Limits: []string{"standstill.days"},
				Doc: doc("lo stand-still è dovuto", "the standstill applies")},
			"admission_follows_evaluation": {ParentFields: map[string][]Type{"inversion": {TypeBool}}, Doc: doc("c'è inversione procedimentale", "offers come first")},
			"no_court_stay":                {Needs: NeedChildren, Doc: doc("nessuna sospensiva", "no court stay")},
			"effective_after":              {Params: boundParams{}, Doc: doc("dopo quel momento", "after that moment")},
			"field_is":                     {Params: fieldValueParams{}, Doc: doc("ha quel valore", "it has that value")},
			"on_working_day":               {Params: givenParams{}, Doc: doc("è un giorno lavorativo", "it is a working day")},
			"parent_in":                    {Params: parentStatesParams{}, Doc: doc("il padre è lì", "the parent is there")},
			"rows_where":                   {Params: whereParams{}, Needs: NeedRows, Doc: doc("le righe sono compilate", "the rows are filled")},
			"looks_above":                  {AnyFields: map[string][]Type{"criterion": {TypeChoice}}, Doc: doc("c'è un criterio", "there is a criterion")},
			"looks_back":                   {Events: []string{"propose"}, Documents: []string{"missing_paper"}, Doc: doc("è stato proposto", "it was proposed")},
			"reads_amount":                 {Fields: map[string][]Type{"amount": {TypeMoney}}, Doc: doc("l'importo c'è", "there is an amount")},
		},
		Effects: map[string]Word{
			"rank_bids": {Registers: map[string]map[string][]Type{"bids": {"score": {TypePercent}, "rank": {TypeInt}}}, Doc: doc("ordina le offerte", "ranks the bids")},
			"next_in_rank": {Registers: map[string]map[string][]Type{"bids": {"rank": {TypeInt}, "admission": {TypeChoice}}},
				Doc: doc("scorre la graduatoria", "takes the next in rank")},
		},
		Roles: map[string]Role{
			"rup":               {SideMember, Text{"RUP", "RUP"}},
			"sua_director":      {SideSUA, Text{"Dirigente SUA", "SUA director"}},
			"sua_clerk":         {SideSUA, Text{"Istruttore SUA", "SUA clerk"}},
			"sua_phase_manager": {SideSUA, Text{"Responsabile di fase", "Phase manager"}},
			"seat":              {SideSUA, Text{"Seggio di gara", "Seat"}},
			"committee":         {SideCommittee, Text{"Commissione", "Committee"}},
			"auditor":           {SideControl, Text{"Revisore", "Auditor"}},
		},
		Acts: map[string]Text{"decision": {"Decisione", "Decision"}, "award": {"Aggiudicazione", "Award"}},
	}
}

func mustRead(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func testLimits(t testing.TB) *law.Table {
	t.Helper()
	limits, err := law.Load(mustRead(t, "testdata/limits.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return limits
}

func testCatalogue(t testing.TB) Catalogue {
	t.Helper()
	catalogue, err := LoadCatalogue(mustRead(t, "testdata/documents.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return catalogue
}

// compiled compiles texts as files a.yaml, b.yaml … and wants no fault.
func compiled(t testing.TB, texts ...string) *Library {
	t.Helper()
	library, _, err := Compile(asSources(texts...), testVocabulary(), testLimits(t), testCatalogue(t))
	if err != nil {
		t.Fatalf("compile:\n%v", err)
	}
	return library
}

func asSources(texts ...string) []Source {
	sources := make([]Source, len(texts))
	for i, text := range texts {
		sources[i] = Source{Name: string(rune('a'+i)) + ".yaml", Data: []byte(text)}
	}
	return sources
}

// example compiles the worked example with its children.
func example(t testing.TB) *Library {
	t.Helper()
	return compiled(t, string(mustRead(t, "testdata/good/open_procedure.yaml")), string(mustRead(t, "testdata/good/stubs.yaml")))
}

func latest(t testing.TB, l *Library, workflow string) *Definition {
	t.Helper()
	d, found := l.Latest(workflow)
	if !found {
		t.Fatalf("no workflow %s", workflow)
	}
	return d
}

// same compares definitions but for the lines of calls, which canonical JSON does not have.
func same(a, b *Definition) string {
	return cmp.Diff(a, b, cmpopts.IgnoreFields(Call{}, "Line"), cmpopts.IgnoreUnexported(Definition{}))
}

// faultsOf compiles and returns the faults, none when it compiles.
func faultsOf(t testing.TB, sources []Source) Faults {
	t.Helper()
	_, _, err := Compile(sources, testVocabulary(), testLimits(t), testCatalogue(t))
	var faults Faults
	if err != nil && !errors.As(err, &faults) {
		t.Fatalf("Compile returned %T, want Faults", err)
	}
	return faults
}
