//go:build race

package play_test

// The race detector makes a day of the demonstration ten times longer: of the sample it plays one in this many. What the days have
// in common runs the same code.
const daysPerPlay = 20
