package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/province-comuni/sua/internal/law"
	"go.yaml.in/yaml/v3"
)

// Compile reads workflows and parts and returns them checked, with warnings: things that work but look forgotten.
// The error is Faults, holding everything that is wrong; then there is no library. The vocabulary, the limits and the
// catalogue are only read. Sources with the same merged bytes (a file and its pinned copy) are one definition.
func Compile(sources []Source, v Vocabulary, limits *law.Table, c Catalogue) (*Library, []Fault, error) {
	comp := &compiler{
		vocabulary: v, limits: limits, catalogue: c,
		files: map[*yaml.Node]string{}, parts: map[string]*part{}, versions: map[string]*draft{},
	}
	for _, doc := range comp.read(sources) {
		comp.decode(doc)
	}
	comp.warnUnusedParts()
	comp.link()
	for _, d := range comp.drafts {
		comp.check(d)
	}
	if len(comp.faults) > 0 {
		return nil, comp.warnings.sorted(), comp.faults.sorted()
	}
	comp.library.computeNeeds(v)
	return comp.library, comp.warnings.sorted(), nil
}

// compiler holds what one call of Compile has learned so far. It goes on after each fault.
type compiler struct {
	vocabulary Vocabulary
	limits     *law.Table
	catalogue  Catalogue

	files    map[*yaml.Node]string // the file of each node: parts keep theirs when merged
	parts    map[string]*part      // by "request.v1"
	drafts   []*draft
	versions map[string]*draft // by "workflow@version"
	library  *Library          // complete after link, so that checks may look at other workflows
	faults   Faults
	warnings Faults
}

// draft is a definition being compiled, with the place where each of its elements was written.
type draft struct {
	*Definition
	c      *compiler
	doc    document
	marks  map[string]place // by path: "events.publish.guards.0"
	starts map[string]bool  // deadlines that some event starts
}

// decode turns one document into a draft, unless the same bytes are already there.
func (c *compiler) decode(doc document) {
	if value(doc.root, "workflow") == nil {
		c.reportNode(doc.root, "il documento deve cominciare con «workflow:» o «part:»")
		return
	}
	root := c.merge(doc)
	source, err := canonical(root)
	if err != nil {
		c.reportNode(root, "valore senza forma canonica: %v", err)
		return
	}
	sum := sha256.Sum256(source)
	hash := hex.EncodeToString(sum[:])
	for _, other := range c.drafts {
		if other.Hash == hash {
			return
		}
	}
	d := &draft{
		Definition: &Definition{Hash: hash, Source: source},
		c:          c, doc: doc, marks: map[string]place{}, starts: map[string]bool{},
	}
	d.readDefinition(root)
	if d.Workflow == "" {
		return
	}
	key := d.Workflow + "@" + strconv.Itoa(d.Version)
	if other, found := c.versions[key]; found {
		d.fault("version", "«%s» versione %d esiste già con altro contenuto in %s: alzare «version»",
			d.Workflow, d.Version, other.position("version"))
		return
	}
	c.versions[key] = d
	c.drafts = append(c.drafts, d)
}

// link builds the library of everything decoded, so that a workflow may be checked against its children and parents.
func (c *compiler) link() {
	definitions := make([]*Definition, len(c.drafts))
	for i, d := range c.drafts {
		definitions[i] = d.Definition
	}
	c.library = newLibrary(definitions)
}

func (c *compiler) warnUnusedParts() {
	for key, p := range c.parts {
		if !p.used {
			c.warnings = append(c.warnings, Fault{p.source.Name, p.root.Line, fmt.Sprintf("la parte «%s» non è usata da alcun workflow", key)})
		}
	}
}

func (c *compiler) report(at place, format string, args ...any) {
	c.faults = append(c.faults, Fault{at.file, at.line, fmt.Sprintf(format, args...)})
}

func (c *compiler) reportNode(n *yaml.Node, format string, args ...any) {
	c.report(place{c.files[n], n.Line}, format, args...)
}

// where writes a place for the inside of a message.
func (c *compiler) where(n *yaml.Node) string {
	return fmt.Sprintf("%s:%d", path.Base(c.files[n]), n.Line)
}

// mark remembers where the element at path was written.
func (d *draft) mark(path string, n *yaml.Node) {
	d.marks[path] = place{d.c.files[n], n.Line}
}

// at finds the place of a path, or of the nearest element around it.
func (d *draft) at(path string) place {
	for path != "" {
		if p, found := d.marks[path]; found {
			return p
		}
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			break
		}
		path = path[:i]
	}
	return d.marks[""]
}

func (d *draft) position(path string) string {
	at := d.at(path)
	return fmt.Sprintf("%s:%d", at.file, at.line)
}

// fault reports something wrong with the element at path.
func (d *draft) fault(path, format string, args ...any) { d.c.report(d.at(path), format, args...) }

// warn reports something doubtful about the element at path.
// Pinned definitions are past mending and only fail.
func (d *draft) warn(path, format string, args ...any) {
	if d.doc.source.Pinned {
		return
	}
	at := d.at(path)
	d.c.warnings = append(d.c.warnings, Fault{at.file, at.line, fmt.Sprintf(format, args...)})
}
