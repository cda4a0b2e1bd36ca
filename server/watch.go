package server

import (
	"context"
	"time"

	"github.com/rotaqueue/rota"
)

const (
	// settling is how long Watch holds back a mere progress: what ends within it is told as ended at once, and a job
	// of a thousand tasks a second is not told a thousand times.
	settling = 50 * time.Millisecond
	// lookAgain is how often a waiting call looks by itself, for what other servers of the store did.
	lookAgain = 2 * time.Second
)

// Watch returns a job's progress when the job has ended, soon after it differs from what the caller has seen, or
// when the wait is over.
func (s *Server) Watch(ctx context.Context, id rota.JobID, seen rota.Progress, wait time.Duration) (rota.Progress, error) {
	p, err := s.allow(ctx, "watch")
	if err != nil {
		return rota.Progress{}, err
	}
	changes, leave := s.hub.watch(id)
	defer leave()
	over := time.NewTimer(min(wait, rota.MaxWait))
	defer over.Stop()
	looks := s.newLooks(ctx)
	var settled <-chan time.Time
	for {
		_, changed := changes.now()
		job, err := s.readable(ctx, p, id)
		if err != nil || job.Progress.Ended() || wait <= 0 {
			return job.Progress, err
		}
		if settled == nil && job.Progress != seen {
			settled = time.After(settling)
		}
		// The more of it is left, the longer the next look waits: a busy job is not read at each of its changes.
		look := time.After(looks.next())
		rest := time.After(min(time.Duration(job.Left()-1)*time.Millisecond, settling/2))
		for woken := false; !woken || rest != nil; {
			select {
			case <-changed:
				woken, changed = true, nil
			case <-look:
				woken = true
			case <-rest:
				rest = nil
			case <-settled:
				return job.Progress, nil
			case <-over.C:
				return job.Progress, nil
			case <-ctx.Done():
				return rota.Progress{}, ctx.Err()
			}
		}
	}
}
