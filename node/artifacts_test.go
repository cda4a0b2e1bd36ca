package node

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

func thatLeaves(files map[string]string) func(executor.Process) play {
	return func(executor.Process) play { return play{takes: time.Second, stdout: "x", leaves: files} }
}

// TestC3_ArtifactsAreKeptBeforeTheFinish: after it they would be refused. Whatever fails meanwhile all is there, and the node
// has no copies any more.
func TestC3_ArtifactsAreKeptBeforeTheFinish(t *testing.T) {
	in(t, 1, func(w *world) {
		files := map[string]string{"a": "1", "out/b": letters(100_000), "empty": ""}
		n := 0
		w.m.fault = func(call string) (before, after error) {
			if call != "keep artifact" {
				return nil, nil
			}
			switch n++; n {
			case 1:
				return rota.ErrUnavailable, nil
			case 3:
				return nil, errors.New("reset") // kept, and the reply is lost
			}
			return nil, nil
		}
		w.k.script = thatLeaves(files)
		w.m.submit(1, 1, rota.Spec{Artifacts: []string{"*", "out/*"}})
		w.after(time.Minute)
		if f := w.only(0); f.Outcome != rota.OutcomeSucceeded || f.Reason != "" {
			t.Errorf("finish %+v", f)
		}
		got := map[string]string{}
		w.m.look(func() {
			for name, text := range w.m.artifacts {
				got[strings.TrimPrefix(name, w.m.tasks[0].Try.String()+" ")] = text
			}
		})
		if !maps.Equal(got, files) || n != 5 {
			t.Errorf("%d were kept, by %d calls", len(got), n)
		}
		if left := w.textsLeft(); len(left) > 0 {
			t.Errorf("left on the node: %v", left)
		}
		if len(w.k.started) != 1 || len(w.k.started[0].Artifacts) != 2 {
			t.Errorf("started %+v", w.k.started)
		}
	})
}

// TestC3_ArtifactsThatCannotBeKept are told with the end, which does not wait for them.
func TestC3_ArtifactsThatCannotBeKept(t *testing.T) {
	for what, c := range map[string]struct {
		reason string
		spoil  func(w *world)
	}{
		"the store is full": {`artifacts not kept: "a": no space left`, func(w *world) {
			w.m.fault = func(call string) (before, after error) {
				if call == "keep artifact" {
					return rota.ErrFull, nil
				}
				return nil, nil
			}
		}},
		"the copy is gone": {`artifacts not kept: "a": open `, func(w *world) {
			w.k.onEnd = func() { os.Remove(filepath.Join(w.dir, "output", "16777216.1.artifact-0")) }
		}},
		"the copy was changed": {`artifacts not kept: "a": `, func(w *world) {
			w.k.onEnd = func() { os.WriteFile(filepath.Join(w.dir, "output", "16777216.1.artifact-0"), []byte("other"), 0o600) }
		}},
	} {
		t.Run(what, func(t *testing.T) {
			in(t, 1, func(w *world) {
				w.k.script = thatLeaves(map[string]string{"a": "1"})
				c.spoil(w)
				w.m.submit(1, 1, rota.Spec{})
				w.after(5 * time.Second)
				if f := w.only(0); f.Outcome != rota.OutcomeSucceeded || !strings.HasPrefix(f.Reason, c.reason) {
					t.Errorf("finish %+v", f)
				}
				if left := w.textsLeft(); len(left) > 0 {
					t.Errorf("left on the node: %v", left)
				}
			})
		})
	}
}
