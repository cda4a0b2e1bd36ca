package storetest

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testArtifacts(s suite) {
	s.test("C3_are_kept_by_the_running_attempt_only", artifactLease)
	s.test("C3_keeping_again_changes_nothing", artifactAgain)
	s.test("C3_are_listed_by_pages", artifactPages)
	s.test("C3_of_an_attempt_are_limited", artifactLimits)
	s.test("C3_their_blobs_stay_as_long_as_their_job", artifactsStay)
	s.test("C3_of_a_lost_attempt_go", artifactsLost)
}

func (w *world) keepArtifact(t tb, try rota.Try, name string, n int) rota.Artifact {
	t.Helper()
	a := rota.Artifact{Try: try, Name: name, Size: int64(n), Blob: blobID(n)}
	if err := w.KeepArtifact(w.ctx, a); err != nil {
		t.Fatalf("keep %s of %v: %v", name, try, err)
	}
	return a
}

func (w *world) artifacts(t tb, q rota.ArtifactQuery) []rota.Artifact {
	t.Helper()
	all, err := w.Artifacts(w.ctx, q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	return all
}

func artifactLease(t *testing.T, w *world) {
	s, try := w.running(t)
	w.blob(t, 7)
	a := rota.Artifact{Try: try, Name: "out/a", Size: 7, Blob: blobID(7)}
	for _, wrong := range []rota.Try{{Task: try.Task, Attempt: 2}, {Task: rota.PlainTask(4711), Attempt: 1}} {
		b := a
		b.Try = wrong
		wantIs(t, "of "+wrong.String(), w.KeepArtifact(w.ctx, b), rota.ErrLeaseLost)
	}
	b := a
	b.Blob = blobID(8)
	wantIs(t, "bytes that are not there", w.KeepArtifact(w.ctx, b), rota.ErrNotFound)
	w.keepArtifact(t, try, "out/a", 7)
	w.keepArtifact(t, try, "empty", 0) // of which there is no blob
	s.finish(t, end(try, rota.OutcomeFailed))
	wantIs(t, "of an attempt that has ended", w.KeepArtifact(w.ctx, a), rota.ErrLeaseLost)
	w.reopen(t)
	if got, err := w.Artifact(w.ctx, try, "out/a"); err != nil || got != a {
		t.Errorf("kept as %+v, %v", got, err)
	}
	if got, err := w.Artifact(w.ctx, try, "empty"); err != nil || got.Size != 0 {
		t.Errorf("kept as %+v, %v", got, err)
	}
	_, err := w.Artifact(w.ctx, try, "out")
	wantIs(t, "another name", err, rota.ErrNotFound)
}

func artifactAgain(t *testing.T, w *world) {
	_, try := w.running(t)
	w.blob(t, 7)
	w.blob(t, 8)
	w.keepArtifact(t, try, "a", 7)
	w.keepArtifact(t, try, "a", 7)
	b := w.keepArtifact(t, try, "a", 8)
	if got := w.artifacts(t, rota.ArtifactQuery{Job: try.Task.Job()}); !slices.Equal(got, []rota.Artifact{b}) {
		t.Errorf("kept %+v", got)
	}
}

func artifactPages(t *testing.T, w *world) {
	id := w.submit(t, job(func(j *rota.NewJob) { j.Spec.Array = &rota.Array{Ranges: []rota.Range{{First: 0, Last: 2}}} }))[0]
	w.submit(t, job())
	s := w.session(t)
	w.blob(t, 1)
	var want []rota.Artifact
	for _, a := range s.claim(t, 9) {
		for _, name := range []string{"B", "a", "b/c", "ä"} {
			kept := w.keepArtifact(t, a.Try, name, 1)
			if a.Task.Job() == id {
				want = append(want, kept)
			}
		}
	}
	if len(want) != 12 {
		t.Fatalf("%d were kept", len(want))
	}
	var got []rota.Artifact
	for q := (rota.ArtifactQuery{Job: id, Max: 5}); ; q.After, q.Name = got[len(got)-1].Try, got[len(got)-1].Name {
		some := w.artifacts(t, q)
		if got = append(got, some...); len(some) < q.Max {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("by pages: %+v\nwant %+v", got, want)
	}
	if got := w.artifacts(t, rota.ArtifactQuery{Job: id, Task: rota.Element(id, 1)}); !slices.Equal(got, want[4:8]) {
		t.Errorf("of one task: %+v", got)
	}
}

func artifactLimits(t *testing.T, w *world) {
	_, try := w.running(t)
	w.blob(t, 1)
	a := rota.Artifact{Try: try, Name: "large", Size: rota.MaxArtifactBytes, Blob: blobID(1)}
	for range 2 {
		if err := w.KeepArtifact(w.ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	a.Name = "more"
	a.Size = 1
	wantIs(t, "a byte too many", w.KeepArtifact(w.ctx, a), rota.ErrTooLarge)
	w.keepArtifact(t, try, "large", 1)
	for i := range rota.MaxArtifacts - 1 {
		w.keepArtifact(t, try, strconv.Itoa(i), 1)
	}
	wantIs(t, "a file too many", w.KeepArtifact(w.ctx, a), rota.ErrTooLarge)
}

func artifactsStay(t *testing.T, w *world) {
	id := w.blob(t, 7)
	s, try := w.running(t)
	w.keepArtifact(t, try, "a", 7)
	s.finish(t, end(try, rota.OutcomeSucceeded))
	if b, err := w.Blob(w.ctx, id); err != nil || b.Uses != 1 {
		t.Errorf("%+v, %v", b, err)
	}
	w.clock.Advance(100 * time.Hour)
	if got := w.going(t); len(got) != 0 {
		t.Errorf("needed, and %v go", got)
	}
	wantIs(t, "dropping what an artifact is", w.DropBlob(w.ctx, id), rota.ErrConflict)
	w.operate(t, rota.ActRemove, whole(try.Task.Job()))
	w.pruneAll(t)
	if got := w.artifacts(t, rota.ArtifactQuery{Job: try.Task.Job()}); len(got) != 0 {
		t.Errorf("of a removed job: %+v", got)
	}
	if got := w.going(t); len(got) != 0 {
		t.Errorf("they go at once: %v", got)
	}
	w.clock.Advance(25 * time.Hour)
	if got := w.going(t); !got[id] {
		t.Errorf("a day after: %v go", got)
	}
}

func artifactsLost(t *testing.T, w *world) {
	s, try := w.running(t)
	w.blob(t, 7)
	w.keepArtifact(t, try, "a", 7)
	if err := w.CloseSession(w.ctx, s.id); err != nil {
		t.Fatal(err)
	}
	w.settle(t)
	w.wantState(t, try.Task, rota.Ready)
	if got := w.artifacts(t, rota.ArtifactQuery{Job: try.Task.Job()}); len(got) != 0 {
		t.Errorf("of a lost attempt: %+v", got)
	}
}
