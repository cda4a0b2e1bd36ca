package node

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// letters is a text of so many bytes in which every place is told from its neighbours.
func letters(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('!' + (i*7+i/90)%90)
	}
	return string(b)
}

// kept is what the store has of a task's stream, put together.
func (w *world) kept(i int, s rota.Stream) (cs []rota.Chunk) {
	w.m.look(func() {
		for _, c := range w.m.output[w.m.tasks[i].Try] {
			if c.Stream == s {
				cs = append(cs, c)
			}
		}
	})
	slices.SortFunc(cs, func(a, b rota.Chunk) int { return cmp.Compare(a.Offset, b.Offset) })
	return cs
}

// textsLeft are the files in the output folder.
func (w *world) textsLeft() (names []string) {
	es, err := os.ReadDir(filepath.Join(w.dir, "output"))
	if err != nil {
		w.Fatal(err)
	}
	for _, e := range es {
		names = append(names, e.Name())
	}
	return names
}

func TestP14_OutputIsKeptBeforeTheFinish(t *testing.T) {
	const half = rota.OutputCap / 2
	small, middle, large := letters(1000), letters(rota.OutputCap), letters(1_000_000)
	for _, c := range []struct {
		what           string
		stdout, stderr string
		limit          int64
		calls          int // of KeepOutput
		want           []rota.Chunk
		stays          bool
	}{
		{"nothing", "", "", 0, 0, nil, false},
		{"small: with the finish", small, "!", 0, 0, []rota.Chunk{
			{Stream: "stdout", Total: 1000, Data: []byte(small)}, {Stream: "stderr", Total: 1, Data: []byte("!")}}, false},
		{"both together too large for the finish", letters(rota.InlineOutput), "!", 0, 1, []rota.Chunk{
			{Stream: "stdout", Total: rota.InlineOutput, Data: []byte(letters(rota.InlineOutput))},
			{Stream: "stderr", Total: 1, Data: []byte("!")}}, false},
		{"as much as the cap", middle, "", 0, 1, []rota.Chunk{{Stream: "stdout", Total: rota.OutputCap, Data: []byte(middle)}}, false},
		{"cut", large, "", 0, 1, []rota.Chunk{{Stream: "stdout", Total: 1_000_000, Data: []byte(large[:half])},
			{Stream: "stdout", Offset: 1_000_000 - half, Total: 1_000_000, Data: []byte(large[1_000_000-half:])}}, true},
		{"cut to little: with the finish", "", small, 101, 0, []rota.Chunk{{Stream: "stderr", Total: 1000, Data: []byte(small[:50])},
			{Stream: "stderr", Offset: 949, Total: 1000, Data: []byte(small[949:])}}, true},
		{"a large cap: in pieces of 1 MiB", strings.Repeat("x", 5<<19), "", 1 << 30, 3, []rota.Chunk{
			{Stream: "stdout", Total: 5 << 19, Data: bytes.Repeat([]byte("x"), 1<<20)},
			{Stream: "stdout", Offset: 1 << 20, Total: 5 << 19, Data: bytes.Repeat([]byte("x"), 1<<20)},
			{Stream: "stdout", Offset: 2 << 20, Total: 5 << 19, Data: bytes.Repeat([]byte("x"), 1<<19)}}, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			in(t, 1, func(w *world) {
				w.k.script = func(executor.Process) play {
					return play{takes: time.Second, stdout: c.stdout, stderr: c.stderr}
				}
				w.m.submit(1, 1, rota.Spec{})
				w.after(3 * time.Second)
				w.want(rota.Succeeded, 1)
				got := append(w.kept(0, rota.Stdout), w.kept(0, rota.Stderr)...)
				same := func(a, b rota.Chunk) bool {
					return a.Stream == b.Stream && a.Offset == b.Offset && a.Total == b.Total && bytes.Equal(a.Data, b.Data)
				}
				if !slices.EqualFunc(got, c.want, same) {
					t.Errorf("kept %d chunks, want %d", len(got), len(c.want))
				}
				if w.m.calls["keep"] != c.calls {
					t.Errorf("%d calls of KeepOutput, want %d", w.m.calls["keep"], c.calls)
				}
				if f := w.only(0); f.Reason != "" || !reflect.DeepEqual(f.Written, sizes(c.stdout, c.stderr)) {
					t.Errorf("finish %+v", f)
				}
				if left := w.textsLeft(); (len(left) > 0) != c.stays {
					t.Errorf("left on the node: %v", left)
				}
			}, func(o *Options) { o.OutputCap = c.limit })
		})
	}
}

func TestP14_AFailureToKeepRetriesTheKeeping(t *testing.T) {
	in(t, 1, func(w *world) {
		n := 0
		w.m.fault = func(call string) (before, after error) {
			if call != "keep" {
				return nil, nil
			}
			switch n++; n {
			case 1:
				return rota.ErrUnavailable, nil
			case 2:
				return nil, errors.New("reset") // kept, and the reply is lost
			}
			return nil, nil
		}
		w.k.script = func(executor.Process) play { return play{takes: time.Second, stdout: letters(20_000)} }
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Minute)
		if f := w.only(0); f.Outcome != rota.OutcomeSucceeded || f.Reason != "" || len(w.k.started) != 1 {
			t.Errorf("finish %+v", f)
		}
		if cs := w.kept(0, rota.Stdout); len(cs) != 1 || string(cs[0].Data) != letters(20_000) {
			t.Errorf("kept %d chunks", len(cs))
		}
		if n != 3 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestP14_OutputThatCannotBeKept(t *testing.T) {
	for _, c := range []struct {
		what, reason string
		outcome      rota.Outcome
		spoil        func(w *world)
	}{
		{"the store is full", "output not kept: no space left", rota.OutcomeSucceeded, func(w *world) {
			w.m.fault = func(call string) (before, after error) {
				if call == "keep" {
					return rota.ErrFull, nil
				}
				return nil, nil
			}
		}},
		{"the file cannot be read", "output not kept: ", rota.OutcomeFailed, func(w *world) {
			live := w.k.live(rota.Try{Task: rota.PlainTask(1), Attempt: 1}, rota.Stderr)
			text := filepath.Join(w.dir, "output", strings.TrimPrefix(filepath.Base(live), "live."))
			w.k.onEnd = func() { os.Remove(text) }
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			in(t, 1, func(w *world) {
				w.k.script = func(executor.Process) play {
					return play{takes: time.Second, outcome: c.outcome, stdout: letters(20_000), stderr: "oops"}
				}
				c.spoil(w)
				w.m.submit(1, 1, rota.Spec{})
				w.after(5 * time.Second)
				if f := w.only(0); f.Outcome != c.outcome || !strings.HasPrefix(f.Reason, c.reason) {
					t.Errorf("finish %+v", f)
				}
				if !slices.ContainsFunc(w.textsLeft(), func(s string) bool { return strings.HasSuffix(s, ".stdout") }) {
					t.Error("the text that was not kept is gone from the node")
				}
			})
		})
	}
}

func TestKeepingALargeOutputFreesTheSlot(t *testing.T) {
	in(t, 1, func(w *world) {
		w.m.fault = func(call string) (before, after error) {
			if call == "keep" {
				return rota.ErrUnavailable, nil
			}
			return nil, nil
		}
		w.k.script = func(p executor.Process) play {
			if p.Task.Index() == 1 {
				return play{takes: time.Second, stdout: letters(20_000)}
			}
			return play{takes: time.Second}
		}
		w.m.submit(1, 2, rota.Spec{})
		w.after(5 * time.Second)
		w.want(rota.Running, 1)
		w.want(rota.Succeeded, 1)
		w.m.look(func() { w.m.fault = nil })
		w.after(10 * time.Second)
		w.want(rota.Succeeded, 2)
	})
}

func TestARefusedFinishLeavesTheTextOnTheNode(t *testing.T) {
	in(t, 1, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: time.Second, stdout: "x"} }
		w.m.submit(1, 1, rota.Spec{})
		w.after(500 * time.Millisecond)
		w.m.look(func() { w.m.tasks[0].state = rota.Failed })
		w.after(5 * time.Second)
		if len(w.textsLeft()) != 1 || w.n.Busy() != 0 {
			t.Errorf("left %v, busy %d", w.textsLeft(), w.n.Busy())
		}
	})
}

func TestPortions(t *testing.T) {
	ps := []piece{{stream: "stdout", length: 5, total: 5}, {stream: "stderr", offset: 100, length: 12, total: 200}}
	var got [][2]int64
	for _, g := range portions(ps, 8) {
		n := int64(0)
		for _, p := range g {
			got = append(got, [2]int64{p.offset, p.length})
			n += p.length
		}
		if n > 8 {
			t.Errorf("a portion of %d bytes", n)
		}
	}
	if want := [][2]int64{{0, 5}, {100, 3}, {103, 8}, {111, 1}}; !slices.Equal(got, want) {
		t.Errorf("portions %v, want %v", got, want)
	}
}
