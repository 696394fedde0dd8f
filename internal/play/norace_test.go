//go:build !race

package play_test

const daysPerPlay = 1
