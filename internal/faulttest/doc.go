// Package faulttest breaks what the program stands on while it works, and then looks whether anything was lost or done twice.
//
// Its tests run the real `sua serve` as a process of its own, let clients move cases over HTTP on a schedule drawn from a seed,
// and meanwhile kill it, its database or its connections, or take its disk away. A checker that knows nothing of the engine reads
// the database afterwards. There is no code beside the tests; they run on Linux. A failing seed says how to run it again.
package faulttest
