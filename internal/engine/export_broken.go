package engine

import (
	"context"
	"fmt"

	"github.com/province-comuni/sua/internal/store"
)

// brokenTold bounds how many faults the file itself tells.
const brokenTold = 20

// verify looks whether the tree holds and has the dossier say so where it does not: a file of a broken story must not look like any
// other. Of what the database says otherwise than the story only that it does: the values may be secret for the reader.
func (x *exporter) verify(ctx context.Context, root *store.Case, events []store.Event) ([]Finding, error) {
	v, err := x.e.Verify(ctx, Verify{Root: root.ID})
	if err != nil {
		return nil, err
	}
	var faults []Finding
	apart := false
	tell := func(line string) {
		if len(x.out.Story.Broken) < brokenTold {
			x.out.Story.Broken = append(x.out.Story.Broken, line)
		}
	}
	broken := check(events, root, 0, 0)
	if broken != nil {
		tell(brokenText(broken))
	}
	for _, f := range v.Findings {
		if f.Root != root.ID {
			continue // of the database as a whole
		}
		faults = append(faults, f)
		if f.Seq > 0 && broken == nil {
			tell(fmt.Sprintf("Evento %d: %s.", f.Seq, f.Text))
		}
		apart = apart || f.Seq == 0
	}
	if apart && broken == nil {
		tell("Le pratiche nel database sono altre da come la storia le racconta: dove, lo dice «sua audit verify» a chi gestisce il programma.")
	}
	return faults, nil
}
