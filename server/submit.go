package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/rotaqueue/rota"
)

// Submit stores a job.
func (s *Server) Submit(ctx context.Context, sub rota.Submission) (rota.Submitted, error) {
	p, err := s.allow(ctx, "submit")
	if err == nil {
		err = s.mayBring(p, "submit")
	}
	if err != nil {
		return rota.Submitted{}, err
	}
	if err := s.bringProgram(ctx, p, &sub); err != nil {
		return rota.Submitted{}, err
	}
	if err := s.stamp(p, &sub.Spec); err != nil {
		return rota.Submitted{}, err
	}
	job, err := s.newJob(p, sub)
	if err == nil {
		err = inScope(p, job.Spec.Queue, "submit")
	}
	if err == nil {
		err = s.checkProgram(ctx, &job.Spec)
	}
	if err == nil {
		err = s.checkArtifacts(&job.Spec)
	}
	if err == nil {
		_, err = s.mayUse(ctx, &job.Spec, p.Name)
	}
	if err == nil && job.Home != "" {
		err = s.home.first(ctx, s.store)
	}
	if err != nil {
		return rota.Submitted{}, s.outward(err)
	}
	if p.Remote && p.Within == 0 { // who submits here, or from a job, stands in the job's own row
		ctx = by(ctx, p, "submit", "", "queue "+job.Spec.Queue)
	}
	results, err := s.store.Submit(ctx, []rota.NewJob{job})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		return rota.Submitted{}, s.outward(err)
	}
	got := results[0].Submitted
	if !got.Existing {
		s.came(&job, got.Job)
	}
	return got, nil
}

// newJob completes a submission with all that its submitter left open.
func (s *Server) newJob(p rota.Principal, sub rota.Submission) (rota.NewJob, error) {
	if err := sub.Resolve(); err != nil {
		return rota.NewJob{}, err
	}
	job := rota.NewJob{Submission: sub, Notify: s.opts.Tell.Says(), Submitter: p.Name, Parent: p.Within,
		Retry: sub.Spec.Retry.Or(rota.DefaultRetry()), Home: s.opts.Home}
	if sub.Key == "" {
		return job, nil
	}
	hash, err := hashOf(&sub)
	job.Hash = hash
	return job, err
}

// hashOf tells two submissions with one key apart (P20). Defaults are filled in before, so that leaving one open
// and naming it are the same request. The environment does not count: it is the caller's surroundings, which differ
// from one call to the next.
func hashOf(sub *rota.Submission) (string, error) {
	same := *sub
	same.Spec.Env, same.Spec.Caller = nil, nil
	text, err := json.Marshal(&same)
	if err != nil {
		return "", rota.Invalid("submission: %v", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// came wakes whom a new job concerns.
func (s *Server) came(j *rota.NewJob, id rota.JobID) {
	s.meters.submitted.Inc()
	if j.Home != "" {
		s.home.add(id)
	}
	if j.Spec.Many() {
		s.loops.making.wake()
	}
	if len(j.Spec.After) > 0 {
		s.loops.operating.wake() // what it waits for may have come already, or never will
	}
	if !j.Spec.At.IsZero() {
		s.loops.promoting.wake()
	}
	if !j.More && !j.Spec.Hold { // whatever its time is: only the store's clock knows what is due (P1)
		s.ready()
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
		s.ready()
	}
	return got, nil
}
