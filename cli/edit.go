package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

// change is a command that changes one thing of all jobs that are selected.
type change struct {
	act
	takes string // the argument behind the jobs; empty: none
	flags func(cmd *cobra.Command) func(e *rota.Edit) error
	edit  func(text string) (rota.Edit, error)
}

const changesLong = `

Selectors are ids (42, 1-5,8), last, and name:PATTERN; or select by flags. What is not named by id is counted first and asked
for, or needs --yes. Whole jobs are changed, as far as they have not ended; what runs of them goes on where it is, and stands there again
only when it is to be tried again.`

func (a *app) changeCommands() []*cobra.Command {
	return []*cobra.Command{a.moveCommand(), a.relocateCommand(), a.reroleCommand(), a.priorityCommand(), a.editCommand()}
}

func (a *app) moveCommand() *cobra.Command {
	return a.changeCommand(change{
		act: act{rota.ActEdit, "move", "moved", "job", "Move jobs to another queue", "What waits of them stands in the other queue as if it had just come." + changesLong,
			false, "has not ended", "rota move 42 gpu"},
		takes: "QUEUE", edit: func(text string) (rota.Edit, error) { return rota.Edit{Queue: &text}, rota.CheckQueueName(text) }})
}

func (a *app) relocateCommand() *cobra.Command {
	return a.changeCommand(change{
		act: act{rota.ActEdit, "relocate", "relocated", "job", "Bring jobs to another node", "NODE is a node's name, a label KEY=VALUE, or any." + changesLong,
			false, "has not ended", "rota relocate 42 lab2"},
		takes: "NODE", edit: func(text string) (rota.Edit, error) { return rota.RelocateTo(text), nil }})
}

func (a *app) priorityCommand() *cobra.Command {
	return a.changeCommand(change{
		act: act{rota.ActEdit, "priority", "changed", "job", "Raise, lower or set the priority of jobs", "+5 raises it by 5, -5 lowers it by 5, 5 sets it." + changesLong,
			false, "has not ended", "rota priority 42 +5"},
		takes: "PRIORITY", edit: parsePriority})
}

// parsePriority reads what [numbersAsArguments] made an argument.
func parsePriority(text string) (rota.Edit, error) {
	return rota.ParsePriority(strings.Replace(text, minus, "-", 1))
}

// minus stands for the minus of a number that is an argument: a flag begins with the other one.
const minus = "\u2212"

// numbersAsArguments lets numbers below zero be arguments of "rota priority".
func numbersAsArguments(args []string) []string {
	out := append([]string{}, args...)
	if len(out) == 0 || out[0] != "priority" {
		return out
	}
	for i, arg := range out {
		if n, err := strconv.Atoi(arg); err == nil && n <= 0 && arg[0] == '-' {
			out[i] = minus + arg[1:]
		}
	}
	return out
}

func (a *app) reroleCommand() *cobra.Command {
	return a.changeCommand(change{
		act: act{rota.ActEdit, "rerole", "changed", "job", "Give jobs to another queue or executor", `A command can be given to the shell, and a shell text to exec, which
runs a shell then; a script stays one.` + changesLong, false, "has not ended", "rota rerole 42 --to-queue gpu --executor shell"},
		flags: func(cmd *cobra.Command) func(e *rota.Edit) error {
			to := cmd.Flags().String("to-queue", "", "the `queue` to move them to")
			executor := cmd.Flags().String("executor", "", "the `executor` to give them to")
			return func(e *rota.Edit) error {
				if *to == "" && *executor == "" {
					return rota.Invalid("neither a queue nor an executor is named").WithFix("--to-queue QUEUE, --executor EXECUTOR, or both")
				}
				if *to != "" {
					e.Queue = to
				}
				if *executor != "" {
					e.Executor = executor
				}
				return nil
			}
		}})
}

func (a *app) changeCommand(what change) *cobra.Command {
	var f actFlags
	cmd := &cobra.Command{
		Use:     strings.TrimSpace(what.use + " [flags] [JOB...] " + what.takes),
		Short:   what.short,
		Long:    what.short + ".\n" + what.long,
		Example: examples(what.example, what.example+" --dry-run"),
	}
	f.register(cmd)
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "only count what it would concern")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	more := func(*rota.Edit) error { return nil }
	if what.flags != nil {
		more = what.flags(cmd)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var e rota.Edit
		if what.takes != "" {
			if len(args) == 0 {
				return rota.Invalid("missing argument %s", what.takes).WithFix("%s", cmd.UseLine())
			}
			var err error
			if e, err = what.edit(args[len(args)-1]); err != nil {
				return err
			}
			args = args[:len(args)-1]
		}
		if err := more(&e); err != nil {
			return err
		}
		if len(args) == 0 && !f.given() {
			return rota.Invalid("nothing is selected").WithFix("name jobs (%s), or select them by flags: rota %s --help", what.example, what.use)
		}
		c, err := a.connect(cmd, wantChange)
		if err != nil {
			return err
		}
		defer c.Close()
		return a.change(cmd.Context(), c, what.act, &e, args, &f)
	}
	return cmd
}

// change edits all jobs that are selected.
func (a *app) change(ctx context.Context, c *conn, what act, e *rota.Edit, args []string, f *actFlags) error {
	sel, err := c.selectors(ctx, args)
	if err != nil {
		return err
	}
	for _, one := range sel.singles {
		if one.task != 0 {
			return rota.Invalid("%v is one task of a job: %s takes whole jobs", one, what.use).WithFix("rota %s %v", what.use, one.job)
		}
		if err := c.mustExist(ctx, one); err != nil {
			return err
		}
	}
	filter := sel.filter()
	if err := f.add(&filter); err != nil {
		return err
	}
	return a.actOn(ctx, c, what, rota.Operation{Act: rota.ActEdit, Filter: filter, Edit: e}, sel, f, sel.pattern != "" || f.given())
}

func (a *app) editCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "edit [flags] JOB [-- COMMAND ARG...]",
		Short: "Change a job that has not ended",
		Long: `Flags change what they name of a job; a command behind -- replaces what it runs. What runs of the job goes on as it began, what
waits starts as the job then says. --after replaces all that the job waits for; which tasks it has cannot change.`,
		Example:     examples("rota edit 42 -t 2h --retries 0", "rota edit last --after ok:41", "rota edit 42 -- ./train.sh --epochs 20"),
		Annotations: map[string]string{ownWithWait: "yes"},
	}
	flags := newSpecFlags(cmd.Flags(), true).withText()
	for _, name := range []string{"key", "each-line", "array", "hold"} {
		_ = cmd.Flags().MarkHidden(name)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		job, command, err := jobAndCommand(cmd, args, "keep what it runs")
		if err != nil {
			return err
		}
		return a.edit(cmd, flags, job, command)
	}
	return cmd
}

func (a *app) edit(cmd *cobra.Command, flags *specFlags, arg string, command []string) error {
	for _, name := range []string{"key", "each-line", "array", "hold"} {
		if flags.changed(name) {
			return rota.Invalid("--%s: cannot be changed of a job that is there", name).WithFix("rota again %s --%s …, rota hold %s", arg, name, arg)
		}
	}
	c, err := a.connect(cmd, wantChange)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx := cmd.Context()
	job, err := c.whole(ctx, arg, "edit", func(one single) string { return fmt.Sprintf("rota edit %v", one.job) })
	if err != nil {
		return err
	}
	base := job.Spec
	base.Queue = job.Queue
	r, err := a.compose(composing{flags: flags, args: command, dashed: true, base: &base, remote: c.target.remote()})
	if err != nil {
		return err
	}
	if flags.dryRun {
		spec, err := r.resolved()
		if err != nil {
			return err
		}
		return a.printJSON(spec)
	}
	what := act{act: rota.ActEdit, use: "edit", done: "changed", thing: "job", moves: "has not ended"}
	sel := selection{spans: []rota.Span{rota.SpanOf(job.ID)}, singles: []single{{job: job.ID}}}
	return a.actOn(ctx, c, what, rota.Operation{Act: rota.ActEdit, Filter: sel.filter(), Edit: &rota.Edit{Spec: &r.Spec}}, sel, &actFlags{}, false)
}
