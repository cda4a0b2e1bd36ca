package node

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

func TestOutputLiveAndAfterwards(t *testing.T) {
	in(t, 1, func(w *world) {
		text := letters(100_000)
		w.k.script = func(executor.Process) play { return play{takes: time.Minute, stdout: text} }
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Second)
		for _, c := range []struct {
			what   string
			q      rota.OutputQuery
			offset int64
			want   string
		}{
			{"from the start", rota.OutputQuery{Max: 10}, 0, text[:10]},
			{"all", rota.OutputQuery{}, 0, text},
			{"from the middle", rota.OutputQuery{Attempt: 1, Offset: 99_995}, 99_995, text[99_995:]},
			{"the end", rota.OutputQuery{Offset: -7}, 99_993, text[99_993:]},
			{"more than there is before the end", rota.OutputQuery{Offset: -1 << 40, Max: 3}, 0, text[:3]},
			{"behind the end", rota.OutputQuery{Offset: 100_001}, 100_001, ""},
		} {
			c.q.Task, c.q.Stream = rota.PlainTask(1), rota.Stdout
			out, ok, err := w.n.Output(w.Context(), c.q)
			if err != nil || !ok || string(out.Data) != c.want || out.Offset != c.offset || out.Size != 100_000 || out.Ended || out.Attempt != 1 {
				t.Errorf("%s: %d bytes at %d of %d, attempt %d, ended %v, ok %v, %v", c.what, len(out.Data), out.Offset, out.Size, out.Attempt, out.Ended, ok, err)
			}
		}
		w.after(2 * time.Minute)
		w.want(rota.Succeeded, 1) // cut, so the text is still here
		out, ok, err := w.n.Output(w.Context(), rota.OutputQuery{Task: rota.PlainTask(1), Stream: rota.Stdout, Offset: 50_000, Max: 5})
		if err != nil || !ok || string(out.Data) != text[50_000:50_005] || !out.Ended || out.Attempt != 1 {
			t.Errorf("afterwards: %+v, %v, %v", out, ok, err)
		}
	})
}

func TestNoOutputHere(t *testing.T) {
	in(t, 1, func(w *world) {
		w.m.submit(1, 1, rota.Spec{})
		w.after(500 * time.Millisecond)
		for _, q := range []rota.OutputQuery{{Task: rota.PlainTask(9)}, {Task: rota.PlainTask(1), Attempt: 9}, {Task: rota.PlainTask(1)}} {
			q.Stream = rota.Stderr
			if out, ok, err := w.n.Output(w.Context(), q); ok || err != nil {
				t.Errorf("%v: %+v, %v, %v", q, out, ok, err)
			}
		}
	})
}

// moving is a keeper whose attempt ends while its output is read: its file is named, then gone, then elsewhere.
type moving struct {
	executor.Keeper
	try  rota.Try
	step int
	at   []func() string
}

func (k *moving) File(rota.Try, rota.Stream) string {
	k.step++
	return k.at[min(k.step, len(k.at))-1]()
}

func (k *moving) Held() []rota.Try           { return []rota.Try{k.try} }
func (k *moving) Check() error               { return nil }
func (k *moving) Samples() []executor.Sample { return nil }
func (k *moving) Lease(rota.Elapsed)         {}

func TestOutputIsFoundWhileItsFileMoves(t *testing.T) {
	dir := t.TempDir()
	try := rota.Try{Task: rota.PlainTask(1), Attempt: 1}
	slot, text := filepath.Join(dir, "slot"), filepath.Join(dir, "output", textName(try, rota.Stdout))
	if err := os.MkdirAll(filepath.Dir(text), 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(path, s string) {
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	here := func() string { return slot }
	for what, at := range map[string][]func() string{
		"renamed before it is opened": {func() string { write(text, "mine"); return slot }, here},
		"the slot's file is another's when it was read": {func() string { write(slot, "another's"); return slot },
			func() string { write(text, "mine"); return "" }},
		"in neither place for a moment": {func() string { return "" }, func() string { return "" },
			func() string { write(text, "mine"); return "" }},
		"at its last place, and not forgotten": {func() string { write(text, "mine"); return text }},
	} {
		os.Remove(slot)
		os.Remove(text)
		n := New(nil, &moving{try: try, at: at}, nil, Options{Name: "n", Dir: dir})
		out, ok, err := n.Output(context.Background(), rota.OutputQuery{Task: try.Task, Stream: rota.Stdout})
		if err != nil || !ok || string(out.Data) != "mine" || !out.Ended {
			t.Errorf("%s: %q, ended %v, %v, %v", what, out.Data, out.Ended, ok, err)
		}
	}
}
