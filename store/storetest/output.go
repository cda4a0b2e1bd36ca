package storetest

import (
	"bytes"
	"testing"

	"github.com/rotaqueue/rota"
)

func testOutput(s suite) {
	s.test("P14_kept_pieces_are_read_by_offset", outputPieces)
	s.test("I8_what_was_cut_is_said", outputCut)
	s.test("a_negative_offset_counts_from_the_end", outputNegative)
	s.test("each_attempt_has_its_own", outputAttempts)
	s.test("P14_keeping_again_changes_nothing", outputAgain)
	s.test("P14_only_the_running_attempt_keeps", outputLease)
	s.test("P14_what_is_kept_is_kept_after_the_end_too", outputKeptBefore)
	s.test("what_is_not_kept_is_not_found", outputNone)
}

// running is an attempt of a task of its own, and its session.
func (w *world) running(t tb) (*session, rota.Try) {
	t.Helper()
	q := w.name("q")
	w.one(t, queue(q))
	s := w.session(t)
	return s, s.claim(t, 1, q)[0].Try
}

func (w *world) keep(t tb, try rota.Try, cs ...rota.Chunk) {
	t.Helper()
	if err := w.KeepOutput(w.ctx, try, cs); err != nil {
		t.Fatalf("keep output of %v: %v", try, err)
	}
}

func (w *world) output(t tb, q rota.OutputQuery) rota.Output {
	t.Helper()
	if q.Stream == "" {
		q.Stream = rota.Stdout
	}
	o, err := w.Output(w.ctx, q)
	if err != nil {
		t.Fatalf("output %+v: %v", q, err)
	}
	return o
}

func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*i + i/256)
	}
	return b
}

func chunk(whole []byte, from, to int) rota.Chunk {
	return rota.Chunk{Stream: rota.Stdout, Offset: int64(from), Total: int64(len(whole)), Data: whole[from:to]}
}

func outputPieces(t *testing.T, w *world) {
	s, try := w.running(t)
	want := noise(50_000)
	w.keep(t, try, chunk(want, 0, 20_000), chunk(want, 20_000, 30_000))
	w.keep(t, try, chunk(want, 30_000, 50_000), rota.Chunk{Stream: rota.Stderr, Total: 2, Data: []byte("no")})
	if o := w.output(t, rota.OutputQuery{Task: try.Task}); o.Ended || o.Attempt != 1 || o.Size != 50_000 {
		t.Errorf("while it runs: attempt %d, size %d, ended %v", o.Attempt, o.Size, o.Ended)
	}
	s.finish(t, end(try, rota.OutcomeSucceeded))
	w.reopen(t)
	for _, most := range []int{0, 1, 7777, 20_000, 1 << 20} {
		var got []byte
		for n := 0; len(got) < len(want) && n < 300; n++ {
			o := w.output(t, rota.OutputQuery{Task: try.Task, Offset: int64(len(got)), Max: most})
			if len(o.Data) == 0 || most > 0 && len(o.Data) > most || o.Offset != int64(len(got)) || o.Cut != 0 || o.Size != 50_000 || !o.Ended {
				t.Fatalf("at %d, at most %d: %d bytes at %d, cut %d, size %d, ended %v", len(got), most, len(o.Data), o.Offset, o.Cut, o.Size, o.Ended)
			}
			got = append(got, o.Data...)
		}
		if !bytes.Equal(got, want[:len(got)]) || most != 1 && len(got) != len(want) {
			t.Errorf("read %d bytes at a time otherwise than it was kept", most)
		}
	}
	for _, offset := range []int64{50_000, 60_000} {
		if o := w.output(t, rota.OutputQuery{Task: try.Task, Offset: offset}); len(o.Data) != 0 || o.Size != 50_000 || !o.Ended {
			t.Errorf("behind the end, at %d: %d bytes, size %d", offset, len(o.Data), o.Size)
		}
	}
	if o := w.output(t, rota.OutputQuery{Task: try.Task, Stream: rota.Stderr}); string(o.Data) != "no" || o.Size != 2 {
		t.Errorf("the other stream: %+v", o)
	}
}

// cutOutput keeps the first and the last 100 of 1000 bytes.
func (w *world) cutOutput(t tb) (rota.Try, []byte) {
	t.Helper()
	s, try := w.running(t)
	all := noise(1000)
	w.keep(t, try, chunk(all, 0, 100), chunk(all, 900, 1000))
	s.finish(t, end(try, rota.OutcomeFailed))
	return try, all
}

func (w *world) wantOutput(t tb, q rota.OutputQuery, offset, cut int64, want []byte) {
	t.Helper()
	o := w.output(t, q)
	if o.Offset != offset || o.Cut != cut || o.Size != 1000 || len(o.Data) == 0 || !bytes.HasPrefix(want, o.Data) {
		t.Errorf("from %d: %d bytes at %d, cut %d, size %d; want %d and cut %d", q.Offset, len(o.Data), o.Offset, o.Cut, o.Size, offset, cut)
	}
}

func outputCut(t *testing.T, w *world) {
	try, all := w.cutOutput(t)
	w.wantOutput(t, rota.OutputQuery{Task: try.Task}, 0, 0, all[:100]) // a piece does not reach over the gap
	w.wantOutput(t, rota.OutputQuery{Task: try.Task, Offset: 50}, 50, 0, all[50:100])
	w.wantOutput(t, rota.OutputQuery{Task: try.Task, Offset: 100}, 900, 800, all[900:])
	w.wantOutput(t, rota.OutputQuery{Task: try.Task, Offset: 500}, 900, 400, all[900:])
	w.wantOutput(t, rota.OutputQuery{Task: try.Task, Offset: 900}, 900, 0, all[900:])
	w.wantOutput(t, rota.OutputQuery{Task: try.Task, Offset: 950, Max: 10}, 950, 0, all[950:960])
}

func outputNegative(t *testing.T, w *world) {
	try, all := w.cutOutput(t)
	w.wantOutput(t, rota.OutputQuery{Task: try.Task, Offset: -10}, 990, 0, all[990:])
	w.wantOutput(t, rota.OutputQuery{Task: try.Task, Offset: -100}, 900, 0, all[900:])
	w.wantOutput(t, rota.OutputQuery{Task: try.Task, Offset: -500}, 900, 400, all[900:])
	w.wantOutput(t, rota.OutputQuery{Task: try.Task, Offset: -1000}, 0, 0, all[:100])
	w.wantOutput(t, rota.OutputQuery{Task: try.Task, Offset: -5000}, 0, 0, all[:100])
}

func outputAttempts(t *testing.T, w *world) {
	id := w.one(t, retries(2))
	s := w.session(t)
	for n := range 3 {
		f := end(s.claimOne(t, id), rota.OutcomeFailed)
		if n == 2 {
			break
		}
		f.Output = []rota.Chunk{{Stream: rota.Stdout, Total: 1, Data: []byte{byte('1' + n)}}}
		s.finish(t, f)
		w.settle(t)
	}
	for n, want := range []string{"1", "2"} {
		if o := w.output(t, rota.OutputQuery{Task: id, Attempt: n + 1}); string(o.Data) != want || o.Attempt != n+1 || !o.Ended {
			t.Errorf("attempt %d: %+v, want %q", n+1, o, want)
		}
	}
	_, err := w.Output(w.ctx, rota.OutputQuery{Task: id, Stream: rota.Stdout})
	wantIs(t, "of the latest attempt, which has none yet", err, rota.ErrNotFound)
	w.keep(t, rota.Try{Task: id, Attempt: 3}, rota.Chunk{Stream: rota.Stdout, Total: 1, Data: []byte("3")})
	if o := w.output(t, rota.OutputQuery{Task: id}); string(o.Data) != "3" || o.Attempt != 3 || o.Ended {
		t.Errorf("the latest: %+v", o)
	}
}

func outputAgain(t *testing.T, w *world) {
	s, try := w.running(t)
	all := noise(300)
	for range 2 {
		w.keep(t, try, chunk(all, 0, 100), chunk(all, 100, 200))
	}
	w.keep(t, try, chunk(all, 100, 200), chunk(all, 200, 300))
	f := end(try, rota.OutcomeSucceeded)
	f.Output = []rota.Chunk{chunk(all, 200, 300)}
	s.finish(t, f)
	s.finish(t, f)
	var got []byte
	for len(got) < 300 {
		o := w.output(t, rota.OutputQuery{Task: try.Task, Offset: int64(len(got))})
		if len(o.Data) == 0 {
			t.Fatalf("nothing at %d: %+v", len(got), o)
		}
		got = append(got, o.Data...)
	}
	if !bytes.Equal(got, all) {
		t.Error("pieces kept twice are read otherwise")
	}
}

func outputLease(t *testing.T, w *world) {
	s, try := w.running(t)
	x := []rota.Chunk{{Stream: rota.Stdout, Total: 1, Data: []byte("x")}}
	for _, wrong := range []rota.Try{{Task: try.Task, Attempt: 2}, {Task: try.Task}, {Task: w.one(t), Attempt: 0}, {Task: rota.PlainTask(999), Attempt: 1}} {
		wantIs(t, "output of "+wrong.String(), w.KeepOutput(w.ctx, wrong, x), rota.ErrLeaseLost)
	}
	s.finish(t, end(try, rota.OutcomeSucceeded))
	wantIs(t, "output of an attempt that has ended", w.KeepOutput(w.ctx, try, x), rota.ErrLeaseLost)
	wantIs(t, "nothing of an attempt that has ended", w.KeepOutput(w.ctx, try, nil), rota.ErrLeaseLost)
	_, err := w.Output(w.ctx, rota.OutputQuery{Task: try.Task, Stream: rota.Stdout})
	wantIs(t, "what was refused", err, rota.ErrNotFound)
}

// A node that dies after an end was recorded, and before it let go of it, comes with all of it again.
func outputKeptBefore(t *testing.T, w *world) {
	s, try := w.running(t)
	all := bytes.Repeat([]byte("0123456789"), 30)
	pieces := []rota.Chunk{chunk(all, 0, 100), chunk(all, 200, 300)}
	w.keep(t, try, pieces...)
	s.finish(t, end(try, rota.OutcomeSucceeded))
	w.keep(t, try, pieces...)
	w.keep(t, try, pieces[1])
	other := chunk(all, 200, 300)
	other.Data = bytes.Repeat([]byte("x"), 100)
	shorter, longer := chunk(all, 200, 299), chunk(all, 100, 200)
	shorter.Total = 299
	for name, c := range map[string]rota.Chunk{"other bytes": other, "another length": shorter, "another piece": longer} {
		wantIs(t, name, w.KeepOutput(w.ctx, try, []rota.Chunk{pieces[0], c}), rota.ErrLeaseLost)
	}
	if o := w.output(t, rota.OutputQuery{Task: try.Task, Offset: 200}); string(o.Data) != string(all[200:]) || o.Size != 300 {
		t.Errorf("%q of %d", o.Data, o.Size)
	}
}

func outputNone(t *testing.T, w *world) {
	id := w.one(t)
	_, done := w.running(t)
	w.keep(t, done, rota.Chunk{Stream: rota.Stdout, Total: 1, Data: []byte("x")})
	for name, q := range map[string]rota.OutputQuery{
		"no task":        {Task: rota.PlainTask(999), Stream: rota.Stdout},
		"no attempt yet": {Task: id, Stream: rota.Stdout},
		"other stream":   {Task: done.Task, Stream: rota.Stderr},
		"later attempt":  {Task: done.Task, Attempt: 2, Stream: rota.Stdout},
	} {
		_, err := w.Output(w.ctx, q)
		wantIs(t, name, err, rota.ErrNotFound)
	}
}
