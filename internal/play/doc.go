// Package play acts out scenarios: little texts that tell who does what and when, played through the real engine under a
// simulated clock, with a trace of everything that happened. It serves the golden tests of the workflows, the command that
// plays a file, and the demonstration (demo.go). It is not a test double: it calls the same use cases as the API, and knows no
// rule of its own. Its neighbours are engine, which it calls, and store, which it fills with bodies and people.
//
// # Language
//
// One step a line, words separated by spaces, # begins a comment. Values with spaces stand in double quotes.
//
//	workflow open_procedure                       # first line: what is opened
//	day due today-20wd                            # a name for a day, @due (demonstration only)
//	clock 2026-03-02T09:00                        # Rome; never back; on the way terms expire at their instants
//	clock 2026-05-04T09:00 late                   # the terms of the way are applied only after the next step
//	open create_request title="Scuola" kind=works # by the first role that may; or: rup open create_request …
//	                                              # a second open begins another case, which the steps after it act on
//	rup edit_request amount=3307836.24            # role, event, inputs as a person would type them; null empties
//	rup attach request_form, rup_appointment      # documents of these types, to the case itself
//	sua_clerk lots:1 record_cig cig=B24DA5677B    # a case below: child:number, lots:1/remedies:2 deeper
//	rup submit_request ack=amount_odd:"Verificato" # answers a warning, once for each code
//	sua_director reject reason=… revision=3       # the revision the person saw; without it the current one
//	rup edit_request amount=1 key=k1              # done once, however often the line is repeated
//	sua_clerk record_bid bid={operator:"Alfa srl", received:2026-03-02T09:00}
//	seat decide decisions=[{row:1, admission:admitted}, {row:2, admission:excluded, reason:"Tardiva"}]
//	system update outcome_state=awarded           # the engine itself
//	expect lots:2 deserted                        # where a case must stand: of the first case opened, expect 1 lots:2 deserted
//	linked lots:2                                 # goes on with the case that the engine opened beside this one
//
// A value of type person is the name of a role of the cast. Inputs are read by their declared type; what cannot be read so is
// passed on as it is, so that scenarios can show how the engine refuses it. In the demonstration days are counted from today, or
// from a day that a line has named: today-6d, today-12wd (working days), @due+32d~ (~ goes on to a working day), clock @dueT09:30.
//
// # Trace
//
// Each step is a line with its outcome (ok, refused codes, warns codes, invalid pointers, forbidden, stale, not_found), followed
// by what really happened, read back from the history: path of the case ("." is the root), event, from → to; then the terms that
// began (+), moved (~) or ended (-). Terms that expire while the clock moves have a line of their own.
package play
