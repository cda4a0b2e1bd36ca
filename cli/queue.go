package cli

import (
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) queueCommand() *cobra.Command {
	return nounCommand("queue", "Queues and their settings", nounLs(a, &cobra.Command{Short: "List queues and how much waits in them",
		Example: examples("rota queue ls", "rota queue ls -o json")}, "queues", queueList, rota.Service.Queues),
		a.queueShowCommand(), a.queueCreateCommand(), a.queueSetCommand(), a.queuePauseCommand(), a.queueResumeCommand(), a.queueDrainCommand(),
		a.queuePurgeCommand(), a.queueRenameCommand(), a.queueRmCommand())
}

func (a *app) queueShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show [flags] QUEUE...",
		Short:   "Show a queue, its settings and what is in it",
		Example: examples("rota queue show gpu", "rota queue show gpu -o json"),
		Args:    some("QUEUE"),
	}
	return nounShow(a, cmd, func(cmd *cobra.Command, c *conn, args []string, form string) error {
		all, err := c.Queues(cmd.Context())
		if err != nil {
			return err
		}
		for i, name := range args {
			q := queueNamed(all, name)
			if q == nil {
				return noQueue(name)
			}
			if form == formJSON {
				err = a.printJSON(q)
			} else {
				_, err = io.WriteString(a.out, strings.Repeat("\n", min(i, 1))+describeQueue(q))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func noQueue(name string) error {
	return rota.Errorf(rota.ErrNotFound, "queue %q: there is none of this name", name).WithFix("rota queue ls")
}

func queueNamed(all []rota.Queue, name string) *rota.Queue {
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}

var queueList = list[rota.Queue]{
	id: func(q rota.Queue) string { return q.Name },
	columns: append([]column[rota.Queue]{
		{head: "QUEUE", cell: func(q rota.Queue, _ style) string { return q.Name }},
		{head: "ORDER", cell: func(q rota.Queue, _ style) string { return q.Discipline }},
		{head: "STATE", cell: func(q rota.Queue, _ style) string { return queueState(&q) }, maybe: true},
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
