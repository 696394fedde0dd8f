package dossier

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/province-comuni/sua/internal/audit"
)

// log checks that the events are in the Merkle log that a checkpoint has signed.
func (c *check) log(with Against) error {
	if c.a.files[logFile] == nil {
		c.not("il fascicolo non ha prove del registro: prova di essere coerente, non che la storia fosse questa già prima che fosse scritto")
		if len(with.Checkpoint) > 0 {
			c.wrong("è stato dato un checkpoint, ma il fascicolo non ha prove da confrontare")
		}
		return nil
	}
	var l LogProofs
	if err := c.a.decode(logFile, &l); err != nil {
		return err
	}
	if err := audit.CheckLogKey(with.Key); with.Key != "" && err != nil {
		return foreign("la chiave data non è quella pubblica di un registro, come la scrive «sua log key»: %v", err)
	}
	point, err := c.signed(l.Checkpoint, with.Key)
	if err != nil {
		c.wrong("checkpoint del fascicolo: %v", err)
		return nil
	}
	if len(with.Checkpoint) > 0 {
		outside, err := c.signed(with.Checkpoint, with.Key)
		switch {
		case err != nil:
			c.wrong("checkpoint esterno: %v", err)
			return nil
		case outside.Origin != point.Origin:
			c.wrong("il checkpoint esterno è di un altro registro: %s", outside.Origin)
			return nil
		case outside.Size != point.Size:
			c.not("il checkpoint esterno è di %d eventi, quello del fascicolo di %d: per confrontarli serve un fascicolo esportato con --checkpoint", outside.Size, point.Size)
		case !bytes.Equal(outside.Root, point.Root):
			c.wrong("il registro NON è quello del checkpoint esterno: a %d eventi ha un'altra radice", point.Size)
			return nil
		default:
			c.proved("il checkpoint è lo stesso che è stato tenuto fuori: la storia era questa quando quello fu firmato")
		}
	}
	c.inclusions(l, point)
	return nil
}

// signed reads a checkpoint, with its signature when there is a key.
func (c *check) signed(note []byte, key string) (audit.Checkpoint, error) {
	if key != "" {
		p, err := audit.ParseCheckpoint(note, key)
		if said := fmt.Sprintf("la firma del checkpoint è del registro %s (%d eventi)", p.Origin, p.Size); err == nil && !slices.Contains(c.out.Proved, said) {
			c.proved("%s", said)
		}
		if err != nil {
			err = fmt.Errorf("non è un checkpoint firmato con la chiave data (%w)", err)
		}
		return p, err
	}
	lines := strings.SplitN(string(note), "\n", 4)
	if len(lines) < 4 {
		return audit.Checkpoint{}, foreign("non è un checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return audit.Checkpoint{}, foreign("non è un checkpoint")
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil {
		return audit.Checkpoint{}, foreign("non è un checkpoint")
	}
	if said := "la firma del checkpoint di " + lines[0] + ": serve la chiave pubblica del registro (--key)"; !slices.Contains(c.out.NotProved, said) {
		c.not("%s", said)
	}
	return audit.Checkpoint{Origin: lines[0], Size: size, Root: root, Note: note}, nil
}

// inclusions checks the proof of each event.
func (c *check) inclusions(l LogProofs, point audit.Checkpoint) {
	proved, last := map[int64]bool{}, int64(0)
	var strays []int64 // events whose proof leads elsewhere: after a change in the chain, all that follow
	for _, p := range l.Proofs {
		if p.Seq < 1 || p.Seq > int64(len(c.events)) || proved[p.Seq] {
			c.wrong("c'è la prova di un evento %d che nel fascicolo non c'è", p.Seq)
			continue
		}
		if err := audit.CheckInclusion(p.Path, p.N-1, point.Size, point.Root, c.events[p.Seq-1].Hash); err != nil {
			if strays = append(strays, p.Seq); len(strays) == 1 {
				c.wrong("evento %d: la prova non porta alla radice del registro", p.Seq)
			}
			continue
		}
		proved[p.Seq] = true
		last = max(last, p.Seq)
	}
	if more := len(strays) - 1; more > 0 {
		c.wrong("e così le prove di altri %d eventi, fino al numero %d", more, strays[more])
	}
	for seq := int64(1); seq < last; seq++ {
		if !proved[seq] && !slices.Contains(strays, seq) { // an event enters the log after those before it
			c.wrong("evento %d: manca la sua prova, e quella dell'evento %d c'è", seq, last)
		}
	}
	switch rest := int64(len(c.events)) - int64(len(proved)); {
	case len(proved) == 0:
		c.not("nessun evento ha una prova del registro")
	case c.faults > 0:
	case rest == 0:
		c.proved("tutti i %d eventi sono nel registro di %d eventi del checkpoint", len(proved), point.Size)
	default:
		c.proved("%d eventi, fino al numero %d, sono nel registro di %d eventi del checkpoint", len(proved), last, point.Size)
		c.not("%d eventi sono più recenti del checkpoint", rest)
	}
	c.not("che dopo l'ultimo evento non ce ne siano altri: lo dice solo il database, o un fascicolo più recente")
}
