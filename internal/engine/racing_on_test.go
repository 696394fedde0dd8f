//go:build race

package engine_test

// racing: the run looks for data races, ten times slower; of the long tables it takes a part.
const racing = true
