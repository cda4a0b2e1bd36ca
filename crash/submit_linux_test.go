package crash_test

import (
	"context"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
)

const submitters = 8

// client is what submitting needs of one.
type client interface {
	Submit(context.Context, rota.Submission) (rota.Submitted, error)
	Upload(context.Context, rota.JobID, rota.Part) (rota.Submitted, error)
	Watch(context.Context, rota.JobID, rota.Progress, time.Duration) (rota.Progress, error)
	Operate(context.Context, rota.Operation) (rota.Operation, error)
	Close()
}

// submission submits jobs, portion by portion: none of a portion before the one before it is allowed.
type submission struct {
	*machine
	client   client
	jobs     []*job
	portions []chan struct{} // closed when it is allowed
	acks     chan struct{}   // one for each job acknowledged, as far as anybody wants to know
	cancels  chan struct{}   // the same of cancels
	all      sync.WaitGroup

	once  sync.Once
	acked chan struct{}
}

// submitAll begins to submit jobs in so many portions.
func (m *machine) submitAll(c client, jobs []*job, portions int) *submission {
	s := &submission{machine: m, client: c, jobs: jobs, portions: make([]chan struct{}, portions), acks: make(chan struct{}), cancels: make(chan struct{})}
	for i := range s.portions {
		s.portions[i] = make(chan struct{})
	}
	next := make(chan *job)
	s.all.Go(func() {
		defer close(next)
		for i, j := range jobs {
			if s.wait(s.portions[i*portions/len(jobs)]) {
				next <- j
			}
		}
	})
	for range submitters {
		s.all.Go(func() {
			for j := range next {
				s.submit(j)
			}
		})
	}
	return s
}

func (s *submission) allow(portion int) { close(s.portions[portion]) }

func (s *submission) wait(until <-chan struct{}) bool {
	select {
	case <-until:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// submit submits a job until it is acknowledged, and cancels it if it is to be cancelled.
func (s *submission) submit(j *job) {
	if j.after != nil {
		if !s.wait(j.after.acked) {
			return
		}
		j.sub.Spec.After[0].Job = j.after.id
	}
	var got rota.Submitted
	ok := s.insist("submit "+j.sub.Key, func() (err error) {
		got, err = s.client.Submit(s.ctx, j.sub)
		return err
	})
	if !ok {
		return
	}
	for _, part := range j.parts {
		ok = ok && s.insist("upload "+j.sub.Key, func() error {
			_, err := s.client.Upload(s.ctx, got.Job, part)
			return err
		})
	}
	if !ok {
		return
	}
	j.id, j.existing = got.Job, got.Existing
	close(j.acked)
	tell(s.acks)
	if j.cancel >= 0 {
		s.all.Go(func() { s.cancel(j) })
	}
}

// tell tells whoever waits for it just now.
func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (s *submission) cancel(j *job) {
	if j.midway {
		s.untilBegun(j)
	}
	s.pause(j.cancel)
	ok := s.insist("cancel "+j.sub.Key, func() error {
		_, err := s.client.Operate(s.ctx, rota.Operation{Act: rota.ActCancel, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(j.id)}}})
		return err
	})
	if ok {
		j.cancelled = time.Now()
		tell(s.cancels)
	}
}

// untilBegun waits until something of the job runs, or nothing of it will any more.
func (s *submission) untilBegun(j *job) {
	for p := (rota.Progress{}); p.Running == 0 && !p.Ended() && s.ctx.Err() == nil; {
		s.insist("watch "+j.sub.Key, func() error {
			next, err := s.client.Watch(s.ctx, j.id, p, 20*time.Second)
			if err == nil {
				p = next
			}
			return err
		})
	}
}
