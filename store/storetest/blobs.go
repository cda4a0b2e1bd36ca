package storetest

import (
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testBlobs(s suite) {
	s.test("are_there_when_their_bytes_are", blobsCome)
	s.test("go_a_day_after_who_needed_them", blobsGo)
	s.test("that_are_needed_stay", blobsStay)
	s.test("that_are_kept_stay", blobsKept)
	s.test("are_listed_by_pages", blobPages)
}

func blobID(n int) rota.BlobID {
	b := []byte("0000000000000000000000000000000000000000000000000000000000000000")
	for i := len(b) - 1; n > 0; i, n = i-1, n/10 {
		b[i] = byte('0' + n%10)
	}
	return rota.BlobID(b)
}

func (w *world) blob(t *testing.T, n int) rota.BlobID {
	t.Helper()
	id := blobID(n)
	if there, err := w.BeginBlob(w.ctx, rota.Blob{ID: id, Size: int64(n), Name: "b", Creator: "bob"}); err != nil || there {
		t.Fatalf("begin: %v, %v", there, err)
	}
	if err := w.EndBlob(w.ctx, id); err != nil {
		t.Fatal(err)
	}
	return id
}

func blobsCome(t *testing.T, w *world) {
	id := blobID(7)
	for range 2 { // also when an earlier put was given up
		if there, err := w.BeginBlob(w.ctx, rota.Blob{ID: id, Size: 7, Name: "seven", Creator: "bob"}); err != nil || there {
			t.Fatalf("begin: %v, %v", there, err)
		}
		_, err := w.Blob(w.ctx, id)
		wantIs(t, "before its bytes", err, rota.ErrNotFound)
		if all, err := w.Blobs(w.ctx, rota.BlobQuery{}); err != nil || len(all) != 0 {
			t.Errorf("listed before its bytes: %+v, %v", all, err)
		}
	}
	wantIs(t, "a blob that nobody began", w.EndBlob(w.ctx, blobID(8)), rota.ErrConflict)
	if err := w.EndBlob(w.ctx, id); err != nil {
		t.Fatal(err)
	}
	w.reopen(t)
	b, err := w.Blob(w.ctx, id)
	if err != nil || b.ID != id || b.Size != 7 || b.Name != "seven" || b.Creator != "bob" || !b.Created.Equal(w.clock.Now()) || b.Uses != 0 {
		t.Errorf("kept as %+v, %v", b, err)
	}
	if there, err := w.BeginBlob(w.ctx, rota.Blob{ID: id, Size: 7, Creator: "eve"}); err != nil || !there {
		t.Errorf("begin again: %v, %v", there, err)
	}
	if err := w.DropBlob(w.ctx, id); err != nil {
		t.Fatal(err)
	}
	_, err = w.BeginBlob(w.ctx, rota.Blob{ID: id, Size: 7})
	wantIs(t, "begin while it goes", err, rota.ErrUnavailable)
	wantIs(t, "end while it goes", w.EndBlob(w.ctx, id), rota.ErrConflict)
	if going, err := w.GoingBlobs(w.ctx); err != nil || len(going) != 1 || going[0] != id {
		t.Errorf("going: %v, %v", going, err)
	}
	if err := w.ForgetBlob(w.ctx, id); err != nil {
		t.Fatal(err)
	}
	if there, err := w.BeginBlob(w.ctx, rota.Blob{ID: id, Size: 7}); err != nil || there {
		t.Errorf("begin anew: %v, %v", there, err)
	}
	if err := w.ForgetBlob(w.ctx, id); err != nil { // it is not to go: nothing happens
		t.Fatal(err)
	}
	if err := w.EndBlob(w.ctx, id); err != nil {
		t.Errorf("end after forgetting what does not go: %v", err)
	}
}

// prune sweeps until there is nothing to prune.
func (w *world) pruneAll(t *testing.T) {
	t.Helper()
	for more := true; more; {
		got, err := w.Sweep(w.ctx, rota.Sweep{What: rota.SweepPrune})
		if err != nil {
			t.Fatal(err)
		}
		more = got.More
	}
}

func (w *world) going(t *testing.T) map[rota.BlobID]bool {
	t.Helper()
	w.pruneAll(t)
	ids, err := w.GoingBlobs(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	all := map[rota.BlobID]bool{}
	for _, id := range ids {
		all[id] = true
	}
	return all
}

func blobsGo(t *testing.T, w *world) {
	unused := w.blob(t, 1)
	coming := blobID(2)
	if _, err := w.BeginBlob(w.ctx, rota.Blob{ID: coming, Size: 2}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(23 * time.Hour)
	if got := w.going(t); len(got) != 0 {
		t.Errorf("after 23 hours %v go", got)
	}
	w.clock.Advance(2 * time.Hour)
	if got := w.going(t); !got[unused] || !got[coming] || len(got) != 2 {
		t.Errorf("after 25 hours %v go", got)
	}
	wantIs(t, "one that came too late", w.EndBlob(w.ctx, coming), rota.ErrConflict)
}

func blobsStay(t *testing.T, w *world) {
	byJob, bySchedule := w.blob(t, 1), w.blob(t, 2)
	id := w.submit(t, job(func(j *rota.NewJob) { j.Spec.Argv, j.Spec.Blob, j.Spec.Executor = nil, byJob, rota.ExecutorBlob }))[0]
	if _, err := w.PutSchedule(w.ctx, rota.Schedule{Name: "s", Spec: rota.Spec{Blob: bySchedule}}); err != nil {
		t.Fatal(err)
	}
	if b, err := w.Blob(w.ctx, byJob); err != nil || b.Uses != 1 {
		t.Errorf("the job's: %+v, %v", b, err)
	}
	w.clock.Advance(100 * time.Hour)
	if got := w.going(t); len(got) != 0 {
		t.Errorf("needed, and %v go", got)
	}
	wantIs(t, "dropping the job's", w.DropBlob(w.ctx, byJob), rota.ErrConflict)
	wantIs(t, "dropping the schedule's", w.DropBlob(w.ctx, bySchedule), rota.ErrConflict)
	w.operate(t, rota.ActCancel, whole(id))
	w.operate(t, rota.ActRemove, whole(id))
	if err := w.DropSchedule(w.ctx, "s"); err != nil {
		t.Fatal(err)
	}
	if got := w.going(t); len(got) != 0 {
		t.Errorf("they go at once: %v", got)
	}
	w.clock.Advance(25 * time.Hour)
	if got := w.going(t); len(got) != 2 {
		t.Errorf("a day after: %v go", got)
	}
}

func blobsKept(t *testing.T, w *world) {
	id := w.blob(t, 1)
	if there, err := w.BeginBlob(w.ctx, rota.Blob{ID: id, Size: 1, Kept: true}); err != nil || !there {
		t.Fatalf("%v, %v", there, err)
	}
	w.clock.Advance(1000 * time.Hour)
	if got := w.going(t); len(got) != 0 {
		t.Errorf("%v go", got)
	}
	if b, err := w.Blob(w.ctx, id); err != nil || !b.Kept {
		t.Errorf("%+v, %v", b, err)
	}
}

func blobPages(t *testing.T, w *world) {
	for n := 1; n <= 25; n++ {
		w.blob(t, n)
		if n%3 == 0 {
			w.clock.Advance(time.Second)
		}
	}
	seen := map[rota.BlobID]bool{}
	q := rota.BlobQuery{Max: 10}
	for {
		some, err := w.Blobs(w.ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range some {
			if seen[b.ID] {
				t.Errorf("%s twice", b.ID)
			}
			seen[b.ID] = true
		}
		if len(some) < q.Max {
			break
		}
		q.After = some[len(some)-1].ID
	}
	if len(seen) != 25 {
		t.Errorf("%d of 25 were listed", len(seen))
	}
}
