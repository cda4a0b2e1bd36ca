package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

// topEvery is how often "rota top" looks.
const topEvery = time.Second

func (a *app) topCommand() *cobra.Command {
	var sort string
	cmd := &cobra.Command{
		Use:   "top [flags] [WORD|KEY:VALUE|LABEL=VALUE...]",
		Short: "Watch jobs live in the terminal, and act on them",
		Long: `Shows what waits and runs, and what failed, live. The words narrow it: state:, queue:, user: and name: with a value, a label with its
value, or a part of names. In the page: arrows choose a job; l its output, c cancels it, K kills it, r tries what failed of it again; / asks for
another filter, s for the next order, Tab shows what has not ended, what failed, or all; ? says the keys, q ends.

Without a terminal it prints once what it would show, and ends.`,
		Example: examples("rota top", "rota top queue:gpu train", "rota top --sort left"),
	}
	cmd.Flags().StringVar(&sort, "sort", topOrders[0], "`order`: "+strings.Join(topOrders, ", "))
	_ = cmd.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions(topOrders, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := oneOf("--sort", sort, topOrders...); err != nil {
			return err
		}
		v := &topView{order: sort, filter: strings.Join(args, " ")}
		if _, err := topFilter(v.filter); err != nil {
			return err
		}
		c, err := a.connect(cmd, wantChange)
		if err != nil {
			return err
		}
		defer c.Close()
		t := &top{app: a, conn: c, view: v}
		con, err := a.console()
		switch {
		case errors.Is(err, errNoConsole):
			return t.once(cmd.Context())
		case err != nil:
			return err
		}
		return t.run(cmd.Context(), con)
	}
	return cmd
}

// top is one run of "rota top".
type top struct {
	app  *app
	conn *conn
	view *topView
}

// once prints what there is to see.
func (t *top) once(ctx context.Context) error {
	if err := t.look(ctx); err != nil {
		return err
	}
	if _, err := io.WriteString(t.app.out, t.view.headline(t.app.now())+"\n"); err != nil {
		return err
	}
	_, err := jobList.print(t.app, form{name: formTable}, each(t.view.jobs))
	return err
}

// run shows it until somebody ends it. The terminal is left as it was.
func (t *top) run(ctx context.Context, con *console) error {
	restore, err := con.begin()
	if err != nil {
		return err
	}
	defer restore()
	signals, stop := t.app.signals(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	tick := time.NewTicker(topEvery)
	defer tick.Stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	keys := con.keys(ctx)
	t.refresh(ctx)
	for {
		columns, rows := con.size()
		if err := con.show(t.view.lines(t.app.now(), columns, rows, con.colour), rows); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-signals:
			return nil
		case <-tick.C:
			t.refresh(ctx)
		case k, open := <-keys:
			if !open || t.view.key(k) {
				return nil
			}
			t.obey(ctx)
		}
	}
}

// refresh looks again. What goes wrong is told on the page: a server that is away may come back.
func (t *top) refresh(ctx context.Context) {
	if err := t.look(ctx); err != nil && ctx.Err() == nil {
		t.view.said = clean(err.Error())
		t.view.wrong = true
		return
	}
	if t.view.wrong {
		t.view.said, t.view.wrong = "", false
	}
}

// look asks for all that the page shows.
func (t *top) look(ctx context.Context) (err error) {
	v := t.view
	if v.status, err = t.conn.Status(ctx); err != nil {
		return err
	}
	if v.queues, err = t.conn.Queues(ctx); err != nil {
		return err
	}
	if v.nodes, err = t.conn.Nodes(ctx); err != nil {
		return err
	}
	if v.log != nil {
		return t.read(ctx, v.log)
	}
	f, err := topFilter(v.filter)
	if err != nil {
		return err
	}
	jobs, err := t.conn.Jobs(ctx, v.query(f))
	if err == nil {
		v.take(jobs)
	}
	return err
}

// read gets the end of what a job writes.
func (t *top) read(ctx context.Context, l *topLog) error {
	if l.task == 0 {
		task, err := t.taskOf(ctx, l.job)
		if err != nil {
			return err
		}
		l.task = task
	}
	o, err := t.conn.Output(ctx, rota.OutputQuery{Task: l.task, Stream: l.stream, Offset: -topLogBytes}, 0)
	if err == nil {
		l.text, l.ended, l.cut = string(o.Data), o.Ended, o.Offset > 0
		if o.File != "" && len(o.Data) == 0 {
			l.text = "it writes to its own file: " + o.File
		}
	}
	return err
}

// taskOf is the task whose output stands for a job: of many the one that runs, or the latest that failed, or the first.
func (t *top) taskOf(ctx context.Context, job rota.JobID) (rota.TaskID, error) {
	j, err := t.conn.Job(ctx, job)
	if err != nil || !j.Spec.Many() {
		return rota.PlainTask(job), err
	}
	for _, states := range [][]rota.State{{rota.Running}, {rota.Failed}, nil} {
		q := rota.TaskQuery{Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(job)}, States: states}, Newest: states != nil, Max: 1}
		tasks, err := t.conn.Tasks(ctx, q)
		if err != nil {
			return 0, err
		}
		if len(tasks) > 0 {
			return tasks[0].ID, nil
		}
	}
	return 0, rota.Errorf(rota.ErrNotFound, "job %v: none of its tasks is made yet", job)
}

// obey does what a key asked for.
func (t *top) obey(ctx context.Context) {
	v := t.view
	if v.do != nil {
		what, job := *v.do, v.doTo
		v.do = nil
		op, err := t.conn.Operate(ctx, rota.Operation{Act: what.act, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(job)}}})
		switch {
		case err != nil:
			v.said = clean(err.Error())
		case op.Ended && op.Matched == 0:
			v.said = "job " + job.String() + ": nothing of it " + what.moves
		case op.Ended:
			v.said = "job " + job.String() + ": " + plural(op.Done, what.thing) + " " + what.done
		default:
			v.said = "job " + job.String() + ": " + what.use + " is under way"
		}
	}
	if v.stale {
		v.stale = false
		t.refresh(ctx)
	}
}
