// Package exchange brings in what others publish. Today it reads ANAC's open data on CIGs (the CSV of 61 columns), row by
// row and in constant memory, and gives package engine batches of lots to write.
//
// It knows formats and how dirty they are; it decides nothing about cases: which states and events exist is in
// workflows/imported_tender.v1.yaml and imported_lot.v1.yaml, and what they allow in package engine. The way of a row:
// records.go cuts the file into rows, header.go finds the columns, row.go and values.go make a lot out of a row, outcome.go
// says in which state it is, anac.go sends batches on, report.go tells what became of everything.
package exchange
