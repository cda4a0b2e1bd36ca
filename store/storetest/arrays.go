package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testArrays(s suite) {
	s.test("indexes_follow_ranges_and_steps", arrayIndexes)
	s.test("P18_a_large_array_is_made_in_steps_and_goes_on_after_a_restart", arraySteps)
	s.test("P18_what_is_made_can_be_claimed_while_the_rest_is_made", arrayClaimedMeanwhile)
	s.test("the_tasks_of_an_array_are_made_in_the_state_of_the_job", arrayStates)
	s.test("an_array_ends_when_its_last_task_has_ended", arrayEnds)
}

func arrayIndexes(t *testing.T, w *world) {
	want := []int{0, 3, 6, 9, 20, 30, 31}
	r := w.submitResult(t, job(array("0-9:3,20,30-31")))
	if r.Err != nil || r.Tasks != len(want) {
		t.Fatalf("submitted %+v, want %d tasks", r, len(want))
	}
	if p := w.job(t, r.Job).Progress; p.Tasks != len(want) || p.Ready != len(want) || !p.Sealed {
		t.Errorf("at once: %+v", p)
	}
	s := w.sweep(t, rota.Sweep{What: rota.SweepMake})
	if s.Moved != len(want) || !s.Ready || !slices.Equal(s.Jobs, []rota.JobID{r.Job}) {
		t.Errorf("made: %+v", s)
	}
	var got []int
	for _, task := range w.all(t, whole(r.Job)) {
		got = append(got, task.ID.Index())
		if !task.ID.IsElement() {
			t.Errorf("task %v is no element", task.ID)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("indexes %v, want %v", got, want)
	}
	if claimed := w.session(t).claim(t, 100); len(claimed) != len(want) || claimed[1].Task != rota.Element(r.Job, 3) {
		t.Errorf("claimed %v", ids(claimed))
	}
	w.verify(t)
}

func arraySteps(t *testing.T, w *world) {
	j := job(array("0-23999:3,24100-28099,30000-30001:9"))
	var want []rota.TaskID
	id := w.submitOnly(t, j)[0]
	for i := range j.Spec.Array.From(0) {
		want = append(want, rota.Element(id, i))
	}
	made := w.job(t, id).Made
	for step := 1; made < len(want); step++ {
		s := w.sweep(t, rota.Sweep{What: rota.SweepMake})
		p := w.job(t, id).Progress
		if p.Made <= made || p.Made-made > maxStep || p.Tasks != len(want) || p.Ready != len(want) {
			t.Fatalf("step %d made %d more (%+v)", step, p.Made-made, p)
		}
		if made = p.Made; !s.More && made < len(want) {
			t.Fatalf("%d of %d are made, and there is no more to do", made, len(want))
		}
		w.reopen(t)
	}
	var got []rota.TaskID
	for _, task := range w.all(t, whole(id)) {
		if got = append(got, task.ID); task.State != rota.Ready {
			t.Fatalf("task %v is %v", task.ID, task.State)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d tasks are made, want %d; or others than those", len(got), len(want))
	}
	w.verify(t)
}

func arrayClaimedMeanwhile(t *testing.T, w *world) {
	const n = 10_001
	id := w.submitOnly(t, job(array("1-10001")))[0]
	s, next := w.session(t), 1
	for more := true; more; {
		more = w.sweep(t, rota.Sweep{What: rota.SweepMake}).More
		got := s.claim(t, 10)
		if len(got) != 10 {
			t.Fatalf("claimed %d tasks while the array is being made", len(got))
		}
		for _, a := range got {
			if a.Task != rota.Element(id, next) {
				t.Fatalf("claimed %v, want index %d", a.Task, next)
			}
			next++
		}
		s.finish(t, ends(got, rota.OutcomeSucceeded)...)
	}
	p := w.job(t, id).Progress
	if p.Made != n || p.Succeeded != next-1 || p.Ready != n-next+1 {
		t.Errorf("progress %+v after %d successes", p, next-1)
	}
	w.verify(t)
}

func arrayStates(t *testing.T, w *world) {
	waiting := w.one(t).Job()
	for want, change := range map[rota.State]func(*rota.NewJob){
		rota.Held: held, rota.Scheduled: at(w.clock.Now().Add(time.Hour)), rota.Blocked: after(rota.AfterAny, waiting),
	} {
		id := w.submit(t, job(array("1-3"), change))[0]
		for _, task := range w.all(t, whole(id)) {
			if task.State != want {
				t.Errorf("task %v is %v, want %v", task.ID, task.State, want)
			}
		}
	}
	if got := w.session(t).claim(t, 100); len(got) != 1 {
		t.Errorf("claimed %v, want job %v alone", ids(got), waiting)
	}
	w.verify(t)
}

func arrayEnds(t *testing.T, w *world) {
	id := w.submit(t, job(array("1-3")))[0]
	s := w.session(t)
	got := s.claim(t, 3)
	s.finish(t, end(got[0].Try, rota.OutcomeSucceeded), end(got[1].Try, rota.OutcomeFailed))
	if j := w.job(t, id); !j.Ended.IsZero() || j.Progress.Ended() || j.State() != rota.Running {
		t.Errorf("with one running: %+v", j)
	}
	w.clock.Advance(time.Minute)
	s.finish(t, end(got[2].Try, rota.OutcomeSucceeded))
	j := w.job(t, id)
	if !j.Progress.Ended() || j.Ended.IsZero() || j.Ended.After(w.clock.Now()) || j.State() != rota.Failed {
		t.Errorf("ended at %v, %+v", j.Ended, j.Progress)
	}
	if j.Succeeded != 2 || j.Failed != 1 {
		t.Errorf("counts %+v", j.Progress)
	}
	w.verify(t)
}
