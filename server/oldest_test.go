package server

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// slowStore takes a while to say who has waited longest.
type slowStore struct {
	rota.Store
	takes   time.Duration
	now     rota.Elapsed
	asked   int
	err     error
	meeting func() // while it is being asked
}

func (s *slowStore) Queues(context.Context) ([]rota.Queue, error) {
	return []rota.Queue{{Name: "q", Counts: map[rota.State]int{rota.Ready: 1}}, {Name: "r", Counts: map[rota.State]int{}}}, nil
}

func (s *slowStore) Oldest(context.Context) (map[string]rota.Oldest, error) {
	s.asked++
	if s.meeting != nil {
		s.meeting()
	}
	s.now += rota.Elapsed(s.takes)
	return map[string]rota.Oldest{"q": {Job: rota.JobID(s.asked)}, "r": {Job: 9}}, s.err
}

// TestD13WhoWaitsLongestIsAskedForNowAndThen: by one for all, a fiftieth of the time at most, and of queues where somebody waits.
func TestD13WhoWaitsLongestIsAskedForNowAndThen(t *testing.T) {
	store := &slowStore{takes: time.Second}
	s := New(store, Options{Elapsed: func() rota.Elapsed { return store.now }})
	look := func() rota.JobID {
		t.Helper()
		queues, err := s.Queues(admin)
		if err != nil || len(queues) != 2 || queues[0].Oldest == nil || queues[1].Oldest != nil {
			t.Errorf("%+v, %v", queues, err)
			return 0
		}
		return queues[0].Oldest.Job
	}
	for range 10 * 60 {
		look()
		store.now += rota.Elapsed(time.Second)
	}
	if store.asked < 10 || store.asked > 13 {
		t.Errorf("asked %d times in ten minutes", store.asked)
	}
	store.now += rota.Elapsed(time.Minute)
	before, met := rota.JobID(store.asked), rota.JobID(0)
	store.meeting = func() { met = look() } // somebody else comes meanwhile
	if job := look(); met != before || job != before+1 || store.asked != int(before)+1 {
		t.Errorf("while it is asked for it is job %v, then %v; before it was %v", met, job, before)
	}
	store.now += rota.Elapsed(time.Hour)
	store.meeting, store.err = nil, errors.New("away")
	if _, err := s.Queues(admin); err == nil {
		t.Error("an error is not told")
	}
}
