package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) queueCommand() *cobra.Command {
	return nounCommand("queue", "Queues", nounLs(a, &cobra.Command{Short: "List queues and how much waits in them",
		Example: examples("rota queue ls", "rota queue ls -o json")}, "queues", queueList, rota.Service.Queues))
}

var queueList = list[rota.Queue]{
	id: func(q rota.Queue) string { return q.Name },
	columns: append([]column[rota.Queue]{
		{head: "QUEUE", cell: func(q rota.Queue, _ style) string { return q.Name }},
		{head: "ORDER", cell: func(q rota.Queue, _ style) string { return q.Discipline }},
		{head: "PAUSED", cell: func(q rota.Queue, _ style) string { return map[bool]string{true: "yes"}[q.Paused] }, maybe: true},
	}, queueCounts()...),
}

// queueCounts is a column for each state; those of the states that tasks stay in for ever are wide.
func queueCounts() []column[rota.Queue] {
	var out []column[rota.Queue]
	heads := map[rota.State]string{rota.Blocked: "BLOCKED", rota.Scheduled: "SCHEDULED", rota.Held: "HELD", rota.Ready: "READY",
		rota.Running: "RUNNING", rota.Succeeded: "SUCCEEDED", rota.Failed: "FAILED", rota.Cancelled: "CANCELLED"}
	for _, s := range rota.States {
		out = append(out, column[rota.Queue]{head: heads[s], right: true, wide: s == rota.Succeeded || s == rota.Cancelled,
			cell: func(q rota.Queue, _ style) string { return strconv.Itoa(q.Counts[s]) }})
	}
	return out
}
