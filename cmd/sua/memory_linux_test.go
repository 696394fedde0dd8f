package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// mapped says how many KB of files the process holds in memory.
func mapped(t *testing.T) (kb int) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		t.Fatal(err)
	}
	return kb
}

func TestProgramIsReleased(t *testing.T) {
	before := mapped(t)
	releaseProgram()
	if after := mapped(t); after > before/2 {
		t.Errorf("%d KB of files before, %d after", before, after)
	}
}
