package servicetest

import (
	"errors"
	"strings"

	"github.com/rotaqueue/rota"
)

var jobTokenTests = []contract{
	{"S1 a running job submits in its submitter's name", jobSubmits},
	{"S1 a running job sees its children only", jobSees},
	{"S1 the token ends with its attempt", jobTokenEnds},
	{"S1 a token that was altered is refused", alteredJobToken},
}

// within is the Service as a running job has it.
func (w *world) within(a rota.Assignment) *client {
	w.Helper()
	if a.Token == "" {
		w.Fatalf("%v was claimed without a token", a.Try)
	}
	p, err := w.Authenticate(w.Context(), a.Token)
	if err != nil {
		w.Fatalf("the token of %v: %v", a.Try, err)
	}
	if p.Within != a.Task || p.Name != a.Submitter || p.Role != rota.RoleSubmitter {
		w.Errorf("the token of %v is %+v's", a.Try, p)
	}
	return w.as(p)
}

func jobSubmits(w *world) {
	w.kim.submit(run())
	m := w.node("one")
	a := m.claimOne()
	inside := w.within(a)
	child := inside.submit(run(named("child"), environment("A=1")))
	job := w.kim.job(child)
	equal(w, "submitter", job.Submitter, "kim")
	equal(w, "parent", job.Parent, a.Task)
	equal(w, "its own environment", inside.job(child).Spec.Env, []string{"A=1"})
	lines := inside.send(rota.Submission{Spec: run(eachLine), Lines: []string{"a"}, More: true})
	if _, err := inside.Upload(inside.ctx, lines.Job, rota.Part{Number: 1, Lines: []string{"b"}, Last: true}); err != nil {
		w.Errorf("upload to its own child: %v", err)
	}
	equal(w, "children claimed", len(m.claim(3)), 3)
}

func jobSees(w *world) {
	w.kim.submit(run())
	other := w.kim.submit(run(held))
	m := w.node("one")
	a := m.claimOne()
	inside := w.within(a)
	child := inside.submit(run())
	for _, id := range []rota.JobID{other, a.Task.Job()} {
		for what, call := range map[string]func() error{
			"job":       func() error { _, err := inside.Job(inside.ctx, id); return err },
			"task":      func() error { _, _, err := inside.Task(inside.ctx, rota.PlainTask(id)); return err },
			"samples":   func() error { _, err := inside.Samples(inside.ctx, rota.PlainTask(id), 0); return err },
			"watch":     func() error { _, err := inside.Watch(inside.ctx, id, rota.Progress{}, 0); return err },
			"artifacts": func() error { _, err := inside.Artifacts(inside.ctx, rota.ArtifactQuery{Job: id}); return err },
			"artifact": func() error {
				_, _, err := inside.ReadArtifact(inside.ctx, rota.Try{Task: rota.PlainTask(id), Attempt: 1}, "x", 0, 1)
				return err
			},
			"upload": func() error { _, err := inside.Upload(inside.ctx, id, rota.Part{Number: 1}); return err },
			"output": func() error {
				_, err := inside.Output(inside.ctx, rota.OutputQuery{Task: rota.PlainTask(id), Stream: rota.Stdout}, 0)
				return err
			},
		} {
			w.refused(what+" of another job", call(), rota.ErrDenied)
		}
	}
	all, err := inside.Jobs(inside.ctx, rota.JobQuery{})
	if err != nil || len(all) != 1 || all[0].ID != child {
		w.Errorf("jobs: got %+v, error %v; want its child %v alone", all, err, child)
	}
	tasks, err := inside.Tasks(inside.ctx, rota.TaskQuery{})
	if err != nil || len(tasks) != 1 || tasks[0].ID != rota.PlainTask(child) {
		w.Errorf("tasks: got %+v, error %v; want its child's alone", tasks, err)
	}
	_, err = inside.Jobs(inside.ctx, rota.JobQuery{Filter: rota.Filter{Parent: rota.PlainTask(other)}})
	w.refused("another's children", err, rota.ErrDenied)
	within := map[string]bool{"Submit": true, "Upload": true, "Job": true, "Jobs": true, "Task": true, "Tasks": true, "Samples": true, "Watch": true, "Output": true, "Artifacts": true, "ReadArtifact": true, "PutBlob": true, "Blob": true, "Why": true, "Login": true, "Redeem": true}
	for _, method := range methods {
		if !within[method.name] {
			w.refused(method.name+" by a job", method.call(inside), rota.ErrDenied)
		}
	}
}

func jobTokenEnds(w *world) {
	w.kim.submit(run(retries(1)))
	m := w.node("one")
	first := m.claimOne()
	w.within(first)
	m.ends(rota.OutcomeFailed, first)
	refused := func(when string) {
		w.Helper()
		_, err := w.Authenticate(w.Context(), first.Token)
		w.refused("the token of attempt 1 "+when, err, rota.ErrUnauthenticated)
	}
	refused("before the next")
	second := m.claimOne()
	refused("while 2 runs")
	w.within(second)
	m.ends(rota.OutcomeSucceeded, second)
	refused("after all")
	if _, err := w.Authenticate(w.Context(), second.Token); !errors.Is(err, rota.ErrUnauthenticated) {
		w.Errorf("the token of attempt 2 after its end: got %v", err)
	}
}

func alteredJobToken(w *world) {
	w.kim.submit(run())
	w.lee.submit(run())
	m := w.node("one")
	as := m.claim(2)
	mine, others := strings.Split(as[0].Token, "_"), strings.Split(as[1].Token, "_")
	stolen := strings.Join([]string{others[0], others[1], others[2], mine[3]}, "_")
	_, err := w.Authenticate(w.Context(), stolen)
	w.refused("another task with this signature", err, rota.ErrUnauthenticated)
	_, err = w.Authenticate(w.Context(), as[0].Token+"00")
	w.refused("a longer signature", err, rota.ErrUnauthenticated)
}
