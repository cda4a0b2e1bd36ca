package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/discipline"
)

// Submit stores a job, together with what else arrives while the store is busy.
func (s *Server) Submit(ctx context.Context, sub rota.Submission) (rota.Submitted, error) {
	p, err := s.allow(ctx, "submit")
	if err == nil {
		err = s.mayBring(p, "submit")
	}
	if err != nil {
		return rota.Submitted{}, err
	}
	job, err := s.newJob(p, sub)
	if err == nil && job.Home != "" {
		err = s.home.first(ctx, s.store)
	}
	if err != nil {
		return rota.Submitted{}, s.outward(err)
	}
	res, err := s.submits.Do(ctx, job)
	if err == nil {
		err = s.outward(res.Err)
	}
	return res.Submitted, err
}

// newJob completes a submission with all that its submitter left open.
func (s *Server) newJob(p rota.Principal, sub rota.Submission) (rota.NewJob, error) {
	if err := sub.Resolve(); err != nil {
		return rota.NewJob{}, err
	}
	rank, err := discipline.Rank(discipline.Default, &sub.Spec)
	if err != nil {
		return rota.NewJob{}, err
	}
	job := rota.NewJob{Submission: sub, Submitter: p.Name, Parent: p.Within, Rank: rank,
		Retry: sub.Spec.Retry.Or(rota.DefaultRetry()), Home: s.opts.Home}
	if sub.Key != "" {
		job.Hash, err = hashOf(&sub)
	}
	return job, err
}

// hashOf tells two submissions with one key apart (P20). Defaults are filled in before, so that leaving one open
// and naming it are the same request. The environment does not count: it is the caller's surroundings, which differ
// from one call to the next.
func hashOf(sub *rota.Submission) (string, error) {
	same := *sub
	same.Spec.Env = nil
	text, err := json.Marshal(&same)
	if err != nil {
		return "", rota.Invalid("submission: %v", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// submitBatch is the weight of one call to the store, about its bytes: some 500 small jobs.
const submitBatch = 4 << 20

func weighJob(j rota.NewJob) int {
	const row, entry = 8 << 10, 128
	weight := row + len(j.Input) + len(j.Spec.Shell) + len(j.Spec.Script)
	for _, part := range [][]string{j.Lines, j.Spec.Argv, j.Spec.Env} {
		for _, text := range part {
			weight += entry + len(text)
		}
	}
	return weight
}

// storeJobs is one call to the store. When it fails for an unknown reason nothing of it is stored, and the jobs
// are tried one by one so that only the culprit fails (P6).
func (s *Server) storeJobs(jobs []rota.NewJob) []rota.SubmitResult {
	results, err := s.store.Submit(context.Background(), jobs)
	if err != nil && len(jobs) > 1 && !hopeless(err) {
		results = make([]rota.SubmitResult, 0, len(jobs))
		for i := range jobs {
			results = append(results, s.storeJobs(jobs[i:i+1])...)
		}
		return results
	}
	if err != nil {
		results = make([]rota.SubmitResult, len(jobs))
		for i := range results {
			results[i].Err = err
		}
		return results
	}
	s.jobsCame(jobs, results)
	return results
}

// hopeless reports whether the store would refuse the jobs one by one too.
func hopeless(err error) bool {
	return errors.Is(err, rota.ErrFull) || errors.Is(err, rota.ErrBroken) || errors.Is(err, rota.ErrUnavailable)
}

// jobsCame wakes whom the new jobs concern.
func (s *Server) jobsCame(jobs []rota.NewJob, results []rota.SubmitResult) {
	claimable, many, timed, after := false, false, false, false
	for i := range jobs {
		j, res := &jobs[i], &results[i]
		if res.Err != nil || res.Existing {
			continue
		}
		s.meters.submitted.Inc()
		if j.Home != "" {
			s.home.add(res.Job)
		}
		claimable = claimable || !j.More && !j.Spec.Hold // whatever its time is: only the store's clock knows what is due (P1)
		many = many || j.Spec.Many()
		timed = timed || !j.Spec.At.IsZero()
		after = after || len(j.Spec.After) > 0
	}
	if many {
		s.loops.making.wake()
	}
	if after {
		s.loops.operating.wake() // what it waits for may have come already, or never will
	}
	if timed {
		s.loops.promoting.wake()
	}
	if claimable {
		s.hub.claimable.raise()
	}
}

// Upload adds a part to a job that was submitted with More.
func (s *Server) Upload(ctx context.Context, id rota.JobID, part rota.Part) (rota.Submitted, error) {
	p, err := s.allow(ctx, "upload")
	if err != nil {
		return rota.Submitted{}, err
	}
	job, err := s.readable(ctx, p, id)
	if err == nil {
		err = mayChange(p, &job)
	}
	if err == nil {
		err = part.Check()
	}
	if err != nil {
		return rota.Submitted{}, err
	}
	got, err := s.store.AddPart(ctx, id, part)
	if err != nil {
		return rota.Submitted{}, s.outward(err)
	}
	s.loops.making.wake()
	s.hub.changed(id)
	if part.Last {
		s.loops.promoting.wake()
		s.hub.claimable.raise()
	}
	return got, nil
}
