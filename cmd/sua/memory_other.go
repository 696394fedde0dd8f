//go:build !linux

package main

// releaseProgram is for Linux alone.
func releaseProgram() {}
