package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

// act is a command that does one thing to all jobs and tasks that are selected.
type act struct {
	act     rota.Act
	use     string
	done    string // "37 tasks cancelled"
	thing   string
	short   string
	long    string
	waits   bool
	moves   string // what it can be done to, for when there is nothing
	example string
}

var acts = []act{
	{rota.ActCancel, "cancel", "cancelled", "task", "Cancel jobs or tasks", `Tasks that wait are cancelled at once; those that run get TERM and, after
their grace, KILL: --wait returns when they are dead.`, true, "has not ended", "rota cancel 42"},
	{rota.ActKill, "kill", "killed", "task", "Cancel jobs or tasks without grace", `Like cancel, but what runs gets KILL at once.`, true, "has not ended", "rota kill 43.17"},
	{rota.ActRetry, "retry", "to be tried again", "task", "Try failed or cancelled tasks again", `Tasks that failed or were cancelled are tried once more; those that
wait for a retry are tried now.`, false, "has failed, was cancelled or waits for its retry", "rota retry 43 --state failed"},
	{rota.ActHold, "hold", "held", "task", "Hold waiting tasks back until they are released", ``, false, "waits", "rota hold name:train*"},
	{rota.ActRelease, "release", "released", "task", "Let held tasks go", ``, false, "is held", "rota release 42"},
	{rota.ActDismiss, "dismiss", "dismissed", "task", "Take failed tasks off the list of failures", `They stay failed, and in the history, and can still be tried again.`,
		false, "is among the failures", "rota dismiss --error 3f2a9c41d0 --yes"},
	{rota.ActRemove, "rm", "removed", "job", "Remove ended jobs with their history and output", ``, false, "has ended", "rota rm --state succeeded --yes"},
}

func (a *app) actCommands() []*cobra.Command {
	var out []*cobra.Command
	for _, what := range acts {
		out = append(out, a.actCommand(what))
	}
	return out
}

type actFlags struct {
	filterFlags
	dryRun, yes, wait bool
}

func (a *app) actCommand(what act) *cobra.Command {
	var f actFlags
	cmd := &cobra.Command{
		Use:   what.use + " [flags] [JOB|TASK...]",
		Short: what.short,
		Long: strings.TrimSpace(what.short + ".\n" + what.long + `

Selectors are ids (42, 43.17, 43.1-9), ranges and lists (1-5,8), last, and name:PATTERN; or select by flags. What is not
named by id is counted first and asked for, or needs --yes.`),
		Example: examples(what.example, "rota "+what.use+" --queue gpu --label run=7"),
	}
	f.register(cmd)
	if what.waits {
		cmd.Flags().BoolVar(&f.wait, "wait", false, "return when they are dead")
	}
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "only count what it would concern")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 && !f.given() {
			return rota.Invalid("nothing is selected").WithFix("name jobs (rota %s 42), or select them by flags: rota %s --help", what.use, what.use)
		}
		c, err := a.connect(cmd, wantChange)
		if err != nil {
			return err
		}
		defer c.Close()
		return a.act(cmd.Context(), c, what, args, &f)
	}
	return cmd
}

func (a *app) act(ctx context.Context, c *conn, what act, args []string, f *actFlags) error {
	sel, err := c.selectors(ctx, args)
	if err != nil {
		return err
	}
	filter := sel.filter()
	if err := f.add(&filter); err != nil {
		return err
	}
	for _, one := range sel.singles {
		if err := c.mustExist(ctx, one); err != nil {
			return err
		}
	}
	return a.actOn(ctx, c, what, rota.Operation{Act: what.act, Filter: filter}, sel, f, sel.pattern != "" || f.given())
}

// actOn does an operation, after asking if so wished, and says what came of it.
func (a *app) actOn(ctx context.Context, c *conn, what act, op rota.Operation, sel selection, f *actFlags, asks bool) error {
	if f.dryRun {
		n, err := c.count(ctx, op)
		if err == nil {
			_, err = fmt.Fprintf(a.out, "%s would be %s\n", capped(n, what.thing), what.done)
		}
		return err
	}
	if asks {
		if ok, err := a.confirmed(ctx, c, what, op, f.yes); err != nil || !ok {
			return err
		}
	}
	op, err := c.Operate(ctx, op)
	if err != nil {
		return err
	}
	if op, err = a.seeThrough(ctx, c, what, op); err != nil || !op.Ended {
		return err
	}
	if op.Refused > 0 {
		if op.Done > 0 {
			a.note("%s %s", plural(op.Done, what.thing), what.done)
		}
		return refusedText(&op, what)
	}
	if op.Matched == 0 {
		return a.nothingToDo(ctx, c, what, sel)
	}
	if f.wait {
		if err := a.untilDead(ctx, c, op); err != nil {
			return err
		}
	}
	a.note("%s %s%s", plural(op.Done, what.thing), what.done, a.stillRunning(ctx, c, what, op, f.wait))
	return nil
}

// refusedText says that some things could not be done, and why the first could not.
func refusedText(op *rota.Operation, what act) error {
	if op.Refused == 1 {
		return rota.Errorf(rota.ErrConflict, "%s", op.Why)
	}
	return rota.Errorf(rota.ErrConflict, "%s cannot be %s; the first: %s", plural(op.Refused, what.thing), what.done, op.Why)
}

// mustExist refuses ids that there are not, before anything is done.
func (c *conn) mustExist(ctx context.Context, one single) error {
	if one.task != 0 {
		_, _, err := c.Task(ctx, one.task)
		return err
	}
	_, err := c.Job(ctx, one.job)
	return err
}

func (c *conn) count(ctx context.Context, op rota.Operation) (int, error) {
	op.DryRun = true
	op, err := c.Operate(ctx, op)
	return op.Matched, err
}

// confirmed asks whether so many things are meant.
func (a *app) confirmed(ctx context.Context, c *conn, what act, op rota.Operation, yes bool) (bool, error) {
	if yes {
		return true, nil
	}
	n, err := c.count(ctx, op)
	if err != nil || n == 0 {
		return err == nil, err
	}
	text := fmt.Sprintf("%s would be %s", capped(n, what.thing), what.done)
	if !isTerminal(a.in) || !a.screen.errTerm {
		return false, rota.Invalid("%s, and there is nobody to ask", text).WithFix("say --yes if that is meant, or look first with --dry-run")
	}
	_, _ = io.WriteString(screenErr{a.screen}, text+". Go on? [y/N] ")
	answer, err := bufio.NewReader(a.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fileError("answer", err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true, nil
	}
	return false, &exit{code: 1, err: rota.Errorf(rota.ErrConflict, "nothing was done")}
}

// nothingToDo says why an act concerned nothing.
func (a *app) nothingToDo(ctx context.Context, c *conn, what act, sel selection) error {
	if len(sel.singles) == 1 && len(sel.spans) == 1 {
		one := sel.singles[0]
		j, err := c.Job(ctx, one.job)
		if err == nil {
			err = c.owned(ctx, &j)
		}
		if err != nil {
			return err
		}
		state := j.State().String()
		if one.task != 0 {
			state = ""
			if t, _, err := c.Task(ctx, one.task); err == nil {
				state = t.State.String()
			}
		}
		if state != "" {
			return rota.Errorf(rota.ErrConflict, "%v is %s: `rota %s` needs a %s that %s", one, state, what.use, what.thing, what.moves)
		}
	}
	return rota.Errorf(rota.ErrNotFound, "nothing to %s: no %s is selected that %s", what.use, what.thing, what.moves)
}

// owned refuses a job that is another's, when who asks acts on own jobs only.
func (c *conn) owned(ctx context.Context, j *rota.Job) error {
	s, err := c.Status(ctx)
	if err != nil || s.Principal.Role.Rank() >= rota.RoleOperator.Rank() || j.Submitter == s.Principal.Name {
		return err
	}
	return rota.Errorf(rota.ErrDenied, "job %v: is %s's, and a %s acts on own jobs only", j.ID, clean(j.Submitter), s.Principal.Role)
}

// seeThrough shows an operation to its end.
func (a *app) seeThrough(ctx context.Context, c *conn, what act, op rota.Operation) (rota.Operation, error) {
	defer a.screen.clear()
	said := a.now()
	for !op.Ended {
		if c.local {
			a.note("rota: no node runs: the rest of %s is done when one does", plural(op.Matched, what.thing))
			return op, nil
		}
		text := fmt.Sprintf("%s: %s so far", what.use, plural(op.Done, what.thing))
		if a.screen.errTerm {
			a.screen.draw(cut(text, a.screen.size()-1))
		} else if now := a.now(); now.Sub(said) >= sayEvery {
			a.note("%s", text)
			said = now
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return op, err
		}
		var err error
		if op, err = patiently(ctx, c, func() (rota.Operation, error) { return c.Operation(ctx, op.ID) }); err != nil {
			return op, err
		}
	}
	return op, nil
}

// open is the part of an operation's tasks that has not ended.
func open(op rota.Operation) rota.Filter {
	f := op.Filter
	if len(f.Tasks) == 0 {
		f.Tasks = []rota.Span{{First: rota.PlainTask(1), Last: op.Upper}}
	}
	if len(f.States) == 0 {
		f.States = openStates
		return f
	}
	var states []rota.State
	for _, s := range f.States {
		if !s.Ended() {
			states = append(states, s)
		}
	}
	f.States = states
	return f
}

// stillRunning says that cancelling was only asked of what runs.
func (a *app) stillRunning(ctx context.Context, c *conn, what act, op rota.Operation, waited bool) string {
	if !what.waits || waited {
		return ""
	}
	f := open(op)
	f.States = []rota.State{rota.Running}
	tasks, err := c.Tasks(ctx, rota.TaskQuery{Filter: f, Max: 1})
	if err != nil || len(tasks) == 0 {
		return ""
	}
	return "; what runs was asked to end (--wait waits for that)"
}

// untilDead waits until none of the operation's tasks runs any more.
func (a *app) untilDead(ctx context.Context, c *conn, op rota.Operation) error {
	f := open(op)
	if len(f.States) == 0 {
		return nil
	}
	var seen rota.Progress
	for {
		tasks, err := patiently(ctx, c, func() ([]rota.Task, error) { return c.Tasks(ctx, rota.TaskQuery{Filter: f, Max: 1}) })
		if err != nil || len(tasks) == 0 {
			return err
		}
		job := tasks[0].ID.Job()
		if seen.Job != job {
			seen = rota.Progress{}
		}
		if seen, err = patiently(ctx, c, func() (rota.Progress, error) { return c.Watch(ctx, job, seen, time.Second) }); err != nil {
			return err
		}
	}
}
