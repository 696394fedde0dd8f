package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
)

// Options of ImportANAC; the zero value is fine.
type Options struct {
	// BatchRows is how many rows one transaction writes; 0 is 1,000.
	BatchRows int
	// Progress, when set, is told after each transaction how many rows and bytes of the file are done.
	Progress func(rows, bytes int64)
	Log      *slog.Logger // nil discards
}

// ImportANAC reads ANAC's CSV of CIGs and brings cases up to what it says, a transaction every BatchRows rows, in constant
// memory. What is wrong with rows is in the report and stops nothing; nor does a file that was cut, see Report.Complete.
//
// The error is ErrNotCSV or *MissingColumns for a file of another kind, or what stopped the reading or the database: then the
// report counts what had been written.
func ImportANAC(ctx context.Context, e *engine.Engine, r io.Reader, opt Options) (rep Report, err error) {
	if opt.BatchRows <= 0 {
		opt.BatchRows = 1000
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	now, err := e.Now(ctx)
	if err != nil {
		return rep, err
	}
	rs := newRecords(r)
	h, err := readHeader(rs)
	if err != nil {
		return rep, err
	}
	rep.Absent = h.absent
	ctx, cancel := context.WithCancel(ctx)
	batches := make(chan *batch, 1) // the next batch is read while this one is written
	defer func() {
		cancel()
		for range batches { // the reading goroutine ends before we do: r is the caller's again
			continue
		}
	}()
	rd := &reader{h: h, today: calendar.DateOf(now)}
	go rd.run(ctx, rs, opt.BatchRows, batches)
	for b := range batches {
		if b.number == 2 { // a file of one batch is not worth it
			done, no := e.ImportMany(ctx)
			if no != nil {
				return rep, no
			}
			defer func() { err = errors.Join(err, done()) }()
		}
		if err := rep.write(ctx, e, b); err != nil {
			return rep, fmt.Errorf("dopo %d righe: %w", rep.Rows, err)
		}
		if opt.Progress != nil {
			opt.Progress(rep.Rows, rep.Bytes)
		}
		opt.Log.Debug("anac import", "rows", rep.Rows, "imported", rep.Imported, "updated", rep.Updated, "rejected", rep.Rejected)
	}
	return rep, ctx.Err()
}

// write hands a batch to the engine and counts what became of it.
func (r *Report) write(ctx context.Context, e *engine.Engine, b *batch) error {
	if b.err != nil {
		return b.err
	}
	res, err := e.Import(ctx, b.rows)
	if err != nil {
		return err
	}
	r.Rows, r.Bytes = r.Rows+b.read, b.bytes
	r.Imported, r.Updated, r.Unchanged = r.Imported+int64(res.Imported), r.Updated+int64(res.Updated), r.Unchanged+int64(res.Unchanged)
	r.Rejected, r.Repeated = r.Rejected+b.rejected+int64(res.Rejected), r.Repeated+b.repeated
	r.Tenders, r.TendersUpdated, r.Bodies = r.Tenders+int64(res.Tenders), r.TendersUpdated+int64(res.TendersUpdated), r.Bodies+int64(res.Bodies)
	merge(&r.Warnings, b.warnings)
	merge(&r.Rejections, b.rejections)
	merge(&r.Facts, b.facts)
	r.note(res.Notes)
	r.Truncated = r.Truncated || b.truncated
	return nil
}

// run reads the file into batches until its end, an error or the end of ctx; then it closes the channel.
func (rd *reader) run(ctx context.Context, rs *records, size int, out chan<- *batch) {
	defer close(out)
	for n := 1; ; n++ {
		rd.batch = &batch{number: n, rows: make([]engine.ImportedLot, 0, size)}
		end := rd.fill(rs, size)
		rd.batch.bytes = rs.bytes
		if end && rd.batch.read == 0 && rd.batch.err == nil {
			return
		}
		select {
		case out <- rd.batch:
		case <-ctx.Done():
			return
		}
		if end {
			return
		}
	}
}

// fill reads rows into the batch until it is full; end when the file is over, or cannot be read on.
func (rd *reader) fill(rs *records, size int) (end bool) {
	if rd.failed != nil {
		rd.batch.err = rd.failed
		return true
	}
	for rd.batch.read < int64(2*size) && len(rd.batch.rows) < size {
		rec, err := rs.next()
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			rd.failed = err
			return false // what is whole is written first
		}
		rd.take(rec)
	}
	return false
}
