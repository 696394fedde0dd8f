package flow

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// Catalogue holds the labels that workflows share: document types and columns that many of them name. It is not part
// of a definition's hash: mending a label there does not make a new version.
type Catalogue struct {
	Documents map[string]DocumentType
	Columns   map[string]Text
}

// LoadCatalogue reads workflows/law/documents.yaml. The error names the first thing that is wrong.
func LoadCatalogue(data []byte) (Catalogue, error) {
	var file struct {
		Documents map[string]struct {
			Label Text   `yaml:"label"`
			Help  Text   `yaml:"help"`
			Law   string `yaml:"law"`
		} `yaml:"documents"`
		Columns map[string]Text `yaml:"columns"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return Catalogue{}, fmt.Errorf("read document catalogue: %w", err)
	}
	catalogue := Catalogue{Documents: map[string]DocumentType{}, Columns: file.Columns}
	for id, doc := range file.Documents {
		if !isID(id) || doc.Label.IT == "" || doc.Label.EN == "" {
			return Catalogue{}, fmt.Errorf("document catalogue: «%s» deve avere un id in snake_case e label {it, en}", id)
		}
		catalogue.Documents[id] = DocumentType{ID: id, Label: doc.Label, Help: doc.Help, Law: doc.Law}
	}
	for id, label := range file.Columns {
		if !isID(id) || label.IT == "" || label.EN == "" {
			return Catalogue{}, fmt.Errorf("document catalogue: la colonna «%s» deve avere un id in snake_case e {it, en}", id)
		}
	}
	return catalogue, nil
}

// column is the shared label of a column or of one of its values, or the id made readable.
func (c Catalogue) column(id string) Text {
	if label, found := c.Columns[id]; found {
		return label
	}
	return readable(id)
}

// borrowDocuments adds the document types that events name and the workflow does not declare.
func (d *draft) borrowDocuments() {
	for _, e := range d.Events {
		for i, id := range e.Documents {
			if _, found := d.index.documents[id]; found {
				continue
			}
			document, shared := d.c.catalogue.Documents[id]
			if !shared {
				document = DocumentType{ID: id, Label: readable(id)}
				d.warn(nth(join("events."+e.ID, "documents"), i), "documento «%s» senza etichetta: né qui in «documents» né nel catalogo", id)
			}
			d.index.documents[id] = len(d.Documents)
			d.Documents = append(d.Documents, document)
		}
	}
}
