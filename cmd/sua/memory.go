package main

import (
	"context"
	"os"
	"runtime/debug"
	"time"
)

// What is alive in a serving program is small, some 15 MB. At rest the garbage collector keeps the rest small too; under load it
// may let several times as much gather, some 150 MB, because its work would else be most of what the processor does, and while it
// works whoever waits for an answer waits longer: with half as much, one millisecond in forty. A fixed limit of memory cannot serve both:
// near to what the program needs, it makes the collector work all the time.
const (
	thrifty  = 50  // percent of what is alive that may gather at rest
	generous = 800 // under load
	busyRuns = 4   // collections in a second that mean load
	restful  = 30  // seconds without one that mean rest
)

// calmCollector adapts the collector to the load until ctx ends. GOGC decides where it is set.
func calmCollector(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(thrifty)
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		var stats debug.GCStats
		debug.ReadGCStats(&stats)
		seen, quiet, busy := stats.NumGC, 0, false
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			debug.ReadGCStats(&stats)
			runs := stats.NumGC - seen
			seen = stats.NumGC
			if quiet++; runs > 0 {
				quiet = 0
			}
			switch {
			case !busy && runs >= busyRuns:
				busy = true
				debug.SetGCPercent(generous)
			case busy && quiet >= restful:
				busy = false
				debug.SetGCPercent(thrifty)
				debug.FreeOSMemory()
				debug.ReadGCStats(&stats)
				seen = stats.NumGC
			}
		}
	}()
}
