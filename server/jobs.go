package server

import (
	"context"
	"path"

	"github.com/rotaqueue/rota"
)

// How many an answer to a query holds, at most and when nothing is said.
const (
	maxAnswer     = 1_000
	defaultAnswer = 100
)

// Job is a job. Its environment is left out for all but its submitter and admins.
func (s *Server) Job(ctx context.Context, id rota.JobID) (rota.Job, error) {
	p, err := s.allow(ctx, "job")
	if err != nil {
		return rota.Job{}, err
	}
	job, err := s.readable(ctx, p, id)
	hideEnv(p, &job)
	return job, err
}

// Jobs are the jobs that the query selects, as Job shows them.
func (s *Server) Jobs(ctx context.Context, q rota.JobQuery) ([]rota.Job, error) {
	p, err := s.allow(ctx, "jobs")
	if err == nil {
		err = prepare(p, &q.Filter, &q.Max)
	}
	if err == nil {
		err = s.scope(ctx, p, &q.Filter)
	}
	if err != nil {
		return nil, err
	}
	jobs, err := s.store.Jobs(ctx, q)
	for i := range jobs {
		hideEnv(p, &jobs[i])
	}
	return jobs, s.outward(err)
}

// Task is a task and its earlier attempts, oldest first.
func (s *Server) Task(ctx context.Context, id rota.TaskID) (rota.Task, []rota.Attempt, error) {
	p, err := s.allow(ctx, "task")
	if err == nil && (p.Within != 0 || p.Queues != "") {
		_, err = s.readable(ctx, p, id.Job())
	}
	if err != nil {
		return rota.Task{}, nil, err
	}
	task, earlier, err := s.store.Task(ctx, id)
	return task, earlier, s.outward(err)
}

// Tasks are the tasks that the query selects.
func (s *Server) Tasks(ctx context.Context, q rota.TaskQuery) ([]rota.Task, error) {
	p, err := s.allow(ctx, "tasks")
	if err == nil {
		err = prepare(p, &q.Filter, &q.Max)
	}
	if err == nil {
		err = s.scope(ctx, p, &q.Filter)
	}
	if err != nil {
		return nil, err
	}
	tasks, err := s.store.Tasks(ctx, q)
	return tasks, s.outward(err)
}

// readable is a job that the principal may look at, whole.
func (s *Server) readable(ctx context.Context, p rota.Principal, id rota.JobID) (rota.Job, error) {
	job, err := s.store.Job(ctx, id)
	if err != nil {
		return rota.Job{}, s.outward(err)
	}
	if err := maySee(p, &job); err != nil {
		return rota.Job{}, err
	}
	return job, nil
}

// hideEnv takes the environment out of a job that is not the principal's, names and all.
func hideEnv(p rota.Principal, job *rota.Job) {
	if !seesEnv(p, job.Submitter) {
		job.Spec.Env = nil
	}
}

// prepare refuses a query that makes no sense and bounds its answer.
func prepare(p rota.Principal, f *rota.Filter, most *int) error {
	if *most < 0 {
		return rota.Invalid("at most %d: not a number of answers", *most)
	}
	if *most == 0 {
		*most = defaultAnswer
	}
	*most = min(*most, maxAnswer)
	if err := checkFilter(f); err != nil {
		return err
	}
	return narrow(p, f)
}

// checkFilter refuses a filter that can never be meant so.
func checkFilter(f *rota.Filter) error {
	for _, span := range f.Tasks {
		if span.First < 0 || span.Last < span.First {
			return rota.Invalid("tasks %v to %v: the range runs backwards", span.First, span.Last)
		}
	}
	for _, state := range f.States {
		if state.String() == "" {
			return rota.Invalid("state %d: not a state", state)
		}
	}
	if _, err := path.Match(f.Name, ""); err != nil {
		return rota.Invalid("name %q: not a pattern; * stands for any text and ? for one character", f.Name)
	}
	return nil
}
