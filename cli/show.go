package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) showCommand() *cobra.Command {
	var samples bool
	cmd := &cobra.Command{
		Use:   "show [flags] JOB|TASK...",
		Short: "Show everything known of a job or task",
		Long: `Shows everything known of a job or task: what it is, where it stands, its attempts. If the latest attempt took longer than some
seconds, two lines draw what it used over time: memory, and of how many CPUs.`,
		Example: examples("rota show 42", "rota show 43.17", "rota show last -o json", "rota show last --samples -o json"),
		Args:    some("JOB"),
	}
	cmd.Flags().BoolVar(&samples, "samples", false, "what every attempt used over time, in JSON too")
	return nounShow(a, cmd, func(cmd *cobra.Command, c *conn, args []string, form string) error {
		for i, arg := range args {
			one, err := c.one(cmd.Context(), arg)
			if err != nil {
				return err
			}
			if i > 0 && form != formJSON {
				_, _ = io.WriteString(a.out, "\n")
			}
			if err := a.show(cmd, c, one, form, samples); err != nil {
				return err
			}
		}
		return nil
	})
}

// shown is all that is known of a job, or of one task of it.
type shown struct {
	Job      rota.Job       `json:"job"`
	Task     *rota.Task     `json:"task,omitempty"`
	Attempts []rota.Attempt `json:"attempts,omitempty"` // the earlier ones, oldest first
	// InQueue are the limits of its next attempt, its queue's settings included; none: as the job itself says, or it has
	// ended.
	InQueue *rota.Limits  `json:"limits_in_queue,omitempty"`
	Samples []rota.Series `json:"samples,omitzero"` // if asked for: of the attempts that have some, oldest first
	Start   *rota.Expect  `json:"start,omitempty"`  // when it is expected to, if it is ready and that can be told
}

func (a *app) show(cmd *cobra.Command, c *conn, one single, form string, samples bool) error {
	job, err := c.Job(cmd.Context(), one.job)
	if err != nil {
		return err
	}
	s := shown{Job: job}
	if one.task != 0 || !job.Spec.Many() {
		t, earlier, err := c.Task(cmd.Context(), one.plain())
		if err != nil {
			return err
		}
		s.Task, s.Attempts = &t, earlier
		if t.State == rota.Ready {
			if why, err := c.Why(cmd.Context(), t.ID); err == nil {
				s.Start = why.Start
			}
		}
		if samples {
			s.Samples, err = c.series(cmd.Context(), t.ID, append(slices.Clone(earlier), t.Attempt))
		} else if form != formJSON {
			s.Samples, err = c.series(cmd.Context(), t.ID, []rota.Attempt{t.Attempt})
		}
		if err != nil {
			return err
		}
	}
	if s.InQueue, err = limitsInQueue(cmd.Context(), c, &s); err != nil {
		return err
	}
	if form == formJSON {
		return a.printJSON(s)
	}
	_, err = io.WriteString(a.out, a.describe(&s))
	return err
}

// limitsInQueue asks what the queue has to say of the limits of what has not ended. A running job may not ask.
func limitsInQueue(ctx context.Context, c *conn, s *shown) (*rota.Limits, error) {
	queue, ended := s.Job.Queue, s.Job.Progress.Ended()
	if s.Task != nil {
		queue, ended = s.Task.Queue, s.Task.State.Ended()
	}
	if ended {
		return nil, nil
	}
	all, err := c.Queues(ctx)
	if errors.Is(err, rota.ErrDenied) {
		return nil, nil
	}
	q := queueNamed(all, queue)
	if err != nil || q == nil || q.Limits.IsZero() {
		return nil, err
	}
	limits := rota.LimitsOf(s.Job.Spec.Limits, q.Limits, rota.Allowance{})
	return &limits, nil
}

// series are what attempts of a task used over time, without those that have nothing. Those that were too short are not
// asked for.
func (c *conn) series(ctx context.Context, task rota.TaskID, attempts []rota.Attempt) ([]rota.Series, error) {
	out := []rota.Series{}
	for _, at := range attempts {
		if at.Number == 0 || !at.Ended.IsZero() && !at.Started.IsZero() && at.Ended.Sub(at.Started) < rota.SampleEvery ||
			at.Outcome != "" && at.Outcome != rota.OutcomeLost && at.Started.IsZero() {
			continue
		}
		s, err := c.Samples(ctx, task, at.Number)
		if err != nil {
			return nil, err
		}
		if len(s.Points) > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}

func (a *app) describe(s *shown) string {
	var f fields
	job := &s.Job
	if s.Task != nil && s.Task.ID.IsElement() {
		f.add("task", s.Task.ID.String())
		f.add("line", clean(s.Task.Line))
	}
	f.add("job", job.ID.String())
	f.add("name", clean(job.Spec.Name))
	if s.Task != nil {
		state := s.Task.State.String()
		if s.Task.State != rota.Succeeded {
			state += ": " + standing(job, s.Task, a.now())
		}
		f.add("state", state)
		f.add("expected", s.Start.Text(a.now(), brief))
	} else {
		f.add("state", job.State().String())
		f.add("tasks", taskCounts(job.Progress))
	}
	if s.Task == nil || s.Task.Reason != job.Reason { // else the state says it
		f.add("reason", clean(job.Reason))
	}
	a.describeSpec(&f, &job.Spec, job.Queue)
	if s.InQueue != nil && *s.InQueue != job.Spec.Limits {
		f.add("in its queue", limitsText(*s.InQueue))
	}
	a.describeOrigin(&f, job)
	text := f.String()
	if s.Task != nil && s.Task.Number > 0 {
		text += "\n" + a.attempts(s.Task, s.Attempts) + a.attemptGraphs(s.Samples)
	}
	return text
}

func taskCounts(p rota.Progress) string {
	var parts []string
	for _, s := range []struct {
		n     int
		state rota.State
	}{{p.Blocked, rota.Blocked}, {p.Scheduled, rota.Scheduled}, {p.Held, rota.Held}, {p.Ready, rota.Ready}, {p.Running, rota.Running},
		{p.Succeeded, rota.Succeeded}, {p.Failed, rota.Failed}, {p.Cancelled, rota.Cancelled}} {
		if s.n > 0 {
			parts = append(parts, number(s.n)+" "+s.state.String())
		}
	}
	text := number(p.Tasks)
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	if p.Made < p.Tasks {
		text += fmt.Sprintf("; %s made so far", number(p.Made))
	}
	if !p.Sealed {
		text += "; still being uploaded"
	}
	return text
}

func (a *app) describeSpec(f *fields, s *rota.Spec, queue string) {
	switch {
	case s.Shell != "":
		f.add("shell", cleanLines(s.Shell))
	case s.Blob != "":
		f.add("blob", string(s.Blob))
	case s.Script != "":
		f.add("script", cleanLines(strings.TrimRight(s.Script, "\n")))
	case len(s.Pipe) > 0:
		f.add("pipeline", clean(rota.PipeLine(s.Pipe)))
	}
	f.add("interpreter", clean(rota.Quoted(s.Interpreter)))
	f.add("mail to", clean(strings.Join(s.MailTo, ", ")))
	f.add("notify", clean(strings.Join(s.Notify, ", ")))
	f.add("secrets", clean(secretsText(s.Secrets)))
	f.add("user", clean(s.User))
	f.add("group", clean(s.Group))
	f.add("path", clean(s.Path))
	if len(s.Argv) > 0 {
		f.add(map[bool]string{true: "command", false: "arguments"}[s.Shell == "" && s.Script == "" && s.Blob == ""], clean(rota.Quoted(s.Argv)))
	}
	if s.Array != nil {
		f.add("array", s.Array.String())
	}
	if s.Limit > 0 {
		f.add("limit", fmt.Sprintf("%d at once", s.Limit))
	}
	f.add("queue", queue)
	if s.Priority != 0 {
		f.add("priority", strconv.Itoa(s.Priority))
	}
	f.add("labels", clean(labelText(s.Labels)))
	f.add("workdir", clean(orText(s.Dir, "the scratch folder")))
	f.add("stdin", clean(s.Stdin))
	f.add("out", clean(s.Out))
	f.add("err", clean(s.Err))
	f.add("artifacts", clean(rota.Quoted(s.Artifacts)))
	if s.Timeout > 0 {
		f.add("timeout", s.Timeout.String())
	}
	if s.Grace > 0 && s.Grace != rota.DefaultGrace {
		f.add("grace", s.Grace.String())
	}
	f.add("limits", limitsText(s.Limits))
	f.add("on store loss", string(s.OnStoreLoss))
	f.add("retries", retryText(s.Retry.Or(rota.DefaultRetry())))
	if len(s.After) > 0 {
		f.add("after", "waits for "+dependencies(s.After))
	}
	f.add("not before", absolute(s.At))
	if len(s.Env) > 0 {
		f.add("environment", plural(len(s.Env), "variable")+" (-o json shows them)")
	}
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func retryText(r rota.Retry) string {
	text := "none"
	if r.Count != nil && *r.Count > 0 {
		text = fmt.Sprintf("%d, first after %v, at most %v", *r.Count, r.First, r.Cap)
	}
	if r.OnLost == rota.LostFail {
		text += "; not tried again when lost"
	}
	return text
}

func (a *app) describeOrigin(f *fields, job *rota.Job) {
	by := clean(job.Submitter)
	if job.Schedule != "" {
		by += ", by the schedule " + clean(job.Schedule)
	}
	if job.Parent != 0 {
		by += ", from within task " + job.Parent.String()
	}
	f.add("submitted", both(job.Submitted, a.now())+" by "+by)
	f.add("ended", both(job.Ended, a.now()))
}

// attempts is the table of a task's attempts, the latest last. What they read and wrote is there where it is known.
func (a *app) attempts(t *rota.Task, earlier []rota.Attempt) string {
	all := append(slices.Clone(earlier), t.Attempt)
	disk := slices.ContainsFunc(all, func(at rota.Attempt) bool { return at.IORead != 0 || at.IOWrite != 0 })
	out := table{colour: a.screen.colour, heads: []string{"ATTEMPT", "OUTCOME", "EXIT", "NODE", "STARTED", "TOOK", "CPU", "MEMORY"},
		right: []bool{true, false, true, false, false, true, true, true}}
	if disk {
		out.heads, out.right = append(out.heads, "READ", "WRITTEN"), append(out.right, true, true)
	}
	out.heads, out.right = append(out.heads, "STDOUT", "STDERR", "REASON"), append(out.right, true, true, false)
	if a.screen.outTerm {
		out.columns = terminalWidth(a.screen.out)
	}
	for _, at := range all {
		row := []string{strconv.Itoa(at.Number), orText(outcomeText(at.Outcome), "running"), exitText(&at), clean(at.Node), startedText(&at),
			took(&at, a.now()), cpuText(&at), memoryText(&at)}
		if disk {
			row = append(row, ioText(at.IORead), ioText(at.IOWrite))
		}
		out.rows = append(out.rows, append(row, writtenText(at.Stdout), writtenText(at.Stderr), clean(at.Reason)))
	}
	return out.String()
}

func startedText(at *rota.Attempt) string {
	started := absolute(at.Started)
	switch {
	case started == "" && at.Outcome == "": // when it was claimed; its start comes with its end
		return absolute(at.Claimed)
	case started == "" && at.Outcome != rota.OutcomeLost:
		return "never"
	}
	return started
}

// secretsText names secrets and how the job gets them.
func secretsText(all []rota.SecretUse) string {
	texts := make([]string, len(all))
	for i, u := range all {
		switch texts[i] = u.Name; {
		case u.File:
			texts[i] += "=file"
		case u.Var != "":
			texts[i] += "=" + u.Var
		}
	}
	return strings.Join(texts, ", ")
}
