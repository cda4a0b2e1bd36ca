package servicetest

import (
	"reflect"

	"github.com/rotaqueue/rota"
)

var exchangeTests = []contract{
	{"P5 repeating an exchange answers the same and claims nothing new", repeatedExchange},
	{"P5 exchanges are numbered", numberedExchanges},
	{"P5 a finish is idempotent", repeatedFinish},
	{"P6 a refused finish leaves the others", refusedFinish},
	{"P3 a finish by an older attempt is refused", staleFinish},
	{"finish and claim in one", finishAndClaim},
	{"what is too large is refused", largeExchange},
}

func repeatedExchange(w *world) {
	for range 5 {
		w.kim.submit(run())
	}
	m := w.node("one")
	a := m.claimOne()
	x := rota.Exchange{Seq: m.seq + 1, Finished: []rota.Finish{finish(a.Try, rota.OutcomeSucceeded)}, Claim: rota.Claim{Max: 2}}
	first, err := m.try(x)
	if err != nil || len(first.Claimed) != 2 {
		w.Fatalf("exchange: got %+v, error %v; want 2 claimed", first, err)
	}
	for range 2 {
		again, err := m.try(x)
		if err != nil || !reflect.DeepEqual(again, first) {
			w.Errorf("repeated: got %+v, error %v\nwant the first answer %+v", again, err, first)
		}
	}
	if q, err := w.kim.Tasks(w.kim.ctx, rota.TaskQuery{Filter: rota.Filter{States: []rota.State{rota.Ready}}}); err != nil || len(q) != 2 {
		w.Errorf("ready after repeats: %d, error %v; want 2", len(q), err)
	}
}

func numberedExchanges(w *world) {
	m := w.node("one")
	for range 3 {
		m.exchange(1)
	}
	for _, seq := range []int64{m.seq - 1, m.seq + 2, 0, -1} {
		_, err := m.try(rota.Exchange{Seq: seq, Claim: rota.Claim{Max: 1}})
		w.refused("an exchange out of order", err, rota.ErrConflict)
	}
	m.exchange(1)
}

func repeatedFinish(w *world) {
	w.kim.submit(run())
	m := w.node("one")
	a := m.claimOne()
	for range 2 { // as a node does that never got the answer and began anew
		m.ends(rota.OutcomeSucceeded, a)
	}
	equal(w, "succeeded", w.kim.job(a.Task.Job()).Succeeded, 1)
}

func refusedFinish(w *world) {
	w.kim.submit(run())
	w.kim.submit(run())
	m := w.node("one")
	as := m.claim(2)
	strange := rota.Try{Task: rota.PlainTask(4711), Attempt: 1}
	got := m.exchange(0, finish(as[0].Try, rota.OutcomeSucceeded), finish(strange, rota.OutcomeSucceeded), finish(as[1].Try, rota.OutcomeFailed))
	if len(got.Refused) != 1 || got.Refused[0].Try != strange || got.Refused[0].Why == "" {
		w.Errorf("refused: got %+v, want %v alone, with the reason", got.Refused, strange)
	}
	equal(w, "state of the first", w.kim.task(as[0].Task).State, rota.Succeeded)
	equal(w, "outcome of the last", w.kim.task(as[1].Task).Outcome, rota.OutcomeFailed)
}

func staleFinish(w *world) {
	id := w.kim.submit(run(retries(3)))
	m := w.node("one")
	first := m.claimOne()
	m.ends(rota.OutcomeFailed, first)
	second := m.claimOne()
	got := m.exchange(0, finish(first.Try, rota.OutcomeSucceeded))
	if len(got.Refused) != 1 {
		w.Errorf("a finish of attempt 1 while 2 runs: refused %+v", got.Refused)
	}
	equal(w, "state", w.kim.task(rota.PlainTask(id)).State, rota.Running)
	m.ends(rota.OutcomeSucceeded, second)
	got = m.exchange(0, finish(second.Try, rota.OutcomeFailed))
	if len(got.Refused) != 1 {
		w.Errorf("another end of an attempt that has ended: refused %+v", got.Refused)
	}
	equal(w, "state", w.kim.task(rota.PlainTask(id)).State, rota.Succeeded)
}

func finishAndClaim(w *world) {
	first, second := w.kim.submit(run()), w.kim.submit(run())
	m := w.node("one")
	a := m.claimOne()
	equal(w, "claimed first", a.Task.Job(), first)
	got := m.exchange(1, finish(a.Try, rota.OutcomeSucceeded))
	if len(got.Claimed) != 1 || got.Claimed[0].Task.Job() != second {
		w.Errorf("claimed with the finish: got %+v, want job %v", got.Claimed, second)
	}
}

func largeExchange(w *world) {
	w.kim.submit(run())
	m := w.node("one")
	a := m.claimOne()
	f := finish(a.Try, rota.OutcomeSucceeded)
	f.Output = []rota.Chunk{{Stream: rota.Stdout, Total: 1 << 20, Data: make([]byte, 1<<20)}}
	_, err := m.try(rota.Exchange{Seq: m.seq + 1, Finished: []rota.Finish{f}})
	w.refused("a finish with much output", err, rota.ErrTooLarge)
	_, err = m.try(rota.Exchange{Seq: m.seq + 1, Claim: rota.Claim{Max: 1 << 30}})
	w.refused("a claim of everything", err, rota.ErrTooLarge)
	m.ends(rota.OutcomeSucceeded, a) // neither used up its number
}
