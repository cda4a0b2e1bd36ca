package servicetest

import (
	"bytes"
	"time"

	"github.com/rotaqueue/rota"
)

var outputTests = []contract{
	{"I8 output comes back exactly, piece by piece", exactOutput},
	{"P14 I8 what was cut is said", cutOutput},
	{"P14 output is kept by the attempt that runs only", strangersOutput},
	{"each attempt has its own", outputOfAttempts},
	{"output that is not there yet", outputToCome},
	{"a job's own file is named", ownFileNamed},
}

// chunk is a whole stream in one piece.
func chunk(s rota.Stream, text []byte) rota.Chunk {
	return rota.Chunk{Stream: s, Total: int64(len(text)), Data: text}
}

func (c *client) output(q rota.OutputQuery) rota.Output {
	c.w.Helper()
	out, err := c.Output(c.ctx, q, 0)
	if err != nil {
		c.w.Fatalf("output %+v: %v", q, err)
	}
	return out
}

func exactOutput(w *world) {
	id := w.kim.submit(run())
	m := w.node("one")
	a := m.claimOne()
	all := bytes.Repeat([]byte("0123456789\x00\xff\x1b[31m\r\n"), 2_000)
	half := len(all) / 2
	for _, c := range []rota.Chunk{{Offset: 0, Data: all[:half]}, {Offset: int64(half), Data: all[half:]}, {Offset: 0, Data: all[:half]}} {
		c.Stream, c.Total = rota.Stdout, int64(len(all))
		if err := m.c.KeepOutput(m.c.ctx, a.Try, []rota.Chunk{c}); err != nil {
			w.Fatal(err)
		}
	}
	f := finish(a.Try, rota.OutcomeSucceeded)
	f.Output = []rota.Chunk{chunk(rota.Stderr, []byte("oops"))}
	m.exchange(0, f)

	q := rota.OutputQuery{Task: rota.PlainTask(id), Stream: rota.Stdout, Max: 1_000}
	var got []byte
	for q.Offset < int64(len(all)) {
		out := w.viewer.output(q)
		if len(out.Data) == 0 || len(out.Data) > q.Max || out.Offset != q.Offset || out.Size != int64(len(all)) || !out.Ended || out.Cut != 0 {
			w.Fatalf("from %d: got %d bytes at %d of %d, ended %v, cut %d", q.Offset, len(out.Data), out.Offset, out.Size, out.Ended, out.Cut)
		}
		got = append(got, out.Data...)
		q.Offset += int64(len(out.Data))
	}
	if !bytes.Equal(got, all) {
		w.Error("the pieces do not make the output")
	}
	if out := w.viewer.output(q); len(out.Data) != 0 || !out.Ended {
		w.Errorf("from the end: got %d bytes, ended %v", len(out.Data), out.Ended)
	}
	q.Offset, q.Max = -7, 0
	equal(w, "the last 7 bytes", w.viewer.output(q).Data, all[len(all)-7:])
	equal(w, "the error output", string(w.viewer.output(rota.OutputQuery{Task: q.Task, Stream: rota.Stderr}).Data), "oops")
}

func cutOutput(w *world) {
	id := w.kim.submit(run())
	m := w.node("one")
	a := m.claimOne()
	f := finish(a.Try, rota.OutcomeSucceeded)
	f.Output = []rota.Chunk{{Stream: rota.Stdout, Offset: 0, Total: 1_000, Data: []byte("head")},
		{Stream: rota.Stdout, Offset: 996, Total: 1_000, Data: []byte("tail")}}
	m.exchange(0, f)
	q := rota.OutputQuery{Task: rota.PlainTask(id), Stream: rota.Stdout}
	head := w.kim.output(q)
	if string(head.Data) != "head" || head.Cut != 0 || head.Size != 1_000 {
		w.Errorf("head: got %q, cut %d, size %d", head.Data, head.Cut, head.Size)
	}
	q.Offset = 4
	tail := w.kim.output(q)
	if string(tail.Data) != "tail" || tail.Offset != 996 || tail.Cut != 992 {
		w.Errorf("tail: got %q at %d, cut %d; want it at 996, 992 cut", tail.Data, tail.Offset, tail.Cut)
	}
}

func strangersOutput(w *world) {
	w.kim.submit(run())
	m := w.node("one")
	a := m.claimOne()
	m.ends(rota.OutcomeFailed, a)
	err := m.c.KeepOutput(m.c.ctx, a.Try, []rota.Chunk{chunk(rota.Stdout, []byte("late"))})
	w.refused("output of an attempt that has ended", err, rota.ErrLeaseLost)
	err = m.c.KeepOutput(m.c.ctx, rota.Try{Task: rota.PlainTask(4711), Attempt: 1}, []rota.Chunk{chunk(rota.Stdout, []byte("x"))})
	w.refused("output of no task", err, rota.ErrLeaseLost)
	b := m.claimOne()
	err = m.c.KeepOutput(m.c.ctx, b.Try, []rota.Chunk{chunk(rota.Stdout, make([]byte, rota.MaxPartBytes+1))})
	w.refused("much output at once", err, rota.ErrTooLarge)
}

func outputOfAttempts(w *world) {
	id := w.kim.submit(run(retries(1)))
	m := w.node("one")
	for _, text := range []string{"first", "second"} {
		f := finish(m.claimOne().Try, rota.OutcomeFailed)
		f.Output = []rota.Chunk{chunk(rota.Stdout, []byte(text))}
		m.exchange(0, f)
	}
	for _, tt := range []struct {
		asked, got int
		text       string
	}{{0, 2, "second"}, {1, 1, "first"}, {2, 2, "second"}} {
		out := w.kim.output(rota.OutputQuery{Task: rota.PlainTask(id), Attempt: tt.asked, Stream: rota.Stdout})
		equal(w, "output", string(out.Data), tt.text)
		equal(w, "attempt", out.Attempt, tt.got)
	}
	_, err := w.kim.Output(w.kim.ctx, rota.OutputQuery{Task: rota.PlainTask(id), Attempt: 3, Stream: rota.Stdout}, 0)
	w.refused("an attempt that was never made", err, rota.ErrNotFound)
}

func outputToCome(w *world) {
	id := w.kim.submit(run())
	q := rota.OutputQuery{Task: rota.PlainTask(id), Stream: rota.Stdout}
	if out := w.kim.output(q); out.Ended || len(out.Data) > 0 || out.Attempt != 0 {
		w.Errorf("before the first attempt: got %+v", out)
	}
	m := w.node("one")
	a := m.claimOne()
	if out := w.kim.output(q); out.Ended || out.Attempt != 1 {
		w.Errorf("while it runs: got %+v", out)
	}
	got := make(chan rota.Output)
	go func() {
		out, err := w.kim.Output(w.kim.ctx, q, time.Minute)
		if err != nil {
			w.Errorf("a wait for output: %v", err)
		}
		got <- out
	}()
	m.ends(rota.OutcomeSucceeded, a)
	if out := soon(w, got); !out.Ended || len(out.Data) > 0 || out.Size != 0 {
		w.Errorf("ended without output: got %+v", out)
	}
	cancelled := w.kim.submit(run())
	w.kim.operate(rota.ActCancel, jobs(cancelled))
	if out := w.kim.output(rota.OutputQuery{Task: rota.PlainTask(cancelled), Stream: rota.Stdout}); !out.Ended {
		w.Errorf("cancelled before any attempt: got %+v, want it ended", out)
	}
}

func ownFileNamed(w *world) {
	id := w.kim.submit(run(array(3, 3, 0), func(s *rota.Spec) { s.Out = "/tmp/%j-%a-%n.log" }))
	m := w.node("one")
	m.ends(rota.OutcomeSucceeded, m.claimOne())
	out := w.kim.output(rota.OutputQuery{Task: rota.Element(id, 3), Stream: rota.Stdout})
	equal(w, "file", out.File, "/tmp/"+id.String()+"-3-1.log")
	equal(w, "ended", out.Ended, true)
}
