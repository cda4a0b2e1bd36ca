package node

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// withInput submits a job with uploaded input.
func (w *world) withInput(job rota.JobID, tasks int, b []byte) {
	w.m.look(func() { w.m.inputs[job] = b })
	w.m.submit(job, tasks, rota.Spec{})
}

func (w *world) inputs() (names []string) {
	es, err := os.ReadDir(filepath.Join(w.dir, "input"))
	if err != nil {
		w.Fatal(err)
	}
	for _, e := range es {
		names = append(names, e.Name())
	}
	return names
}

func TestInputIsFetchedOnceForAllTasksOfAJob(t *testing.T) {
	in(t, 2, func(w *world) {
		text := []byte(strings.Repeat("0123456789", 300_000)) // three pieces
		bad := 0
		w.k.script = func(p executor.Process) play {
			if b, err := os.ReadFile(p.Input); err != nil || !slices.Equal(b, text) {
				bad++
			}
			return play{takes: time.Second}
		}
		w.withInput(7, 10, text)
		w.after(2500 * time.Millisecond)
		if got := w.inputs(); !slices.Equal(got, []string{"7"}) {
			t.Errorf("input folder has %v", got)
		}
		w.after(time.Minute)
		w.want(rota.Succeeded, 10)
		if bad > 0 {
			t.Errorf("%d tasks did not find the whole input", bad)
		}
		if w.m.calls["input"] != 3 {
			t.Errorf("%d calls for three pieces", w.m.calls["input"])
		}
		if got := w.inputs(); len(got) != 0 {
			t.Errorf("left in the input folder: %v", got)
		}
	})
}

func TestInputThatIsNotAvailableYetIsAskedForAgain(t *testing.T) {
	in(t, 1, func(w *world) {
		n := 0
		w.m.fault = func(call string) (before, after error) {
			if call == "input" {
				if n++; n < 4 {
					return rota.ErrUnavailable, nil
				}
			}
			return nil, nil
		}
		w.withInput(7, 1, []byte("x"))
		w.after(time.Minute)
		w.want(rota.Succeeded, 1)
	})
}

func TestInputThatIsGoneRefusesTheTask(t *testing.T) {
	in(t, 2, func(w *world) {
		w.m.fault = func(call string) (before, after error) {
			if call == "input" {
				return rota.ErrNotFound, nil
			}
			return nil, nil
		}
		w.withInput(7, 2, []byte("x"))
		w.after(time.Minute)
		if f := w.only(0); f.Outcome != rota.OutcomeRefused || !strings.Contains(f.Reason, "input") {
			t.Errorf("finish %+v", f)
		}
		w.want(rota.Failed, 2)
	})
}

func TestCancelWhileTheInputIsFetched(t *testing.T) {
	in(t, 1, func(w *world) {
		w.m.fault = func(call string) (before, after error) {
			if call == "input" {
				return rota.ErrUnavailable, nil
			}
			return nil, nil
		}
		w.withInput(7, 1, []byte("x"))
		w.after(time.Second)
		w.m.end(rota.PlainTask(7), rota.EndingCancel)
		w.after(10 * time.Second)
		w.want(rota.Cancelled, 1)
		calls := w.m.calls["input"]
		w.after(time.Minute)
		if w.m.calls["input"] != calls {
			t.Error("the input is still asked for")
		}
		if got := w.inputs(); len(got) != 0 || w.n.Busy() != 0 {
			t.Errorf("left: %v, busy %d", got, w.n.Busy())
		}
	})
}

func TestDrainWhileTheInputIsFetched(t *testing.T) {
	in(t, 1, func(w *world) {
		w.m.fault = func(call string) (before, after error) {
			if call == "input" {
				return errors.New("reset"), nil
			}
			return nil, nil
		}
		w.withInput(7, 1, []byte("x"))
		w.after(time.Second)
		w.n.Drain()
		if err := w.over(); err != nil {
			t.Errorf("Run: %v", err)
		}
		w.want(rota.Ready, 1)
	})
}

// TestInputIsWantedAgainWhileItIsGivenUp drives the reactor through the moment in which the last user has gone and
// the next has come, and the answer to the first fetch is still on its way.
func TestInputIsWantedAgainWhileItIsGivenUp(t *testing.T) {
	r := busy(2, 0, 0, 0)
	r.at[inKeeper] = 0
	r.prepare = func(a *rota.Assignment, input string) (executor.Process, error) {
		return executor.Process{Try: a.Try, Stdin: input}, nil
	}
	attemptOf := func(n int) *attempt {
		a := &attempt{Assignment: *assignment(rota.PlainTask(7), n, rota.Spec{})}
		a.HasInput = true
		r.hold(a, fetching)
		r.begin(a, 0)
		return a
	}
	r.release(attemptOf(1))
	attemptOf(2)
	if todo := r.take(); len(todo.fetch) != 1 || len(todo.unfetch) != 1 {
		t.Fatalf("to do %+v", todo)
	}
	r.fetched(need{job: 7}, context.Canceled, 0)
	if todo := r.take(); len(todo.fetch) != 1 || len(todo.start) != 0 {
		t.Fatalf("to do %+v, want to fetch again", todo)
	}
	r.fetched(need{job: 7}, nil, 0)
	if todo := r.take(); len(todo.start) != 1 || todo.start[0].Attempt != 2 || !strings.HasSuffix(todo.start[0].Stdin, "input/7") {
		t.Fatalf("to do %+v, want the second attempt started", todo)
	}
}
