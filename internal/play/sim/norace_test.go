//go:build !race

package sim_test

// The race detector makes a walk ten times longer: of the long series it walks one seed in this many.
const seedsPerWalk = 1
