package store

// The statements of the due query, for the benchmark that reads their plans.
const (
	DueNow  = dueNow
	DueNext = dueNext
)
