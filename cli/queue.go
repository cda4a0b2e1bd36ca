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
		a.queueShowCommand(), a.queueSetCommand())
}

func (a *app) queueShowCommand() *cobra.Command {
	var form string
	cmd := &cobra.Command{
		Use:     "show [flags] QUEUE...",
		Short:   "Show a queue, its settings and what is in it",
		Example: examples("rota queue show gpu", "rota queue show gpu -o json"),
		Args:    some("QUEUE"),
	}
	registerForm(cmd, &form)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkForm(form); err != nil {
			return err
		}
		c, err := a.connect(cmd, wantRead)
		if err != nil {
			return err
		}
		defer c.Close()
		all, err := c.Queues(cmd.Context())
		if err != nil {
			return err
		}
		for i, name := range args {
			q := queueNamed(all, name)
			if q == nil {
				return rota.Errorf(rota.ErrNotFound, "queue %q: there is none of this name", name).WithFix("rota queue ls")
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
	}
	return cmd
}

func queueNamed(all []rota.Queue, name string) *rota.Queue {
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}

func describeQueue(q *rota.Queue) string {
	var f fields
	f.add("queue", q.Name)
	f.add("order", q.Discipline)
	f.add("paused", map[bool]string{true: "yes"}[q.Paused])
	f.add("limits", orText(limitsText(q.Limits.Default), "none"))
	f.add("at most", orText(maximaText(q.Limits.Max), "no bounds"))
	p := rota.Progress{Blocked: q.Counts[rota.Blocked], Scheduled: q.Counts[rota.Scheduled], Held: q.Counts[rota.Held], Ready: q.Counts[rota.Ready],
		Running: q.Counts[rota.Running], Succeeded: q.Counts[rota.Succeeded], Failed: q.Counts[rota.Failed], Cancelled: q.Counts[rota.Cancelled], Sealed: true}
	for _, n := range q.Counts {
		p.Tasks += n
	}
	p.Made = p.Tasks
	f.add("tasks", taskCounts(p))
	return f.String()
}

func (a *app) queueSetCommand() *cobra.Command {
	var standard, most limitFlags
	cmd := &cobra.Command{
		Use:   "set [flags] QUEUE",
		Short: "Change settings of a queue",
		Long: `Changes what the flags name and leaves the rest; a queue that is not there yet is made. What waits in the queue starts under the
new settings, what runs goes on as it began.

A job's own limits go before the queue's, the queue's before the node's. A job that asks for more than the queue's maximum is refused
when it is submitted, and lowered to it if it waits already; a job without a limit has the maximum as its limit.`,
		Example: examples("rota queue set gpu --mem 8G --max-mem 32G --max-nice 0", "rota queue set gpu --max-mem none"),
		Args:    exactly("QUEUE"),
	}
	standard.register(cmd.Flags(), "", [4]string{"`size` of memory of a task whose job says nothing: 2G, or none",
		"`CPUs` of such a task: 1.5, or none", "`processes` and threads of such a task, or none", "`niceness` of such a task, from -20 (first) to 19 (last), or none"})
	most.register(cmd.Flags(), "max-", [4]string{"most memory of any task: a `size`, or none", "most `CPUs` of any task, or none",
		"most `processes` and threads of any task, or none", "least `niceness` of any task, or none"})
	most.nice.none = rota.MinNice
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		change := rota.AllowanceChange{Default: standard.change(), Max: most.change()}
		if change == (rota.AllowanceChange{}) {
			return rota.Invalid("queue %s: no flag says what is to change", args[0]).WithFix("%s --help", cmd.CommandPath())
		}
		c, err := a.connect(cmd, wantWrite)
		if err != nil {
			return err
		}
		defer c.Close()
		q, err := c.ChangeQueue(cmd.Context(), args[0], rota.QueueChange{Limits: change})
		if err != nil {
			return err
		}
		a.note("queue %s: limits %s; at most %s", q.Name, orText(limitsText(q.Limits.Default), "none"), orText(maximaText(q.Limits.Max), "no bounds"))
		return nil
	}
	return cmd
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
