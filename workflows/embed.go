// Package workflows embeds the workflow files that the program ships: the definitions, the parts that they share, and the
// numbers and labels of the law. It is data: what the files may say is checked by package flow, what they do is done by
// package engine, and an administrator's folder may add more files beside them. Scenarios and their golden traces live in
// testdata, played by package play.
package workflows

import "embed"

// FS holds *.yaml (workflows), parts/*.yaml (fragments merged with `uses:`) and law/*.yaml (limits and catalogue).
//
//go:embed *.yaml parts/*.yaml law/*.yaml
var FS embed.FS
