package server

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotaqueue/rota"
)

// slowStore takes a while to say who has waited longest.
type slowStore struct {
	rota.Store
	takes time.Duration
	asked int
	err   error
}

func (s *slowStore) Queues(context.Context) ([]rota.Queue, error) {
	return []rota.Queue{{Name: "q", Counts: map[rota.State]int{rota.Ready: 1}}, {Name: "r", Counts: map[rota.State]int{}}}, nil
}

func (s *slowStore) Oldest(context.Context) (map[string]rota.Oldest, error) {
	s.asked++
	time.Sleep(s.takes)
	return map[string]rota.Oldest{"q": {Job: rota.JobID(s.asked)}, "r": {Job: 9}}, s.err
}

// TestD13WhoWaitsLongestIsAskedForNowAndThen: by one for all, a fiftieth of the time at most, and of queues where somebody waits.
func TestD13WhoWaitsLongestIsAskedForNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &slowStore{takes: time.Second}
		s := New(store, Options{})
		look := func() rota.JobID {
			t.Helper()
			queues, err := s.Queues(admin)
			if err != nil || len(queues) != 2 || queues[0].Oldest == nil || queues[1].Oldest != nil {
				t.Errorf("%+v, %v", queues, err)
				return 0
			}
			return queues[0].Oldest.Job
		}
		var all sync.WaitGroup
		for range 10 * 60 {
			look()
			time.Sleep(time.Second)
		}
		if store.asked < 10 || store.asked > 13 {
			t.Errorf("asked %d times in ten minutes", store.asked)
		}
		time.Sleep(time.Minute)
		store.takes = time.Hour
		all.Go(func() { look() })
		synctest.Wait()
		begun := time.Now()
		if job := look(); job != rota.JobID(store.asked-1) || time.Since(begun) > 0 {
			t.Errorf("while somebody asks it is job %v, after %v", job, time.Since(begun))
		}
		all.Wait()
		time.Sleep(51 * time.Hour)
		store.takes, store.err = 0, errors.New("away")
		if _, err := s.Queues(admin); err == nil {
			t.Error("an error is not told")
		}
	})
}
