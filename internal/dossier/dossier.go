// Package dossier is the file in which a story leaves the building: one zip with the exact bytes of its events, the definitions,
// limits and documents they rest on, the proofs of the Merkle log and a readable telling of all of it; and its check by a stranger,
// offline, without a database.
//
// It knows events only as package audit does. What a reader may see is decided by package engine before anything comes here: a part
// that is withheld leaves its digest in the header, an event that is withheld whole leaves its hash.
package dossier

import (
	"regexp"
	"time"

	"github.com/province-comuni/sua/internal/audit"
)

// Format names the layout of the file; a reader refuses another one.
const Format = "sua-dossier/1"

// Names of the files inside; definitions and documents stand in folders of their own, by their SHA-256.
const (
	manifestFile = "manifest.json"
	readmeFile   = "LEGGIMI.txt"
	eventsFile   = "eventi.jsonl"
	storyFile    = "storia.json"
	pageFile     = "storia.html"
	limitsFile   = "limiti.json"
	logFile      = "registro.json"
)

var (
	definitionPath = regexp.MustCompile(`^definizioni/[0-9a-f]{64}\.json$`)
	documentPath   = regexp.MustCompile(`^documenti/[0-9a-f]{64}$`)
	knownFiles     = map[string]bool{manifestFile: true, readmeFile: true, eventsFile: true, storyFile: true, pageFile: true, limitsFile: true, logFile: true}
)

// Event is one link of the chain as it stands in the file, a line of JSON. Without a header it is withheld whole. A part that the
// header names and that is not here was withheld or erased: the header's digest stands for it.
type Event struct {
	Seq      int64  `json:"seq"`
	Hash     []byte `json:"hash"`
	Header   []byte `json:"header,omitempty"`
	Open     *Part  `json:"open,omitempty"`
	Secret   *Part  `json:"secret,omitempty"`
	Personal *Part  `json:"personal,omitempty"`
}

// Part is the salt and the body of a part, byte for byte.
type Part struct {
	Salt []byte `json:"salt"`
	Body []byte `json:"body"`
}

// PartOf copies a part; nil when it is empty.
func PartOf(p audit.Part) *Part {
	if len(p.Salt) == 0 {
		return nil
	}
	return &Part{p.Salt, p.Body}
}

func (p *Part) sealed() audit.Part {
	if p == nil {
		return audit.Part{}
	}
	return audit.Part{Salt: p.Salt, Body: p.Body}
}

// Story tells the events in words. Events are in the order of the chain, one for each that is not withheld whole.
type Story struct {
	Root   string      `json:"root"`
	Title  string      `json:"title"`
	Body   string      `json:"body"`
	SUA    string      `json:"sua"`
	Broken []string    `json:"broken,omitempty"` // where the story did not hold when it was exported, in Italian; none: it held
	Cases  []StoryCase `json:"cases"`
	Events []Told      `json:"events"`
}

// StoryCase is a case of the tree as it stands at the last event.
type StoryCase struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	State string `json:"state"`
}

// Told is an event in words. What stands in its header too is compared with it by the check.
type Told struct {
	Seq        int64      `json:"seq"`
	Case       string     `json:"case"`
	CaseLabel  string     `json:"case_label"`
	Event      string     `json:"event"`
	Label      string     `json:"label"`
	From       string     `json:"from"`
	FromLabel  string     `json:"from_label,omitempty"`
	To         string     `json:"to"`
	ToLabel    string     `json:"to_label,omitempty"`
	At         time.Time  `json:"at"`
	Effective  time.Time  `json:"effective"`
	Actor      string     `json:"actor"`
	ActorName  string     `json:"actor_name"`
	Role       string     `json:"role"`
	RoleLabel  string     `json:"role_label"`
	Law        string     `json:"law,omitempty"`
	Cause      int64      `json:"cause,omitempty"`
	Inputs     []Said     `json:"inputs,omitempty"`
	Changes    []Said     `json:"changes,omitempty"`
	Documents  []ToldFile `json:"documents,omitempty"`
	Warnings   []Said     `json:"warnings,omitempty"` // label: the warning, text: the reason given; a warning about what is secret for the reader has none
	Terms      []string   `json:"terms,omitempty"`
	Hidden     bool       `json:"hidden,omitempty"` // something of it is withheld
	Definition string     `json:"definition"`
}

// Said is a value with its label.
type Said struct {
	Label string `json:"label"`
	Text  string `json:"text"`
}

// ToldFile is a document that an event names.
type ToldFile struct {
	Type   string `json:"type"`
	Label  string `json:"label"`
	SHA256 string `json:"sha256"`
}

// LogProofs ties the events to a checkpoint of the Merkle log.
type LogProofs struct {
	Checkpoint []byte      `json:"checkpoint"` // the signed note
	Proofs     []Inclusion `json:"proofs"`
}

// Inclusion is the way of one event to the root of the checkpoint.
type Inclusion struct {
	Seq  int64    `json:"seq"`
	N    int64    `json:"n"` // number in the log, from 1
	Path [][]byte `json:"path"`
}

// Manifest says what is in the file. It proves nothing: it is there so that a loss is noticed and named.
type Manifest struct {
	Format   string   `json:"format"`
	Program  string   `json:"program"`
	Root     string   `json:"root"`
	Events   int64    `json:"events"`
	Head     string   `json:"head"` // hex of the last event's hash
	Redacted []string `json:"redacted"`
	Without  []string `json:"without"` // documents named by events whose bytes are not in the file
	Files    []File   `json:"files"`
}

// File is a file of the dossier.
type File struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}
