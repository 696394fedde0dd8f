package flow

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxSource bounds a workflow file, in bytes: real ones are below 60 kB.
const maxSource = 1 << 20

// Source is one file to compile: workflows, parts, or both, as one or several YAML documents.
type Source struct {
	Name string // as faults name it
	Data []byte
	// Pinned marks canonical JSON read back from the database: already merged, without useful line numbers.
	Pinned bool
}

// NoticesFile stands among the workflows and is none: the texts of notices, read by package notice.
const NoticesFile = "notices.yaml"

// Sources reads the workflow files of a folder: *.yaml at the top and in parts/. Anything else (law/, testdata/) is
// left alone.
func Sources(fsys fs.FS) ([]Source, error) {
	var sources []Source
	for _, pattern := range []string{"*.yaml", "parts/*.yaml"} {
		names, err := fs.Glob(fsys, pattern)
		if err != nil {
			return nil, fmt.Errorf("list workflows: %w", err)
		}
		for _, name := range names {
			if name == NoticesFile {
				continue
			}
			data, err := fs.ReadFile(fsys, name)
			if err != nil {
				return nil, fmt.Errorf("read workflow %s: %w", name, err)
			}
			sources = append(sources, Source{Name: name, Data: data})
		}
	}
	return sources, nil
}

// place is where a node was written.
type place struct {
	file string
	line int
}

// document is one YAML document before decoding: a workflow or a part.
type document struct {
	source Source
	root   *yaml.Node
}

// part is a fragment that workflows merge with `uses:`.
type part struct {
	document
	used bool
}

// read splits the sources into workflows and parts and remembers the file of every node.
func (c *compiler) read(sources []Source) (workflows []document) {
	for _, source := range sources {
		if len(source.Data) > maxSource {
			c.report(place{source.Name, 0}, "file troppo grande: %d byte, massimo %d", len(source.Data), maxSource)
			continue
		}
		decoder := yaml.NewDecoder(bytes.NewReader(source.Data))
		for {
			var root yaml.Node
			err := decoder.Decode(&root)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				c.reportYAML(source.Name, err)
				break
			}
			doc := document{source: source, root: root.Content[0]}
			if !c.own(doc.root, source) {
				continue
			}
			switch {
			case doc.root.Kind != yaml.MappingNode:
				c.reportNode(doc.root, "il documento deve essere una tabella che comincia con «workflow:» o «part:»")
			case value(doc.root, "part") != nil:
				c.addPart(doc)
			default:
				workflows = append(workflows, doc)
			}
		}
	}
	return workflows
}

// reportYAML keeps the line that the YAML parser gives inside its text ("yaml: line 3: …").
func (c *compiler) reportYAML(file string, err error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if n, scanErr := fmt.Sscanf(message, "line %d:", &line); scanErr == nil && n == 1 {
		_, message, _ = strings.Cut(message, ": ")
	}
	c.report(place{file, line}, "YAML non leggibile: %s", message)
}

// own notes the file of each node and refuses what has no canonical JSON: aliases, anchors and foreign tags.
func (c *compiler) own(n *yaml.Node, source Source) bool {
	c.files[n] = source.Name
	if source.Pinned {
		n.Line = 0 // canonical JSON is one line: the number would mislead
	}
	ok := true
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		c.reportNode(n, "ancore e alias (& e *) non sono ammessi")
		return false
	case n.Kind == yaml.ScalarNode && n.Tag != "!!str" && n.Tag != "!!int" && n.Tag != "!!bool" && n.Tag != "!!null" && n.Tag != "!!float":
		c.reportNode(n, "valore di tipo %s non ammesso: scriverlo tra virgolette", strings.TrimLeft(n.Tag, "!"))
		ok = false
	}
	for _, child := range n.Content {
		ok = c.own(child, source) && ok
	}
	return ok
}

func (c *compiler) addPart(doc document) {
	name, version := value(doc.root, "part"), value(doc.root, "version")
	if name.Kind != yaml.ScalarNode || !isID(name.Value) {
		c.reportNode(name, "«part» deve essere un id in snake_case")
		return
	}
	if version == nil || version.Tag != "!!int" {
		c.reportNode(name, "la parte «%s» deve avere «version», un intero", name.Value)
		return
	}
	key := name.Value + ".v" + version.Value
	if other, found := c.parts[key]; found {
		c.reportNode(name, "la parte «%s» è già in %s", key, c.where(other.root))
		return
	}
	c.parts[key] = &part{document: doc}
}

// merge returns the workflow with its parts folded in: parts first, in the order of `uses`, because they hold what
// comes first in a procedure; nodes are shared, never changed.
func (c *compiler) merge(doc document) *yaml.Node {
	uses := value(doc.root, "uses")
	if uses == nil || doc.source.Pinned {
		return doc.root
	}
	if uses.Kind != yaml.SequenceNode {
		c.reportNode(uses, "«uses» deve essere un elenco di parti, per esempio [request.v1]")
		return without(doc.root, "uses")
	}
	merged := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: doc.root.Line}
	c.files[merged] = doc.source.Name
	own := without(doc.root, "uses")
	for _, use := range uses.Content {
		key := strings.TrimSuffix(path.Base(use.Value), ".yaml")
		p, found := c.parts[key]
		if !found {
			known := make([]string, 0, len(c.parts))
			for k := range c.parts {
				known = append(known, k)
			}
			c.reportNode(use, "parte sconosciuta: «%s»%s", use.Value, maybe(key, known))
			continue
		}
		p.used = true
		c.fold(merged, without(p.root, "part", "version"))
	}
	c.fold(merged, own)
	return headerFirst(merged, own)
}

// fold adds the keys of from to into: tables key by key, lists appended, anything else once.
func (c *compiler) fold(into, from *yaml.Node) {
	for i := 0; i+1 < len(from.Content); i += 2 {
		key, add := from.Content[i], from.Content[i+1]
		at := indexOf(into, key.Value)
		if at < 0 {
			into.Content = append(into.Content, key, add)
			continue
		}
		have := into.Content[at+1]
		if have.Kind != add.Kind || have.Kind == yaml.ScalarNode {
			c.reportNode(key, "«%s» è già in %s", key.Value, c.where(into.Content[at]))
			continue
		}
		if have.Kind == yaml.MappingNode {
			c.clashes(key.Value, have, add)
		}
		both := &yaml.Node{Kind: have.Kind, Tag: have.Tag, Line: have.Line}
		both.Content = append(append(both.Content, have.Content...), add.Content...)
		c.files[both] = c.files[have]
		into.Content[at+1] = both
	}
}

// clashes reports the keys that two files both give to one section.
func (c *compiler) clashes(section string, have, add *yaml.Node) {
	for i := 0; i+1 < len(add.Content); i += 2 {
		if at := indexOf(have, add.Content[i].Value); at >= 0 && c.files[have.Content[at]] != c.files[add.Content[i]] {
			c.reportNode(add.Content[i], "«%s.%s» è già in %s", section, add.Content[i].Value, c.where(have.Content[at]))
		}
	}
}

// headerFirst puts the keys in the workflow's own order, then those that only parts have.
func headerFirst(merged, own *yaml.Node) *yaml.Node {
	var first, rest []*yaml.Node
	for i := 0; i+1 < len(own.Content); i += 2 {
		if at := indexOf(merged, own.Content[i].Value); at >= 0 {
			first = append(first, own.Content[i], merged.Content[at+1])
		}
	}
	for i := 0; i+1 < len(merged.Content); i += 2 {
		if indexOf(own, merged.Content[i].Value) < 0 {
			rest = append(rest, merged.Content[i], merged.Content[i+1])
		}
	}
	merged.Content = append(first, rest...)
	return merged
}

// without returns a shallow copy of a table lacking some keys.
func without(table *yaml.Node, keys ...string) *yaml.Node {
	rest := *table
	rest.Content = nil
	for i := 0; i+1 < len(table.Content); i += 2 {
		drop := false
		for _, key := range keys {
			drop = drop || table.Content[i].Value == key
		}
		if !drop {
			rest.Content = append(rest.Content, table.Content[i], table.Content[i+1])
		}
	}
	return &rest
}

// indexOf finds a key in a table; -1 when it is not there.
func indexOf(table *yaml.Node, key string) int {
	for i := 0; i+1 < len(table.Content); i += 2 {
		if table.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// value finds the value of a key in a table; nil when it is not there.
func value(table *yaml.Node, key string) *yaml.Node {
	if i := indexOf(table, key); i >= 0 {
		return table.Content[i+1]
	}
	return nil
}
