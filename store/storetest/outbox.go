package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testOutbox(s suite) {
	s.test("the_end_of_a_job_and_its_letter_are_one_transaction", outboxOfEnds)
	s.test("Z5_a_user_says_who_is_told_of_jobs_to_come", outboxOfUsers)
	s.test("who_takes_letters_has_them_for_a_while", outboxTaken)
	s.test("what_comes_of_a_letter_is_written_once", outboxFurther)
}

func telling(j *rota.NewJob) { j.Spec.MailTo = []string{"ann@example.org"} }

func letters(t *testing.T, w *world) []rota.Letter {
	t.Helper()
	all, err := w.Letters(w.ctx, 100)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func outboxOfEnds(t *testing.T, w *world) {
	quiet, good, bad := w.one(t), w.one(t, telling), w.one(t, telling)
	some := w.submit(t, job(array("1-2"), telling))[0]
	stopped := w.one(t, telling, held)
	w.set(t, "told", rota.QueueChange{Notify: []string{"https://example.org/hook"}})
	queued, waits := w.one(t, queue("told")), w.one(t, queue("told-later"))
	w.set(t, "told-later", rota.QueueChange{MailTo: []string{"ann@example.org"}})
	moved, edited := w.one(t), w.one(t)
	w.edit(t, rota.Edit{Queue: ptr("told")}, rota.Filter{Tasks: []rota.Span{rota.SpanOf(moved.Job())}})
	spec := w.job(t, edited.Job()).Spec
	spec.MailTo = []string{"ann@example.org"}
	w.edit(t, rota.Edit{Spec: &spec}, rota.Filter{Tasks: []rota.Span{rota.SpanOf(edited.Job())}})
	if got := letters(t, w); len(got) != 0 {
		t.Fatalf("before anything ended: %+v", got)
	}
	s := w.session(t)
	var ends []rota.Finish
	for _, a := range s.claim(t, 10) {
		outcome := rota.OutcomeSucceeded
		if a.Task == bad || a.Task == rota.Element(some, 1) {
			outcome = rota.OutcomeRefused
		}
		if a.Task != rota.Element(some, 2) {
			ends = append(ends, end(a.Try, outcome))
		}
	}
	w.reopen(t) // what is remembered of jobs is forgotten
	s.exchange(t, rota.Claim{}, ends...)
	w.operate(t, rota.ActCancel, only(stopped))
	w.settle(t)
	want := map[rota.JobID]rota.EventKind{good.Job(): rota.EventSucceeded, bad.Job(): rota.EventFailed, stopped.Job(): rota.EventCancelled,
		queued.Job(): rota.EventSucceeded, waits.Job(): rota.EventSucceeded, moved.Job(): rota.EventSucceeded, edited.Job(): rota.EventSucceeded}
	got := letters(t, w)
	for _, l := range got {
		if want[l.Job] != l.Kind || l.Place != "" || !l.At.Equal(w.clock.Now()) {
			t.Errorf("%+v", l)
		}
		delete(want, l.Job)
	}
	if len(want) > 0 || slices.ContainsFunc(got, func(l rota.Letter) bool { return l.Job == quiet.Job() }) {
		t.Errorf("left %v of %+v", want, got)
	}
}

// outboxOfUsers: a job ends with a letter if its submitter had somebody told by default when it was submitted.
func outboxOfUsers(t *testing.T, w *world) {
	put := func(tell rota.Tell) {
		t.Helper()
		if _, err := w.PutUser(w.ctx, rota.User{Name: "uma", Role: rota.RoleViewer, Tell: tell}); err != nil {
			t.Fatal(err)
		}
	}
	s := w.session(t)
	letterFor := func(who string) bool {
		t.Helper()
		id, before := w.one(t, by(who)), len(letters(t, w))
		s.finish(t, end(s.claimOne(t, id), rota.OutcomeSucceeded))
		return len(letters(t, w)) > before
	}
	want := func(what, who string, want bool) {
		t.Helper()
		if got := letterFor(who); got != want {
			t.Errorf("%s: a letter of a job of %s: %v", what, who, got)
		}
	}
	want("before there is a user", "uma", false)
	put(rota.Tell{MailOn: rota.MailOnAlways})
	want("when mail comes, but nobody who gets it", "uma", false)
	put(rota.Tell{Notify: []string{"https://example.org/hook"}})
	want("somebody is told", "uma", true)
	want("of another", "eve", false)
	put(rota.Tell{MailTo: []string{"uma@example.org"}})
	want("somebody else is told", "uma", true)
	w.reopen(t)
	want("another server", "uma", true)
	put(rota.Tell{})
	want("nobody any more", "uma", false)
	put(rota.Tell{MailTo: []string{"uma@example.org"}})
	if err := w.DropUser(w.ctx, "uma"); err != nil {
		t.Fatal(err)
	}
	want("the user is gone", "uma", false)
}

func outboxTaken(t *testing.T, w *world) {
	e := rota.Event{Text: "nightly did not run", Schedule: "nightly"}
	if err := w.Post(w.ctx, []rota.Letter{{Kind: rota.EventAlarm, Place: "mail:ann@example.org", Event: e}, {Kind: rota.EventAlarm, Place: "https://example.org"}}); err != nil {
		t.Fatal(err)
	}
	take := func(most int) []rota.Letter {
		t.Helper()
		got, err := w.TakeLetters(w.ctx, most, rota.Duration(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	one, two := take(1), take(10)
	if len(one) != 1 || len(two) != 1 || one[0].ID == two[0].ID || one[0].Event != e || one[0].Place != "mail:ann@example.org" {
		t.Fatalf("%+v, %+v", one, two)
	}
	if got := take(10); len(got) != 0 {
		t.Errorf("taken twice: %+v", got)
	}
	if err := w.Postpone(w.ctx, []int64{two[0].ID}, rota.Duration(time.Hour), "refused"); err != nil {
		t.Fatal(err)
	}
	w.reopen(t)
	w.clock.Advance(2 * time.Minute)
	if got := take(10); len(got) != 1 || got[0].ID != one[0].ID {
		t.Errorf("what nobody delivered: %+v", got)
	}
	w.clock.Advance(time.Hour)
	if got := take(10); len(got) != 2 || got[0].Tries+got[1].Tries != 1 {
		t.Errorf("what was postponed: %+v", got)
	}
	if err := w.Delivered(w.ctx, []int64{one[0].ID, two[0].ID}, nil); err != nil {
		t.Fatal(err)
	}
	if got := letters(t, w); len(got) != 0 {
		t.Errorf("left: %+v", got)
	}
}

func outboxFurther(t *testing.T, w *world) {
	if err := w.Post(w.ctx, []rota.Letter{{Kind: rota.EventFailed, Job: 7}}); err != nil {
		t.Fatal(err)
	}
	id := letters(t, w)[0].ID
	further := []rota.Letter{{Kind: rota.EventFailed, Job: 7, Place: "https://a.example"}, {Kind: rota.EventFailed, Job: 7, Place: "https://b.example"}}
	for range 2 { // two servers that came to it, one too late
		if err := w.Delivered(w.ctx, []int64{id}, further); err != nil {
			t.Fatal(err)
		}
	}
	if got := letters(t, w); len(got) != 2 || got[0].Place == got[1].Place {
		t.Errorf("%+v", got)
	}
}

func testSecrets(s suite) { s.test("are_their_owners_and_kept_sealed", secretsKept) }

func secretsKept(t *testing.T, w *world) {
	for _, x := range []rota.Secret{{Name: "b", Owner: "ann", Sealed: []byte{1}}, {Name: "a", Owner: "bob", Sealed: []byte{2}}, {Name: "b", Owner: "ann", Sealed: []byte{3, 0}}} {
		if err := w.PutSecret(w.ctx, x); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.PutSecret(w.ctx, rota.Secret{Name: "a", Owner: "ann", Sealed: []byte{4}}); !errors.Is(err, rota.ErrDenied) {
		t.Errorf("another's: %v", err)
	}
	w.reopen(t)
	all, err := w.Secrets(w.ctx, nil)
	if err != nil || len(all) != 2 || all[0].Name != "a" || all[0].Sealed != nil || all[1].Owner != "ann" || !all[1].Changed.Equal(w.clock.Now()) {
		t.Errorf("%+v, %v", all, err)
	}
	some, err := w.Secrets(w.ctx, []string{"b", "none"})
	if err != nil || len(some) != 1 || !slices.Equal(some[0].Sealed, []byte{3, 0}) {
		t.Errorf("%+v, %v", some, err)
	}
	if err := w.DropSecret(w.ctx, "a"); err != nil {
		t.Fatal(err)
	}
	wantIs(t, "a secret that is not there", w.DropSecret(w.ctx, "a"), rota.ErrNotFound)
}
