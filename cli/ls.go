package cli

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

const lsMost = 20 // rows when nothing else is said

func (a *app) lsCommand() *cobra.Command {
	var (
		filter      filterFlags
		form        form
		active, all bool
		eta         bool
		most        int
	)
	cmd := &cobra.Command{
		Use:   "ls [flags] [JOB...]",
		Short: "List jobs, newest first, or the tasks of one job",
		Long: `Lists the last 20 jobs, newest first; -n and --all say how many. With one job it lists that job's tasks, in the order
of their index; with several selectors (1-5,8, name:train*) those jobs. With --eta each one that waits in its queue tells
when it, or the next of its tasks, is expected to start: a span into which nine starts of ten fall.`,
		Example: examples("rota ls --active", "rota ls --state failed --queue gpu", "rota ls 43 --state failed", "rota ls --active --eta", "rota ls -o json --all"),
	}
	filter.register(cmd)
	cmd.Flags().BoolVar(&active, "active", false, "only what has not ended")
	cmd.Flags().IntVarP(&most, "number", "n", lsMost, "how many rows")
	cmd.Flags().BoolVar(&all, "all", false, "all rows")
	cmd.Flags().BoolVar(&eta, "eta", false, "when what waits is expected to start; a question more for each row")
	form.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := form.check(); err != nil {
			return err
		}
		if most < 1 {
			return rota.Invalid("-n %d: at least 1; --all lists everything", most)
		}
		if all {
			most = 0
		}
		c, err := a.connect(cmd, wantRead)
		if errors.Is(err, rota.ErrNotFound) {
			return a.emptyList(form, err)
		}
		if err != nil {
			return err
		}
		defer c.Close()
		return a.ls(cmd, c, args, lsQuery{filter, form, active, eta, most})
	}
	return cmd
}

type lsQuery struct {
	filterFlags
	form   form
	active bool
	eta    bool
	most   int // 0: all
}

func (a *app) ls(cmd *cobra.Command, c *conn, args []string, q lsQuery) error {
	sel, err := c.selectors(cmd.Context(), args)
	if err != nil {
		return err
	}
	filter := sel.filter()
	if err := q.add(&filter); err != nil {
		return err
	}
	if tasksOnly(sel) {
		return a.lsTasks(cmd, c, sel, filter, q)
	}
	items := c.jobs(cmd.Context(), rota.JobQuery{Filter: filter, Active: q.active}, oneMore(q.most))
	if q.eta {
		return printUpTo(a, q, "jobs", expectedJobs, c.expectJobs(cmd.Context(), items))
	}
	return printUpTo(a, q, "jobs", jobList, items)
}

// tasksOnly reports whether a selection is one job, or tasks of arrays: then their tasks are listed.
func tasksOnly(sel selection) bool {
	if len(sel.spans) == 0 {
		return false
	}
	if len(sel.spans) == 1 && len(sel.singles) == 1 {
		return true
	}
	return !slices.ContainsFunc(sel.spans, func(s rota.Span) bool {
		return s.First.Job() != s.Last.Job() || s == rota.SpanOf(s.First.Job())
	})
}

func (a *app) lsTasks(cmd *cobra.Command, c *conn, sel selection, filter rota.Filter, q lsQuery) error {
	if len(sel.singles) == 1 {
		if _, err := c.Job(cmd.Context(), sel.singles[0].job); err != nil {
			return err
		}
	}
	if q.active && len(filter.States) == 0 {
		filter.States = openStates
	}
	items := c.tasks(cmd.Context(), rota.TaskQuery{Filter: filter}, oneMore(q.most))
	if q.eta {
		return printUpTo(a, q, "tasks", expectedTasks, c.expectTasks(cmd.Context(), items))
	}
	return printUpTo(a, q, "tasks", taskList, items)
}

// printUpTo prints as many rows as were asked for, and says so if there are more.
func printUpTo[T any](a *app, q lsQuery, what string, l list[T], items iter.Seq2[T, error]) error {
	more := false
	n, err := l.print(a, q.form, upTo(items, q.most, &more))
	if err == nil {
		a.noteRest(q.form, what, n, more)
	}
	return err
}

// noteRest says that a list is empty, or was cut.
func (a *app) noteRest(f form, what string, n int, more bool) {
	switch {
	case more:
		a.note("rota: there are more %s: --all, or -n NUMBER", what)
	case n == 0 && (f.name == formTable || f.name == formWide):
		a.note("rota: no %s", what)
	}
}

var openStates = []rota.State{rota.Blocked, rota.Scheduled, rota.Held, rota.Ready, rota.Running}

// emptyList is the list of a store that is not there yet.
func (a *app) emptyList(f form, err error) error {
	if f.name == formTable || f.name == formWide {
		a.say("rota", err)
	}
	_, err = jobList.print(a, f, each[rota.Job](nil))
	return err
}

func oneMore(most int) int {
	if most == 0 {
		return 0
	}
	return most + 1
}

// upTo passes on at most so many items (0: all), and says whether there was one more.
func upTo[T any](items iter.Seq2[T, error], most int, more *bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		n := 0
		for item, err := range items {
			if n++; err == nil && n > most && most > 0 {
				*more = true
				return
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

var jobList = list[rota.Job]{
	id: func(j rota.Job) string { return j.ID.String() },
	columns: []column[rota.Job]{
		{head: "JOB", cell: func(j rota.Job, _ style) string { return j.ID.String() }, right: true},
		{head: "STATE", cell: func(j rota.Job, _ style) string { return j.State().String() }, tint: func(j rota.Job) string { return stateTint(j.State()) }},
		{head: "TASKS", cell: func(j rota.Job, s style) string { return taskCount(&j, s) }, right: true},
		{head: "FAILED", cell: func(j rota.Job, _ style) string { return strconv.Itoa(j.Failed) }, right: true, wide: true},
		{head: "QUEUE", cell: func(j rota.Job, _ style) string { return j.Queue }},
		{head: "PRIO", cell: func(j rota.Job, _ style) string { return strconv.Itoa(j.Spec.Priority) }, right: true, wide: true},
		{head: "USER", cell: func(j rota.Job, _ style) string { return j.Submitter }, wide: true},
		{head: "SUBMITTED", cell: func(j rota.Job, s style) string { return s.at(j.Submitted) }},
		{head: "ENDED", cell: func(j rota.Job, s style) string { return s.at(j.Ended) }, wide: true},
		{head: "LABELS", cell: func(j rota.Job, _ style) string { return labelText(j.Spec.Labels) }, wide: true},
		{head: "NAME", cell: func(j rota.Job, _ style) string { return nameOf(&j.Spec) }},
		{head: "COMMAND", cell: func(j rota.Job, _ style) string { return j.Spec.Command() }},
	},
}

var taskList = list[rota.Task]{
	id: func(t rota.Task) string { return t.ID.String() },
	columns: []column[rota.Task]{
		{head: "TASK", cell: func(t rota.Task, _ style) string { return t.ID.String() }},
		{head: "STATE", cell: func(t rota.Task, _ style) string { return t.State.String() }, tint: func(t rota.Task) string { return stateTint(t.State) }},
		{head: "ATTEMPT", cell: func(t rota.Task, _ style) string { return attemptCount(&t) }, right: true},
		{head: "EXIT", cell: func(t rota.Task, _ style) string { return exitText(&t.Attempt) }, right: true},
		{head: "NODE", cell: func(t rota.Task, _ style) string { return t.Node }, wide: true},
		{head: "STARTED", cell: func(t rota.Task, s style) string { return s.at(t.Started) }},
		{head: "ENDED", cell: func(t rota.Task, s style) string { return s.at(t.Ended) }, wide: true},
		{head: "TOOK", cell: func(t rota.Task, s style) string { return took(&t.Attempt, s.now) }, right: true},
		{head: "CPU", cell: func(t rota.Task, _ style) string { return cpuText(&t.Attempt) }, right: true, wide: true},
		{head: "MEMORY", cell: func(t rota.Task, _ style) string { return memoryText(&t.Attempt) }, right: true, wide: true},
		{head: "LINE", maybe: true, cell: func(t rota.Task, _ style) string { return t.Line }},
		{head: "REASON", maybe: true, cell: func(t rota.Task, _ style) string { return reasonOf(&t) }},
	},
}

func stateTint(s rota.State) string {
	switch s {
	case rota.Succeeded:
		return tintGreen
	case rota.Failed:
		return tintRed
	case rota.Running:
		return tintCyan
	case rota.Held, rota.Blocked, rota.Scheduled:
		return tintYellow
	case rota.Cancelled:
		return tintGrey
	}
	return ""
}

// taskCount is how many of a job's tasks have ended, of how many.
func taskCount(j *rota.Job, s style) string {
	if !j.Spec.Many() && !s.exact {
		return "1"
	}
	return fmt.Sprintf("%d/%d", j.Tasks-j.Left(), j.Tasks)
}

func nameOf(s *rota.Spec) string {
	if s.Name == "" {
		return "-"
	}
	return s.Name
}

func labelText(labels map[string]string) string {
	parts := make([]string, 0, len(labels))
	for k, v := range labels {
		parts = append(parts, k+"="+v)
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

func attemptCount(t *rota.Task) string {
	if t.Number == 0 {
		return ""
	}
	return strconv.Itoa(t.Number)
}

func exitText(a *rota.Attempt) string {
	switch {
	case a.Signal != 0:
		return signalName(a.Signal)
	case a.Exit != nil:
		return strconv.Itoa(*a.Exit)
	}
	return ""
}

// took is how long an attempt ran, or runs already.
func took(a *rota.Attempt, now time.Time) string {
	switch {
	case a.Started.IsZero():
		return ""
	case a.Ended.IsZero():
		return brief(now.Sub(a.Started))
	}
	return brief(a.Ended.Sub(a.Started))
}

func cpuText(a *rota.Attempt) string {
	if cpu := a.CPUUser.D() + a.CPUSystem.D(); cpu > 0 {
		return brief(cpu)
	}
	return ""
}

// memoryText is the most that all processes used together, or where that is not known the largest of them.
func memoryText(a *rota.Attempt) string {
	if most := cmp.Or(a.Memory, a.MaxRSS); most != 0 {
		return bytesText(most)
	}
	return ""
}

// ioText is how much was read from, or written to, devices.
func ioText(n int64) string {
	if n == 0 {
		return ""
	}
	return bytesText(n)
}

func writtenText(n *int64) string {
	if n == nil {
		return ""
	}
	return bytesText(*n)
}

// reasonOf is what a list says of a task beyond its state.
func reasonOf(t *rota.Task) string {
	switch {
	case t.State == rota.Running && t.Ending != "":
		return "asked to end"
	case t.State == rota.Ready && t.Gated:
		return "over the job's limit"
	case t.State == rota.Scheduled:
		return "until " + absolute(t.RunAt)
	case t.State == rota.Succeeded:
		return ""
	}
	return t.Reason
}
