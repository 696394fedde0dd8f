package engine

import "encoding/json"

// eraseEvent is the name under which the erasure of personal data stands in the history.
const eraseEvent = "erase"

// erasedBy reads from the open part of an erasure which events of the tree lost their personal part.
func erasedBy(open []byte) ([]int64, error) {
	var a account
	err := json.Unmarshal(open, &a)
	return a.Erased, err
}
