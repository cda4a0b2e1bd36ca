package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testKeys(s suite) {
	s.test("P20_the_same_key_is_the_same_job", keySame)
	s.test("P20_a_key_names_one_job_however_many_send_it_at_once", keyRace)
	s.test("P20_a_key_outlives_its_removed_job_by_a_day", keyOutlives)
}

func (w *world) submitResult(t tb, j rota.NewJob) rota.SubmitResult {
	t.Helper()
	r, err := w.Submit(w.ctx, []rota.NewJob{j})
	if err != nil || len(r) != 1 {
		t.Fatalf("submit: %d results, %v", len(r), err)
	}
	return r[0]
}

func keySame(t *testing.T, w *world) {
	first := w.submitResult(t, job(keyed("k", "h1"), array("1-3")))
	if first.Err != nil || first.Existing || first.Tasks != 3 {
		t.Fatalf("first: %+v", first)
	}
	again := w.submitResult(t, job(keyed("k", "h1"), array("1-3")))
	if again.Err != nil || !again.Existing || again.Job != first.Job || again.Tasks != 3 {
		t.Errorf("again: %+v, want the first, %v", again, first.Job)
	}
	wantIs(t, "another request under the key", w.submitResult(t, job(keyed("k", "h2"))).Err, rota.ErrKeyReused)
	if other := w.submitResult(t, job(keyed("k", "h2"), by("bob"))); other.Err != nil || other.Existing || other.Job == first.Job {
		t.Errorf("another submitter's: %+v", other)
	}
	if one, two := w.submitResult(t, job()), w.submitResult(t, job()); one.Job == two.Job || one.Existing || two.Existing {
		t.Errorf("without a key: %+v, %+v", one, two)
	}
	batch, err := w.Submit(w.ctx, []rota.NewJob{job(keyed("k2", "h")), job(), job(keyed("k2", "h")), job(keyed("k2", "x"))})
	if err != nil || batch[0].Err != nil || batch[0].Existing || batch[2].Err != nil || !batch[2].Existing || batch[2].Job != batch[0].Job {
		t.Errorf("one key in one batch: %+v, %v", batch, err)
	} else {
		wantIs(t, "another request under the key in one batch", batch[3].Err, rota.ErrKeyReused)
	}
	w.reopen(t)
	if again := w.submitResult(t, job(keyed("k", "h1"))); !again.Existing || again.Job != first.Job {
		t.Errorf("after a restart: %+v", again)
	}
	w.verify(t)
}

func keyRace(t *testing.T, w *world) {
	for range times(50) {
		key := w.name("key")
		results := make([]rota.SubmitResult, 8)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() {
				r, err := w.Submit(w.ctx, []rota.NewJob{job(keyed(key, "h"))})
				if err != nil {
					results[i].Err = err
					return
				}
				results[i] = r[0]
			})
		}
		wg.Wait()
		made := 0
		for _, r := range results {
			if r.Err != nil || r.Job != results[0].Job {
				t.Fatalf("results %+v", results)
			}
			if !r.Existing {
				made++
			}
		}
		if made != 1 {
			t.Fatalf("%d of them made the job", made)
		}
	}
}

func keyOutlives(t *testing.T, w *world) {
	first := w.submitResult(t, job(keyed("k", "h")))
	w.operate(t, rota.ActCancel, whole(first.Job))
	w.operate(t, rota.ActRemove, whole(first.Job))
	w.prune(t, rota.Retention{})
	if again := w.submitResult(t, job(keyed("k", "h"))); again.Err != nil || !again.Existing || again.Job != first.Job {
		t.Errorf("within a day: %+v, want the first, %v", again, first.Job)
	}
	w.clock.Advance(25 * time.Hour)
	w.prune(t, rota.Retention{})
	if again := w.submitResult(t, job(keyed("k", "h"))); again.Err != nil || again.Existing || again.Job == first.Job {
		t.Errorf("after a day: %+v, want a new job", again)
	}
}
