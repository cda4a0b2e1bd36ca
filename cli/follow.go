package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
)

const (
	outputWait = 30 * time.Second       // how long one request for output waits for more
	watchWait  = 2 * time.Second        // how long one look at a job waits for a change
	idlePause  = 100 * time.Millisecond // between answers that bring nothing, should they come at once
)

// follower shows the output of one task as it comes.
type follower struct {
	a       *app
	c       *conn
	task    rota.TaskID
	streams []rota.Stream
	tail    int  // lines of the first attempt shown; negative: all
	waiting bool // says so when the task does not start soon
}

func (a *app) follower(c *conn, task rota.TaskID) *follower {
	return &follower{a: a, c: c, task: task, streams: []rota.Stream{rota.Stdout, rota.Stderr}, tail: -1}
}

func (f *follower) writer(s rota.Stream) io.Writer {
	if s == rota.Stderr {
		return screenErr{f.a.screen}
	}
	return f.a.out
}

// run shows all attempts from the nth on, until the task has ended, and returns it.
func (f *follower) run(ctx context.Context, n int) (rota.Task, error) {
	if f.waiting {
		quiet := f.noteWaiting(ctx)
		defer quiet()
	}
	for {
		at, err := f.attempt(ctx, n)
		if err != nil {
			return rota.Task{}, err
		}
		f.tail = -1
		t, earlier, err := f.until(ctx, func(t rota.Task) bool {
			return t.State.Ended() || t.Number > at || t.State != rota.Running && t.Number == at
		})
		if err != nil || t.State.Ended() && t.Number <= max(at, n) {
			return t, err
		}
		f.noteRetry(t, earlier, at)
		n = max(at, n) + 1
		if t, earlier, err = f.until(ctx, func(t rota.Task) bool { return t.State.Ended() || t.Number >= n }); err != nil || t.Number < n {
			return t, err
		}
		n = firstFrom(n, t, earlier)
	}
}

// firstFrom is the first attempt there was whose number is not less than n: a store that is a copy passes over a million.
func firstFrom(n int, t rota.Task, earlier []rota.Attempt) int {
	for _, e := range earlier {
		if e.Number >= n {
			return e.Number
		}
	}
	return t.Number
}

// attempt shows one attempt's streams side by side, to their ends. With n 0 or 1 it is the first one there will be.
// It returns the attempt's number: 0 when the task ended without one.
func (f *follower) attempt(ctx context.Context, n int) (int, error) {
	if n <= 1 {
		n = 0
	}
	var (
		wg      sync.WaitGroup
		numbers = make([]int, len(f.streams))
		errs    = make([]error, len(f.streams))
	)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for i, s := range f.streams {
		wg.Go(func() {
			if numbers[i], errs[i] = f.stream(ctx, n, s); errs[i] != nil {
				stop()
			}
		})
	}
	wg.Wait()
	at := 0
	for i, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return 0, err
		}
		at = max(at, numbers[i])
	}
	return at, cmp.Or(errs...)
}

// stream shows one stream of one attempt. With n 0 it is that of the first attempt.
func (f *follower) stream(ctx context.Context, n int, s rota.Stream) (int, error) {
	q := rota.OutputQuery{Task: f.task, Attempt: n, Stream: s}
	if f.tail >= 0 {
		at, err := f.c.tailStart(ctx, q, f.tail)
		if err != nil {
			return 0, err
		}
		q.Offset = at
	}
	for {
		asked, wait := clock(), outputWait
		if q.Attempt == 0 {
			wait = watchWait // when the node comes back it may be another's turn, whose silence is not to keep us
		}
		o, err := patiently(ctx, f.c, func() (rota.Output, error) { return f.c.Output(ctx, q, wait) })
		if err != nil {
			return 0, err
		}
		if n == 0 && rota.Nth(o.Attempt) > 1 && q.Attempt == 0 && f.tail < 0 { // the first one is over already
			t, earlier, err := f.until(ctx, func(rota.Task) bool { return true })
			if err != nil {
				return 0, err
			}
			q.Attempt = firstFrom(1, t, earlier)
			continue
		}
		if q.Attempt == 0 {
			q.Attempt = o.Attempt
		}
		if o.File != "" {
			return o.Attempt, nil // it goes there, not here
		}
		if err := f.show(s, o); err != nil {
			return 0, err
		}
		q.Offset = o.Offset + int64(len(o.Data))
		if o.Ended && (q.Offset >= o.Size || len(o.Data) == 0) {
			return o.Attempt, nil
		}
		if len(o.Data) == 0 && clock().Sub(asked) < idlePause {
			if err := pause(ctx, idlePause); err != nil {
				return 0, err
			}
		}
	}
}

// show writes one piece.
func (f *follower) show(s rota.Stream, o rota.Output) error {
	if o.Cut > 0 {
		f.a.noteCut(f.task, s, o.Cut)
	}
	if len(o.Data) == 0 {
		return nil
	}
	_, err := f.writer(s).Write(o.Data)
	return err
}

func (a *app) noteCut(t rota.TaskID, s rota.Stream, cut int64) {
	a.note("… %s bytes of %v's %s were not kept (submit --artifact %s keeps all) …", number(cut), t, s, s.Artifact())
}

// present shows what there is of an attempt by now, one stream after the other.
func (f *follower) present(ctx context.Context, at rota.Attempt) error {
	for _, s := range f.streams {
		if at.Nothing(s) {
			continue
		}
		q := rota.OutputQuery{Task: f.task, Attempt: at.Number, Stream: s}
		if f.tail >= 0 {
			at, err := f.c.tailStart(ctx, q, f.tail)
			if err != nil {
				return err
			}
			q.Offset = at
		}
		file, err := f.drain(ctx, q)
		if err != nil {
			return err
		}
		if file != "" {
			f.a.note("rota: the %s of %v goes to the file %s", s, f.task, clean(file))
		}
	}
	return nil
}

// drain shows a stream as far as it has come. It returns the job's own file if it goes there.
func (f *follower) drain(ctx context.Context, q rota.OutputQuery) (file string, err error) {
	for {
		o, err := patiently(ctx, f.c, func() (rota.Output, error) { return f.c.Output(ctx, q, 0) })
		if err != nil || o.File != "" {
			return o.File, err
		}
		if err := f.show(q.Stream, o); err != nil {
			return "", err
		}
		if q.Offset = o.Offset + int64(len(o.Data)); len(o.Data) == 0 || q.Offset >= o.Size {
			return "", nil
		}
	}
}

// until looks at the task until it is as wished.
func (f *follower) until(ctx context.Context, wished func(rota.Task) bool) (rota.Task, []rota.Attempt, error) {
	type answer struct {
		task    rota.Task
		earlier []rota.Attempt
	}
	var seen rota.Progress
	for {
		got, err := patiently(ctx, f.c, func() (answer, error) {
			t, earlier, err := f.c.Task(ctx, f.task)
			return answer{t, earlier}, err
		})
		if err != nil || wished(got.task) {
			return got.task, got.earlier, err
		}
		seen, err = patiently(ctx, f.c, func() (rota.Progress, error) { return f.c.Watch(ctx, f.task.Job(), seen, watchWait) })
		if err != nil {
			return rota.Task{}, nil, err
		}
	}
}

// noteWaiting says why the task has not started, if it does not soon.
func (f *follower) noteWaiting(ctx context.Context) (quiet func()) {
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if pause(ctx, watchWait) != nil {
			return
		}
		t, _, err := f.c.Task(ctx, f.task)
		if err == nil && t.Number == 0 && !t.State.Ended() {
			job, err := f.c.Job(ctx, f.task.Job())
			if err == nil {
				f.a.note("rota: job %v has not started: %s", f.task.Job(), standing(&job, &t, f.a.now()))
			}
		}
	}()
	return func() { stop(); <-done }
}

// noteRetry says that an attempt failed and the task is tried again.
func (f *follower) noteRetry(t rota.Task, earlier []rota.Attempt, at int) {
	tried := t.Attempt
	for _, e := range earlier {
		if e.Number == at {
			tried = e
		}
	}
	if tried.Number != at || tried.Outcome == rota.OutcomeReturned || tried.Outcome == "" {
		return
	}
	next := "it is tried again"
	if t.State == rota.Scheduled && !t.RunAt.IsZero() {
		next = fmt.Sprintf("it is tried again %s", relative(t.RunAt, f.a.now()))
	}
	f.a.note("rota: job %v, attempt %d: %s; %s", f.task, at, ending(&tried), next)
}

// tailStart is the offset from which the last lines of what is there begin.
func (c *conn) tailStart(ctx context.Context, q rota.OutputQuery, lines int) (int64, error) {
	for size := int64(16 << 10); ; size *= 4 {
		q.Offset = -size
		var text []byte
		start, end := int64(-1), int64(0)
		for end == 0 || q.Offset < end {
			o, err := c.Output(ctx, q, 0)
			if err != nil {
				return 0, err
			}
			if start < 0 {
				start, end = o.Offset, o.Size
			}
			if len(o.Data) == 0 {
				break
			}
			if o.Cut > 0 {
				text, start = nil, o.Offset // count only behind the gap
			}
			text = append(text, o.Data...)
			q.Offset = o.Offset + int64(len(o.Data))
		}
		if at, ok := lastLines(text, lines); ok {
			return start + int64(at), nil
		}
		if start <= 0 || size >= 64<<20 {
			return max(start, 0), nil
		}
	}
}

// lastLines is where the last n lines of a text begin, if it has as many before them.
func lastLines(text []byte, n int) (int, bool) {
	at := len(text)
	if n == 0 {
		return at, true
	}
	if at > 0 && text[at-1] == '\n' {
		at--
	}
	for i := at - 1; i >= 0; i-- {
		if text[i] == '\n' {
			if n--; n == 0 {
				return i + 1, true
			}
		}
	}
	return 0, false
}
