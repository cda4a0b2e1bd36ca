package crash_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash"
)

// checkAll holds the facts against the invariants.
func (v *verdict) checkAll() {
	v.checkI1Jobs()
	for _, f := range v.sorted() {
		v.checkI1Ended(f)
		v.checkI2(f)
		v.checkI3(f)
		v.checkI4(f)
		v.checkI5(f)
		v.checkI8(f)
		v.checkC3(f)
		v.checkI9(f)
		v.checkI10(f)
		v.checkP15(f)
	}
	for _, r := range v.strays {
		v.fail("I4", "process %d of attempt %v lived when the next attempt of the task, or of the next node, began", r.PID, r.Try)
	}
	v.checkI9Lost()
	v.checkP16()
	if wrong, err := v.store.Verify(v.ctx); err != nil || len(wrong) > 0 {
		v.fail("P19", "the store is not sound: %v, %v", wrong, err)
	}
}

// checkI1Jobs: each acknowledged job is there, once, whole.
func (v *verdict) checkI1Jobs() {
	byName := map[string][]rota.JobID{}
	for _, j := range v.stored {
		byName[j.Spec.Name] = append(byName[j.Spec.Name], j.ID)
	}
	made := map[rota.JobID]int{}
	for _, f := range v.facts {
		made[f.ID.Job()]++
	}
	for _, j := range v.jobs {
		switch ids := byName[j.sub.Key]; {
		case len(ids) != 1 || ids[0] != j.id:
			v.fail("I1", "%q was acknowledged as job %v and is stored as jobs %v", j.sub.Key, j.id, ids)
		case made[j.id] != j.tasks:
			v.fail("I1", "job %v (%s) has %d tasks of %d", j.id, j.sub.Key, made[j.id], j.tasks)
		}
		delete(byName, j.sub.Key)
	}
	for name, ids := range byName {
		v.fail("I1", "jobs %v (%s) were never submitted", ids, name)
	}
}

// checkI1Ended: each task ended, and as its command does.
func (v *verdict) checkI1Ended(f *fact) {
	if !slices.Contains(f.wants, f.State) {
		v.fail("I1", "%s is %v, and should be one of %v: %+v", f, f.State, f.wants, f.tries)
	}
}

// checkI2: at most one success, which is the last attempt, and makes the task succeed.
func (v *verdict) checkI2(f *fact) {
	n := f.count(rota.OutcomeSucceeded)
	if n > 1 || (n == 1) != (f.State == rota.Succeeded) || n == 1 && f.Outcome != rota.OutcomeSucceeded {
		v.fail("I2", "%s is %v and has %d successes: %+v", f, f.State, n, f.tries)
	}
}

// checkI3: what is recorded of a command's end is what the command did, by this very attempt.
func (v *verdict) checkI3(f *fact) {
	for _, a := range f.tries {
		end, ended := f.of(a.Number, crash.End)
		switch a.Outcome {
		case rota.OutcomeSucceeded, rota.OutcomeFailed:
			if !ended || a.Exit == nil || *a.Exit != end.Exit || (a.Outcome == rota.OutcomeSucceeded) != (end.Exit == 0) {
				v.fail("I3", "%s: attempt %d is recorded as %+v, and the witness has %+v", f, a.Number, a, f.records[a.Number])
			}
			if ended && (end.Node != a.Node || end.In != crash.SumOf(f.input)) {
				v.fail("I3", "%s: attempt %d ran on node %q and read %v; node %q and %v was expected", f, a.Number, end.Node, end.In,
					a.Node, crash.SumOf(f.input))
			}
		case rota.OutcomeTimedOut, rota.OutcomeEnded, rota.OutcomeLost, rota.OutcomeReturned:
		default:
			v.fail("I3", "%s: attempt %d ended as %q, which no job of the test does: %+v", f, a.Number, a.Outcome, a)
		}
	}
}

// checkI4: an attempt begins once, and after everything of the attempts before it has ended.
func (v *verdict) checkI4(f *fact) {
	var last rota.Elapsed
	for number := 1; number <= f.Number; number++ {
		begins := 0
		latest := last
		for _, r := range f.records[number] {
			if r.At < last {
				v.fail("I4", "%s: attempt %d was at work at %d, and an earlier one still at %d", f, number, r.At, last)
			}
			if r.Word == crash.Begin {
				begins++
			}
			latest = max(latest, r.At)
		}
		if begins > 1 {
			v.fail("I4", "%s: attempt %d began %d times: %+v", f, number, begins, f.records[number])
		}
		last = latest
	}
}

// checkI5: attempts are numbered from 1 without a gap, and none ran that the store does not know of.
func (v *verdict) checkI5(f *fact) {
	for i, a := range f.tries {
		if a.Number != i+1 {
			v.fail("I5", "%s: recorded attempt %d has the number %d", f, i+1, a.Number)
		}
	}
	for number, rs := range f.records {
		if number < 1 || number > f.Number {
			v.fail("I5", "%s: attempt %d ran, and the store counts %d: %+v", f, number, f.Number, rs)
		}
	}
}

// checkI9: no more attempts than the budgets allow, and none taken from the wrong one.
func (v *verdict) checkI9(f *fact) {
	failures := f.count(rota.OutcomeFailed, rota.OutcomeTimedOut, rota.OutcomeRefused)
	lost, returned := f.count(rota.OutcomeLost), f.count(rota.OutcomeReturned)
	retry := f.sub.Spec.Retry.Or(rota.DefaultRetry())
	budget := 1 + *retry.Count
	if failures > budget || f.Number > budget+lost+returned {
		v.fail("I9", "%s: %d attempts, %d failures, %d lost, %d given back; %d may fail: %+v", f, f.Number, failures, lost, returned, budget, f.tries)
	}
	counted := f.Lost + f.Returns - lost - returned
	if f.State == rota.Cancelled && f.Outcome == rota.OutcomeEnded && counted == 1 {
		counted = 0 // the last attempt was lost or given back, and is said to have been ended
	}
	if counted != 0 || lost > f.Lost || lost > *retry.MaxLost+1 || retry.OnLost == rota.LostFail && lost > 1 {
		v.fail("I9", "%s: %d attempts lost, %d given back, and %d and %d counted: %+v", f, lost, returned, f.Lost, f.Returns, f.tries)
	}
	spent := failures == budget || lost > *retry.MaxLost || lost > 0 && retry.OnLost == rota.LostFail
	if f.State == rota.Failed && !spent {
		v.fail("I9", "%s failed with budget left: %+v", f, f.tries)
	}
	for _, a := range f.tries {
		if rs := f.records[a.Number]; a.Outcome == rota.OutcomeReturned && len(rs) > 0 {
			v.fail("I9", "%s: attempt %d was given back as never started (%s), and ran: %+v", f, a.Number, a.Reason, rs)
		}
	}
}

// checkI9Lost: of what a node took with it no more is lost without a trace than it had just started, one in each slot;
// what it had not started is given back. It is by the node itself: whoever takes it for lost cannot know what it started.
// Of what the node says that it had started it, no more is asked: it was ended before the witness could see it, each time
// that a lease was over.
func (v *verdict) checkI9Lost() {
	rescued := v.rescued()
	traceless, why := map[string]int{}, map[string]string{}
	for _, f := range v.facts {
		for _, a := range f.tries {
			if a.Outcome == rota.OutcomeLost && len(f.records[a.Number]) == 0 && !rescued[a.Session] && a.Started.IsZero() {
				traceless[a.Session]++
				why[a.Session] = a.Reason
			}
		}
	}
	for session, n := range traceless {
		if n > slots {
			v.fail("I9", "%d attempts of session %s were lost, and the witness saw none of them begin: they should have been given back (the last: %s)", n, session, why[session])
		}
	}
}

// rescued are the sessions that nodes took for lost, as their logs say.
func (v *verdict) rescued() map[string]bool {
	all := map[string]bool{}
	for _, pattern := range []string{"log", "*/log"} {
		logs, err := filepath.Glob(v.file(pattern))
		if err != nil {
			v.Fatal(err)
		}
		for _, name := range logs {
			text, err := os.ReadFile(name)
			if err != nil {
				v.Error(err)
			}
			for _, m := range lostSession.FindAllSubmatch(text, -1) {
				all[string(m[1])] = true
			}
		}
	}
	return all
}

var lostSession = regexp.MustCompile(`msg="a session is lost: .* session=(\w+)`)

// checkI10: after a cancel was acknowledged nothing is claimed any more, and nothing ends otherwise.
func (v *verdict) checkI10(f *fact) {
	if f.cancelled.IsZero() || v.jumps {
		return
	}
	for _, a := range f.tries {
		if a.Claimed.After(f.cancelled) {
			v.fail("I10", "%s: cancelled at %v, and attempt %d was claimed at %v", f, f.cancelled, a.Number, a.Claimed)
		}
	}
	if f.State != rota.Cancelled && f.Ended.After(f.cancelled) {
		v.fail("I10", "%s: cancelled at %v, and %v at %v", f, f.cancelled, f.State, f.Ended)
	}
}

func (f *fact) String() string { return "task " + f.ID.String() + " (" + f.sub.Key + ")" }
