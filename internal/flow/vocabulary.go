package flow

// Word is one guard or effect that workflows may name, as package engine declares it.
type Word struct {
	// Params is nil, or a struct value whose exported fields are the parameters, e.g.
	//
	//	struct {
	//		Field   string   `yaml:"field" flow:"field,instant|date"`
	//		Term    string   `yaml:"term" flow:"limit,days|months"`
	//		Counted string   `yaml:"counted" flow:"rule"`
	//	}
	//
	// The yaml tag gives the key (",optional" makes it so); the flow tag says what Compile checks:
	//   field[,types]      a declared field, of one of the types       (string or []string)
	//   register           a declared register                        (string)
	//   column[,types]     a column of the register named by the parameter tagged register
	//   value              a choice value of the column named by the parameter tagged column
	//   children           a declared child                           (string)
	//   child_states       states of the workflow of that child        ([]string)
	//   child_fields       fields of the workflow of that child        ([]string)
	//   states             states of this workflow                     ([]string)
	//   event              an event of this workflow
	//   document           a document type
	//   limit[,kinds]      a key of law/limits.yaml, of one of the kinds
	//   rule               a rule of package calendar
	//   id                 any snake_case id
	Params any
	// Needs is what the function reads besides the case, its root and the event's inputs.
	Needs Need
	// Fields are the fields the function reads by name, with the types it accepts: the workflow must have them.
	Fields map[string][]Type
	// ParentFields are the same, of the parent case.
	ParentFields map[string][]Type
	// Registers are the registers with the columns that the function reads or writes by name.
	Registers map[string]map[string][]Type
	// Limits are the keys it uses: Compile checks that they exist.
	Limits []string
	// Doc says in a few words what must hold (guard) or what is done (effect), for the generated reference.
	Doc Text
}

// Side is the part a role acts for.
type Side string

// Sides of roles (law.md §1.2): the member body, the SUA, the committee, control; the engine itself.
const (
	SideMember    Side = "member"
	SideSUA       Side = "sua"
	SideCommittee Side = "committee"
	SideControl   Side = "control"
	SideSystem    Side = "system"
)

// Role is a role that workflows may name.
type Role struct {
	Side  Side
	Label Text
}

// Vocabulary is everything a workflow may name that is not its own: engine gives it, Compile checks against it.
type Vocabulary struct {
	Guards  map[string]Word
	Effects map[string]Word
	Roles   map[string]Role
	Acts    map[string]Text // decision, indiction, award_proposal, award
}
