package servicetest

import (
	"sync"

	"github.com/rotaqueue/rota"
)

var keyTests = []contract{
	{"P20 the same key is the same job", sameKey},
	{"P20 the same key for another request is refused", reusedKey},
	{"P20 keys of others are others", othersKey},
	{"P20 at once", keysAtOnce},
}

func sameKey(w *world) {
	sub := rota.Submission{Spec: run(labelled("a", "1")), Key: "k"}
	first, again := w.kim.send(sub), w.kim.send(sub)
	if again.Job != first.Job || !again.Existing || first.Existing {
		w.Errorf("first %+v, again %+v: want the same job, existing the second time", first, again)
	}
	w.node("one").runs(rota.OutcomeSucceeded, 1)
	ended := w.kim.send(sub)
	if ended.Job != first.Job || !ended.Existing {
		w.Errorf("after its end: got %+v, want job %v", ended, first.Job)
	}
	all, err := w.kim.Jobs(w.kim.ctx, rota.JobQuery{})
	if err != nil || len(all) != 1 {
		w.Errorf("jobs: got %d, error %v; want 1", len(all), err)
	}
}

func reusedKey(w *world) {
	w.kim.send(rota.Submission{Spec: run(), Key: "k"})
	_, err := w.kim.Submit(w.kim.ctx, rota.Submission{Spec: run(named("other")), Key: "k"})
	w.refused("another request with the same key", err, rota.ErrKeyReused)
	// Naming a default is the same request as leaving it open.
	if got := w.kim.send(rota.Submission{Spec: run(queued(rota.DefaultQueue)), Key: "k"}); !got.Existing {
		w.Error("the default queue by name: taken for another request")
	}
}

func othersKey(w *world) {
	sub := rota.Submission{Spec: run(), Key: "k"}
	if a, b := w.kim.send(sub), w.lee.send(sub); a.Job == b.Job || b.Existing {
		w.Errorf("kim's %+v and lee's %+v: want two jobs", a, b)
	}
}

func keysAtOnce(w *world) {
	const callers = 20
	got := make([]rota.Submitted, callers)
	errs := make([]error, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			got[i], errs[i] = w.kim.Submit(w.kim.ctx, rota.Submission{Spec: run(), Key: "once"})
		})
	}
	all.Wait()
	made := 0
	for i := range callers {
		if errs[i] != nil || got[i].Job != got[0].Job {
			w.Errorf("caller %d: got %+v, error %v; want job %v", i, got[i], errs[i], got[0].Job)
		}
		if !got[i].Existing {
			made++
		}
	}
	equal(w, "callers who made the job", made, 1)
}
