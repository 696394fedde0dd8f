package api

import (
	"strconv"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// The JSON of what the engine shows. Names are snake_case, absent values are left out, times are RFC 3339 in UTC.

// bilingual is a text in both languages.
type bilingual struct {
	IT prose `json:"it"`
	EN prose `json:"en"`
}

type ref struct {
	ID   ident `json:"id"`
	Name line  `json:"name"`
}

type labelled struct {
	ID    ident     `json:"id"`
	Label bilingual `json:"label"`
}

type pinned struct {
	ID      ident     `json:"id"`
	Label   bilingual `json:"label"`
	Version count     `json:"version"`
	Hash    hash      `json:"hash" doc:"SHA-256 della definizione con cui la pratica è nata"`
}

// CaseSummary is a case in a list. It is exported because the detail embeds it.
type CaseSummary struct {
	ID         ident    `json:"id"`
	Root       ident    `json:"root" doc:"La pratica in cima all'albero"`
	Parent     ident    `json:"parent,omitempty"`
	Child      ident    `json:"child,omitempty" doc:"Sotto quale dichiarazione della pratica superiore"`
	Ordinal    count    `json:"ordinal,omitempty"`
	Workflow   pinned   `json:"workflow"`
	State      labelled `json:"state"`
	Stage      labelled `json:"stage"`
	Outcome    ident    `json:"outcome,omitempty" doc:"Esito, quando è conclusa"`
	Revision   count    `json:"revision" doc:"Da ripetere in If-Match"`
	Title      prose    `json:"title"`
	CIG        line     `json:"cig,omitempty"`
	CUP        line     `json:"cup,omitempty"`
	Amount     *cents   `json:"amount,omitempty" doc:"Centesimi di euro"`
	MemberBody *ref     `json:"member_body,omitempty" doc:"L'ente per cui si procede"`
	SUA        *ref     `json:"sua,omitempty" doc:"La stazione unica appaltante"`
	Officer    *ref     `json:"officer,omitempty"`
	RUP        *ref     `json:"rup,omitempty"`
	NextDue    instant  `json:"next_due,omitempty" doc:"Primo istante in cui il termine più vicino è scaduto"`
	OpenedAt   instant  `json:"opened_at"`
	UpdatedAt  instant  `json:"updated_at"`
	EndedAt    instant  `json:"ended_at,omitempty"`
	Imported   bool     `json:"imported" doc:"Viene da un'importazione"`
}

type caseDetail struct {
	CaseSummary
	Help      bilingual         `json:"help"`
	RulesDate day               `json:"rules_date,omitempty" doc:"La data che sceglie le norme, quando è fissata"`
	Stages    list[stage]       `json:"stages"`
	Fields    list[field]       `json:"fields"`
	Registers list[register]    `json:"registers"`
	Children  list[children]    `json:"children"`
	Links     list[link]        `json:"links"`
	Deadlines list[Deadline]    `json:"deadlines"`
	Documents list[document]    `json:"documents"`
	Parents   list[CaseSummary] `json:"parents" doc:"Dalla radice in giù"`
}

type stage struct {
	ID     ident     `json:"id"`
	Label  bilingual `json:"label"`
	Status string    `json:"status" enum:"done,current,todo" maxLength:"10"`
}

type field struct {
	ID     ident     `json:"id"`
	Label  bilingual `json:"label"`
	Type   ident     `json:"type"`
	Value  scalar    `json:"value,omitzero"`
	Text   prose     `json:"text,omitempty" doc:"Il valore come si legge in italiano"`
	Hidden bool      `json:"hidden" doc:"Per ora è segreto"`
}

type register struct {
	ID      ident        `json:"id"`
	Label   bilingual    `json:"label"`
	Columns list[column] `json:"columns"`
	Hidden  list[ident]  `json:"hidden" doc:"Colonne per ora segrete"`
	Rows    list[row]    `json:"rows"`
}

type column struct {
	ID    ident     `json:"id"`
	Label bilingual `json:"label"`
	Type  ident     `json:"type"`
}

type row struct {
	Row    count  `json:"row"`
	Values values `json:"values"`
}

type children struct {
	ID       ident             `json:"id"`
	Label    bilingual         `json:"label"`
	Workflow ident             `json:"workflow"`
	Cases    list[CaseSummary] `json:"cases"`
}

type link struct {
	Kind ident       `json:"kind"`
	To   CaseSummary `json:"to"`
	Away bool        `json:"away" doc:"Il legame va da questa pratica all'altra"`
	At   instant     `json:"at"`
}

// Deadline is a term of a case. Exported so that lists can embed it.
type Deadline struct {
	ID          ident          `json:"id"`
	Case        ident          `json:"case"`
	Name        ident          `json:"name"`
	Label       bilingual      `json:"label"`
	Law         line           `json:"law,omitempty"`
	Status      string         `json:"status" enum:"running,met,expired,cancelled,suspended,blocked" maxLength:"10"`
	StartedAt   instant        `json:"started_at"`
	DueAt       instant        `json:"due_at" doc:"Primo istante in cui è scaduto"`
	LastDay     day            `json:"last_day,omitempty" doc:"Ultimo giorno utile"`
	Explanation bilingual      `json:"explanation" doc:"Come è stato contato"`
	BlockedBy   *refusal       `json:"blocked_by,omitempty"`
	AtExpiry    bilingual      `json:"at_expiry" doc:"Che cosa succede alla scadenza"`
	EndedAt     instant        `json:"ended_at,omitempty" doc:"Di un termine sospeso: da quando è fermo"`
	Percent     count          `json:"percent" doc:"Quanto è trascorso, da 0 a 100"`
	Overdue     bool           `json:"overdue" doc:"È finito e ciò che attende non è avvenuto"`
	Peremptory  bool           `json:"peremptory" doc:"Di norma nessuno può spostarlo"`
	Acts        list[labelled] `json:"acts" doc:"Chi può fare ciò che attende"`
	ByHand      list[ident]    `json:"by_hand" doc:"Che cosa può farne chi chiede: move, suspend, resume"`
	Forecast    *forecast      `json:"forecast,omitempty" doc:"Quando finirebbe al ritmo tenuto finora"`
}

type document struct {
	ID         ident     `json:"id"`
	Case       ident     `json:"case"`
	Type       labelled  `json:"type"`
	Name       line      `json:"name"`
	Media      mediaType `json:"media"`
	Size       count     `json:"size" doc:"Byte"`
	SHA256     hash      `json:"sha256"`
	UploadedBy *ref      `json:"uploaded_by,omitempty"`
	At         instant   `json:"at"`
	Current    bool      `json:"current" doc:"Nessun documento più recente dello stesso tipo"`
}

func text2(t engine.Text) bilingual { return bilingual{prose(t.IT), prose(t.EN)} }

func refOf(r engine.Ref) *ref {
	if r.ID == "" {
		return nil
	}
	out := refBody(r)
	return &out
}

func refBody(r engine.Ref) ref { return ref{ident(r.ID), line(r.Name)} }

func labelledBody(l engine.Labelled) labelled { return labelled{ident(l.ID), text2(l.Label)} }

func idents(ids []string) list[ident] { return each(ids, func(s string) ident { return ident(s) }) }

// tag is the ETag of a revision.
func tag(revision int64) etag { return etag(strconv.Quote(strconv.FormatInt(revision, 10))) }

func summaryBody(s engine.Summary) CaseSummary {
	return CaseSummary{
		ID: ident(s.ID), Root: ident(s.Root), Parent: ident(s.Parent), Child: ident(s.Child), Ordinal: count(s.Ordinal),
		Workflow: pinned{ident(s.Workflow.ID), text2(s.Workflow.Label), count(s.Version), hash(s.Hash)},
		State:    labelledBody(s.State), Stage: labelledBody(s.Stage), Outcome: ident(s.Outcome), Revision: count(s.Revision),
		Title: prose(s.Title), CIG: line(s.CIG), CUP: line(s.CUP), Amount: (*cents)(s.Amount),
		MemberBody: refOf(s.MemberBody), SUA: refOf(s.SUA), Officer: refOf(s.Officer), RUP: refOf(s.RUP),
		NextDue: stampAt(s.NextDue), OpenedAt: stamp(s.OpenedAt), UpdatedAt: stamp(s.UpdatedAt), EndedAt: stampAt(s.EndedAt),
		Imported: s.Imported,
	}
}

func detailBody(v engine.CaseView) caseDetail {
	return caseDetail{
		CaseSummary: summaryBody(v.Summary), Help: text2(v.Help), RulesDate: day(v.RulesDate),
		Stages: each(v.Stages, func(s engine.StageView) stage {
			return stage{ident(s.ID), text2(s.Label), s.Status}
		}),
		Fields: each(v.Fields, fieldBody), Registers: each(v.Registers, registerBody),
		Children: each(v.Children, func(c engine.ChildrenView) children {
			return children{ident(c.ID), text2(c.Label), ident(c.Workflow), each(c.Cases, summaryBody)}
		}),
		Links: each(v.Links, func(l engine.LinkView) link {
			return link{ident(l.Kind), summaryBody(l.To), l.Away, stamp(l.At)}
		}),
		Deadlines: each(v.Deadlines, deadlineBody), Documents: each(v.Documents, documentBody), Parents: each(v.Parents, summaryBody),
	}
}

func fieldBody(v engine.Value) field {
	f := field{ID: ident(v.Field.ID), Label: text2(v.Field.Label), Type: ident(v.Field.Type), Value: scalar{v.Value}, Hidden: v.Hidden}
	if v.Value != nil {
		f.Text = prose(flow.Format(v.Field.Type, v.Field.Of, v.Value, "it"))
	}
	return f
}

func registerBody(v engine.RegisterView) register {
	return register{
		ID: ident(v.Register.ID), Label: text2(v.Register.Label), Hidden: idents(v.Hidden),
		Columns: each(v.Register.Columns, func(c flow.Column) column { return column{ident(c.ID), text2(c.Label), ident(c.Type)} }),
		Rows:    each(v.Rows, func(r engine.RowView) row { return row{count(r.Row), present(r.Values)} }),
	}
}

// present leaves out what has no value.
func present(in map[string]any) values {
	out := values{}
	for id, v := range in {
		if v != nil {
			out[id] = v
		}
	}
	return out
}

func deadlineBody(d engine.DeadlineView) Deadline {
	out := Deadline{
		ID: ident(d.ID), Case: ident(d.Case), Name: ident(d.Name), Label: text2(d.Label), Law: line(d.Law), Status: d.Status,
		StartedAt: stamp(d.StartedAt), DueAt: stamp(d.DueAt), LastDay: day(d.LastDay), Explanation: text2(d.Explanation),
		AtExpiry: text2(d.AtExpiry), EndedAt: stampAt(d.EndedAt), Percent: count(d.Percent), Overdue: d.Overdue, Peremptory: d.Peremptory,
		Acts: each(d.Acts, labelledBody), ByHand: idents(d.ByHand), Forecast: forecastOf(d.Forecast),
	}
	if d.BlockedBy != nil {
		blocked := refusalBody(*d.BlockedBy)
		out.BlockedBy = &blocked
	}
	return out
}

func documentBody(d engine.DocumentView) document {
	return document{
		ID: ident(d.ID), Case: ident(d.Case), Type: labelledBody(d.Type), Name: line(d.Name), Media: mediaType(d.Media),
		Size: count(d.Size), SHA256: hash(d.SHA256), UploadedBy: refOf(d.UploadedBy), At: stamp(d.At), Current: d.Current,
	}
}
