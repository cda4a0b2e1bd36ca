package rota

import "time"

// By is what failures are grouped by, and what a report is of.
type By string

const (
	ByError  By = "error"
	ByQueue  By = "queue"
	ByName   By = "name"
	ByNode   By = "node"
	ByUser   By = "user"
	ByOrigin By = "schedule"
)

// FailureBys are those that failures can be grouped by.
var FailureBys = []By{ByError, ByQueue, ByName, ByNode, ByUser}

// FailureQuery asks for failed tasks in groups, the largest first.
type FailureQuery struct {
	Filter
	By  By  // default: error
	Max int // groups at most; 0: 100
}

// FailureGroup is failed tasks that have something in common.
type FailureGroup struct {
	Key   string    `json:"key" doc:"of errors, their fingerprint, which selects the tasks: error=KEY"`
	Text  string    `json:"text" doc:"the error of the latest of them, without what differs from one to the next"`
	Kinds int       `json:"kinds" doc:"how many different errors"`
	Count int       `json:"count"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	Task  TaskID    `json:"task" doc:"the latest"`
}

// FailuresSeen is how many failures are looked at, from the newest.
const FailuresSeen = 20_000

// OnlyNewest reports whether groups are all that was looked at, so that there may be older failures besides.
func OnlyNewest(groups []FailureGroup) bool {
	n := 0
	for i := range groups {
		n += groups[i].Count
	}
	return n >= FailuresSeen
}
