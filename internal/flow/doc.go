// Package flow turns workflow files into checked definitions, and definitions into everything that is derived from
// them: moves, forms, JSON schemas, diagrams and the reference pages for officers. There is no second copy of any of it.
//
// Compile is the door. It decodes the YAML by hand, merges parts, and reports every fault with file and line, so that a
// definition which exists is one whose names all resolve, whose states are all reached and can all end.
//
// It is not the engine: it holds no case, reads no clock, evaluates no guard and applies no effect. It only knows that
// guards and effects exist, because package engine hands it a Vocabulary. Numbers and terms come from package law,
// counting rules from package calendar. It is the only importer of looplab/fsm (machine.go) and of graphviz (graph.go).
package flow
