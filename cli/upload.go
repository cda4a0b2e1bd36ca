package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
)

// partBytes bounds the text of one part of lines: JSON may write one byte as six.
const partBytes = rota.MaxPartBytes / 4

// parts are the pieces of what is uploaded with a job, in order.
type parts = iter.Seq2[rota.Part, error]

// lineParts reads lines, one task each. Empty lines are no tasks.
func lineParts(r io.Reader, what string) parts {
	return func(yield func(rota.Part, error) bool) {
		var (
			part   rota.Part
			size   int
			number int
		)
		for line, err := range readLines(r) {
			number++
			if err == nil {
				err = checkLine(line)
			}
			if err != nil {
				yield(part, lineError(what, number, err))
				return
			}
			if line == "" {
				continue
			}
			if len(part.Lines) == rota.MaxPartLines || size+len(line) > partBytes && size > 0 {
				if !yield(part, nil) {
					return
				}
				part, size = rota.Part{}, 0
			}
			part.Lines = append(part.Lines, line)
			size += len(line)
		}
		if len(part.Lines) > 0 {
			yield(part, nil)
		}
	}
}

// readLines yields lines without their ends; one that is too long ends it.
func readLines(r io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		b := bufio.NewReaderSize(r, rota.MaxLine+1)
		for {
			text, err := b.ReadSlice('\n')
			switch {
			case errors.Is(err, bufio.ErrBufferFull):
				yield("", rota.Errorf(rota.ErrTooLarge, "longer than %d bytes, the limit", rota.MaxLine))
				return
			case err != nil && !errors.Is(err, io.EOF):
				yield("", err)
				return
			case len(text) > 0 && !yield(string(bytes.TrimSuffix(text, []byte("\n"))), nil):
				return
			case err != nil:
				return
			}
		}
	}
}

func checkLine(line string) error {
	switch {
	case strings.ContainsRune(line, 0):
		return rota.Invalid("has a NUL byte; one line is one task")
	case !utf8.ValidString(line):
		return rota.Invalid("is not UTF-8 text")
	}
	return nil
}

func lineError(what string, number int, err error) error {
	return rota.Errorf(rota.KindOf(kindOr(err, rota.ErrInvalid)).Err, "%s: line %d: %v", what, number, err)
}

// kindOr gives an error of no kind one.
func kindOr(err, kind error) error {
	if rota.KindOf(err).Err == rota.ErrInternal {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}

// inputParts reads standard input.
func inputParts(r io.Reader) parts {
	return func(yield func(rota.Part, error) bool) {
		total := 0
		for {
			buf := make([]byte, rota.MaxPartBytes)
			n, err := io.ReadFull(r, buf)
			if total += n; total > rota.MaxInput {
				yield(rota.Part{}, tooMuchInput())
				return
			}
			if n > 0 && !yield(rota.Part{Input: buf[:n]}, nil) {
				return
			}
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return
			}
			if err != nil {
				yield(rota.Part{}, fileError("standard input", err))
				return
			}
		}
	}
}

func tooMuchInput() error {
	return rota.Errorf(rota.ErrTooLarge, "standard input: more than %s, the limit", bytesText(rota.MaxInput)).
		WithFix("put it into a file and name that: --stdin FILE")
}

// checkSize refuses a file that is too long before anything is sent.
func checkSize(in any) error {
	f, ok := in.(*os.File)
	if !ok {
		return nil
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err == nil && info.Size()-at > rota.MaxInput {
		return tooMuchInput()
	}
	return nil
}

// taskLines are the lines of an earlier job, read back from its tasks.
func (c *conn) taskLines(ctx context.Context, job rota.JobID) io.Reader {
	r, w := io.Pipe()
	go func() {
		for t, err := range c.tasks(ctx, rota.TaskQuery{Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(job)}}}, 0) {
			if err == nil {
				_, err = io.WriteString(w, t.Line+"\n")
			}
			if err != nil {
				w.CloseWithError(err)
				return
			}
		}
		w.Close()
	}()
	return r
}

// partsOf is what goes along with a request, or nil. Done closes what was opened.
func (a *app) partsOf(ctx context.Context, c *conn, r *request, before rota.JobID) (p parts, done func(), err error) {
	switch {
	case r.input:
		if err := checkSize(a.in); err != nil {
			return nil, nil, err
		}
		return inputParts(a.in), func() {}, nil
	case r.lines == ownStdin:
		if a.in == nil {
			return lineParts(strings.NewReader(""), "standard input"), func() {}, nil
		}
		return lineParts(a.in, "standard input"), func() {}, nil
	case r.lines != "":
		f, err := os.Open(r.lines)
		if err != nil {
			return nil, nil, fileError("--each-line", err)
		}
		return lineParts(f, r.lines), func() { f.Close() }, nil
	case r.Spec.Lines:
		ctx, stop := context.WithCancel(ctx)
		return lineParts(c.taskLines(ctx, before), "job "+before.String()), stop, nil
	case before != 0 && r.flags.stdin == "" && r.Spec.Stdin == "":
		p, err := a.inputOf(ctx, c, before)
		return p, func() {}, err
	}
	return nil, func() {}, nil
}

// send submits a job with what goes along. What cannot be sent whole is taken back, also when a signal comes.
func (a *app) send(ctx context.Context, c *conn, r *request, p parts) (rota.Submitted, error) {
	if err := a.bring(ctx, c, r); err != nil {
		return rota.Submitted{}, err
	}
	sub := r.Submission
	if sub.Key == "" {
		sub.Key = api.NewKey()
	}
	if p == nil {
		return a.submitOne(ctx, c, sub)
	}
	source := a.read(ctx, p)
	defer source.close()
	first, some, err := source.next()
	if err != nil {
		return rota.Submitted{}, err
	}
	part, more, err := source.next()
	if err != nil {
		return rota.Submitted{}, err
	}
	sub.More = more
	if some {
		sub.Lines, sub.Input = first.Lines, first.Input
	}
	got, err := a.submitOne(ctx, c, sub)
	if err != nil || !more {
		return got, err
	}
	if job, err := c.Job(ctx, got.Job); got.Existing && (err != nil || job.Sealed) {
		return got, err
	}
	last, err := c.upload(ctx, got.Job, part, source)
	if err != nil {
		c.takeBack(ctx, got.Job)
		return got, err
	}
	got.Tasks = last.Tasks
	return got, nil
}

func (a *app) submitOne(ctx context.Context, c *conn, sub rota.Submission) (rota.Submitted, error) {
	return patiently(ctx, c, func() (rota.Submitted, error) { return c.Submit(ctx, sub) })
}

// upload sends the parts after the first.
func (c *conn) upload(ctx context.Context, job rota.JobID, part rota.Part, source *reading) (got rota.Submitted, err error) {
	for number, more := 1, true; more; number++ {
		this := part
		if part, more, err = source.next(); err != nil {
			return got, err
		}
		this.Number, this.Last = number, !more
		if got, err = patiently(ctx, c, func() (rota.Submitted, error) { return c.Upload(ctx, job, this) }); err != nil {
			return got, err
		}
	}
	return got, nil
}

// reading is parts as they come, which a signal can end.
type reading struct {
	ctx   context.Context
	parts chan piece
	sigs  <-chan os.Signal
	close func()
}

type piece struct {
	rota.Part
	err error
}

func (a *app) read(ctx context.Context, p parts) *reading {
	ctx, stop := context.WithCancel(ctx)
	sigs, restore := a.signals(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	slow := time.AfterFunc(2*time.Second, func() {
		a.note("rota: reading what goes along with the job; `--stdin none` sends no standard input")
	})
	r := &reading{ctx: ctx, parts: make(chan piece), sigs: sigs, close: func() { slow.Stop(); restore(); stop() }}
	go func() {
		defer close(r.parts)
		for part, err := range p {
			slow.Stop() // whoever takes it may be slow too
			select {
			case r.parts <- piece{part, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return r
}

// next is the next part, or none.
func (r *reading) next() (rota.Part, bool, error) {
	select {
	case p, ok := <-r.parts:
		return p.Part, ok, p.err
	case s := <-r.sigs:
		return rota.Part{}, false, &exit{code: signalCode(s), err: rota.Invalid("interrupted: nothing was submitted")}
	case <-r.ctx.Done():
		return rota.Part{}, false, r.ctx.Err()
	}
}

// takeBack removes a job that was only uploaded in part. Where that fails the server does it later.
func (c *conn) takeBack(ctx context.Context, job rota.JobID) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	filter := rota.Filter{Tasks: []rota.Span{rota.SpanOf(job)}}
	for _, act := range []rota.Act{rota.ActCancel, rota.ActRemove} {
		op, err := c.Operate(ctx, rota.Operation{Act: act, Filter: filter, Reason: "its upload was not completed"})
		for err == nil && !op.Ended && !c.local {
			if err = pause(ctx, idlePause); err == nil {
				op, err = c.Operation(ctx, op.ID)
			}
		}
		if err != nil {
			return
		}
	}
}

// inputOf is the standard input that was uploaded with an earlier job.
func (a *app) inputOf(ctx context.Context, c *conn, job rota.JobID) (parts, error) {
	_, size, err := c.Input(ctx, job, 0, 1)
	switch {
	case errors.Is(err, rota.ErrDenied):
		a.note("rota: if job %v had standard input, you may not read it: none is sent", job)
		return nil, nil
	case errors.Is(err, rota.ErrNotFound) || (err == nil && size == 0):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return func(yield func(rota.Part, error) bool) {
		for at := int64(0); at < size; {
			data, _, err := c.Input(ctx, job, at, rota.MaxPartBytes)
			if err == nil && len(data) == 0 {
				err = rota.Errorf(rota.ErrInternal, "standard input of job %v: ends at byte %d of %d", job, at, size)
			}
			if !yield(rota.Part{Input: data}, err) || err != nil {
				return
			}
			at += int64(len(data))
		}
	}, nil
}
