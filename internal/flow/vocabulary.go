package flow

// Word is one guard or effect that workflows may name, as package engine declares it.
type Word struct {
	// Params is nil, or a struct value whose exported fields are the parameters, e.g.
	//
	//	struct {
	//		Field   string `yaml:"field" flow:"field,instant|date"`
	//		Term    Term   `yaml:"term" flow:"term,days|months"`
	//		Counted string `yaml:"counted" flow:"rule"`
	//	}
	//
	// The yaml tag gives the key (",optional" makes it so); the flow tag says what Compile checks:
	//   field[,types]      a declared field, of one of the types       (string or []string)
	//   field_value        a choice value of that field, or true and false of a bool
	//   parent_field[,types]  a field of every workflow that has this one as a child; beside an optional field, exactly one
	//                      of the two is written
	//   parent_states      states of such a workflow                   ([]string)
	//   given[,types]      an input of the event or a declared field
	//   register           a declared register                        (string)
	//   column[,types]     a column of the register named by the parameter tagged register
	//   value              a choice value of the column named by the last parameter tagged column before it
	//   children           a declared child                           (string)
	//   child_states       states of the workflow of that child        ([]string)
	//   child_fields       fields of the workflow of that child        ([]string)
	//   states             states of this workflow                     ([]string)
	//   event              an event of this workflow
	//   document           a document type
	//   limit[,kinds]      a key of law/limits.yaml, of one of the kinds
	//   term[,kinds]       such a key, or a table of them over a choice field (a Term)
	//   rule               a rule of package calendar
	//   id                 any snake_case id
	Params any
	// Needs is what the function reads besides the case, its root and the event's inputs.
	Needs Need
	// Fields are the fields the function reads by name, with the types it accepts: the workflow must have them.
	Fields map[string][]Type
	// ParentFields are the same, of the parent case.
	ParentFields map[string][]Type
	// AnyFields are fields that the function looks for in the case, then in its parent, then in its root: one of them must
	// have it, wherever the workflow hangs.
	AnyFields map[string][]Type
	// Events are the events of the workflow whose last time the function reads by name.
	Events []string
	// Documents are the document types that the function looks for by name.
	Documents []string
	// Registers are the registers with the columns that the function reads or writes by name.
	Registers map[string]map[string][]Type
	// Peeks and PeekRows are fields, and columns of registers, that the function also looks at where the workflow has them; PeekBelow
	// fields of the cases of a workflow that hang from this one, its parent or its root. Nothing is checked or loaded for them, but
	// what it says is as secret as they are.
	Peeks     []string
	PeekRows  map[string][]string
	PeekBelow map[string][]string
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
