package rota

import "time"

// UsageBys are those that a report can be of.
var UsageBys = []By{ByUser, ByQueue, ByName, ByNode, ByOrigin}

// UsageQuery asks what attempts took that ended since a time.
type UsageQuery struct {
	By    []By
	Since time.Time
}

// UsageRow is what the attempts took that have so much in common.
type UsageRow struct {
	Keys      []string `json:"keys" nullable:"false" doc:"in the order asked for"`
	Attempts  int      `json:"attempts" doc:"that ran"`
	Succeeded int      `json:"succeeded" doc:"tasks"`
	Failed    int      `json:"failed" doc:"tasks"`
	Retried   int      `json:"retried" doc:"attempts after which the task was tried again"`
	CPU       Duration `json:"cpu" doc:"user and system, of all attempts"`
	Ran       Duration `json:"ran" doc:"by the clock, of all attempts"`
	Waits     int      `json:"waits" doc:"first attempts"`
	Waited    Duration `json:"waited" doc:"on average, of a task from when it might have started to its first attempt"`
	Longest   Duration `json:"longest_wait"`
}
