package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

const queueSetLong = `A job's own limits and retries go before the queue's, the queue's before the node's and Rota's own. A job that asks for more than the
queue's maximum is refused when it is submitted, and lowered to it if it waits already; a job without a limit has the maximum as its
limit. none takes a setting away.`

func (a *app) queueCreateCommand() *cobra.Command {
	return a.queueSettingsCommand(&cobra.Command{
		Use:     "create [flags] QUEUE",
		Short:   "Make a queue, with settings",
		Long:    "Makes a queue that is not there yet. (A job that is put into one makes it, too, with nothing settled.)\n\n" + queueSetLong,
		Example: examples("rota queue create night --description 'after hours' --retries 5 --backoff 1m,1h", "rota queue create gpu --max-mem 32G --keep 30d"),
	}, true)
}

func (a *app) queueSetCommand() *cobra.Command {
	return a.queueSettingsCommand(&cobra.Command{
		Use:   "set [flags] QUEUE",
		Short: "Change settings of a queue",
		Long: `Changes what the flags name and leaves the rest; a queue that is not there yet is made. What waits in the queue starts under the
new settings, what runs goes on as it began.` + "\n\n" + queueSetLong,
		Example: examples("rota queue set gpu --mem 8G --max-mem 32G --max-nice 0", "rota queue set gpu --max-mem none"),
	}, false)
}

func (a *app) queueSettingsCommand(cmd *cobra.Command, create bool) *cobra.Command {
	var f queueFlags
	cmd.Args = exactly("QUEUE")
	f.register(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		change, err := f.change()
		if err != nil {
			return err
		}
		if change.New = create; !create && !f.given() {
			return rota.Invalid("queue %s: no flag says what is to change", args[0]).WithFix("%s --help", cmd.CommandPath())
		}
		c, err := a.connect(cmd, wantWrite)
		if err != nil {
			return err
		}
		defer c.Close()
		q, err := c.ChangeQueue(cmd.Context(), args[0], change)
		if err != nil {
			return err
		}
		a.note("queue %s: limits %s; at most %s", q.Name, orText(limitsText(q.Limits.Default), "none"),
			orText(maximaText(q.Limits.Max), "no bounds"))
		return nil
	}
	return cmd
}

func (a *app) queuePauseCommand() *cobra.Command {
	yes := true
	return a.queueAct(&cobra.Command{
		Use:     "pause QUEUE...",
		Short:   "Let nothing of a queue start until it is resumed",
		Long:    "What runs goes on, and new jobs are taken and wait.",
		Example: examples("rota queue pause gpu"),
	}, rota.QueueChange{Paused: &yes}, "queue %[1]s is paused; rota queue resume %[1]s lets it go on")
}

func (a *app) queueDrainCommand() *cobra.Command {
	yes := true
	return a.queueAct(&cobra.Command{
		Use:     "drain QUEUE...",
		Short:   "Let a queue take no new jobs, and run what is in it",
		Long:    `New jobs are refused, those of schedules skipped, until "rota queue resume". What is in the queue is run.`,
		Example: examples("rota queue drain gpu"),
	}, rota.QueueChange{Draining: &yes}, "queue %[1]s takes no new jobs; rota queue resume %[1]s lets it take them again")
}

func (a *app) queueResumeCommand() *cobra.Command {
	no := false
	return a.queueAct(&cobra.Command{
		Use:     "resume QUEUE...",
		Short:   "Let a queue go on that was paused or is being drained",
		Example: examples("rota queue resume gpu"),
	}, rota.QueueChange{Paused: &no, Draining: &no}, "queue %[1]s goes on")
}

// queueAct makes cmd the command that changes one thing of queues that are there.
func (a *app) queueAct(cmd *cobra.Command, change rota.QueueChange, said string) *cobra.Command {
	cmd.Args = some("QUEUE")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := a.connect(cmd, wantChange)
		if err != nil {
			return err
		}
		defer c.Close()
		all, err := c.Queues(cmd.Context())
		if err != nil {
			return err
		}
		for _, name := range args {
			if queueNamed(all, name) == nil {
				return noQueue(name)
			}
		}
		for _, name := range args {
			if _, err := c.ChangeQueue(cmd.Context(), name, change); err != nil {
				return err
			}
			a.note(said, name)
		}
		return nil
	}
	return cmd
}

// waitingStates are those of tasks that have not begun.
var waitingStates = []rota.State{rota.Blocked, rota.Scheduled, rota.Held, rota.Ready}

func (a *app) queuePurgeCommand() *cobra.Command {
	var f actFlags
	cmd := &cobra.Command{
		Use:     "purge [flags] QUEUE",
		Short:   "Cancel all that waits in a queue",
		Long:    "What waits is counted first and asked for, or needs --yes. What runs goes on.",
		Example: examples("rota queue purge gpu --dry-run", "rota queue purge gpu --yes"),
		Args:    exactly("QUEUE"),
	}
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "only count what it would concern")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := a.connect(cmd, wantChange)
		if err != nil {
			return err
		}
		defer c.Close()
		all, err := c.Queues(cmd.Context())
		if err != nil {
			return err
		}
		if queueNamed(all, args[0]) == nil {
			return noQueue(args[0])
		}
		what := act{act: rota.ActCancel, use: "queue purge", done: "cancelled", thing: "task", moves: "waits"}
		op := rota.Operation{Act: rota.ActCancel, Filter: rota.Filter{Queue: args[0], States: waitingStates}, Reason: "its queue was purged"}
		return a.actOn(cmd.Context(), c, what, op, selection{}, &f, true)
	}
	return cmd
}

func (a *app) queueRenameCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rename QUEUE NAME",
		Short: "Give a queue another name",
		Long: `What is in the queue goes with it, however much that is, and schedules fire into the new name. Nodes serve queues by name: those that
name it (rota up --queues) are to be told. A job that names the old one makes a new queue.`,
		Example: examples("rota queue rename gpu gpu-old"),
		Args:    exactly("QUEUE", "NAME"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := a.connect(cmd, wantChange)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.RenameQueue(cmd.Context(), args[0], args[1]); err != nil {
			return err
		}
		a.note("queue %s is now %s", args[0], args[1])
		return nil
	}
	return cmd
}

func (a *app) queueRmCommand() *cobra.Command {
	var moveTo string
	cmd := &cobra.Command{
		Use:   "rm [flags] QUEUE",
		Short: "Remove a queue",
		Long: `A queue in which something waits or runs is not removed. With --move-to it takes no new jobs from then on, what waits in it is moved,
and it is removed if nothing runs in it any more; else say it again when that has ended. What has ended stays in the history, under its name.`,
		Example: examples("rota queue rm gpu", "rota queue rm gpu --move-to gpu2"),
		Args:    exactly("QUEUE"),
	}
	cmd.Flags().StringVar(&moveTo, "move-to", "", "first move what waits in it to this `queue`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := a.connect(cmd, wantChange)
		if err != nil {
			return err
		}
		defer c.Close()
		if moveTo != "" {
			if err := a.emptyQueue(cmd.Context(), c, args[0], moveTo); err != nil {
				return err
			}
		}
		if err := c.DropQueue(cmd.Context(), args[0]); err != nil {
			return err
		}
		a.note("queue %s is removed", args[0])
		return nil
	}
	return cmd
}

// emptyQueue lets nothing come into a queue any more, and moves what is in it to another.
func (a *app) emptyQueue(ctx context.Context, c *conn, name, to string) error {
	all, err := c.Queues(ctx)
	if err != nil {
		return err
	}
	if queueNamed(all, name) == nil {
		return noQueue(name)
	}
	if name == to {
		return rota.Invalid("queue %s: cannot be moved to itself", name)
	}
	yes := true
	if _, err := c.ChangeQueue(ctx, name, rota.QueueChange{Draining: &yes}); err != nil {
		return err
	}
	what := act{act: rota.ActEdit, use: "queue rm", done: "moved to " + to, thing: "job", moves: "has not ended"}
	op := rota.Operation{Act: rota.ActEdit, Filter: rota.Filter{Queue: name}, Edit: &rota.Edit{Queue: &to}}
	if err := a.actOn(ctx, c, what, op, selection{}, &actFlags{}, false); !errors.Is(err, rota.ErrNotFound) {
		return err
	}
	return nil
}
