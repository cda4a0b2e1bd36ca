package servicetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
)

var failureTests = []contract{
	{"D14 what failed alike is one group, and can be acted on", failedAlike},
	{"D14 failures by queue, name and node", failedBy},
}

// fails runs one task of a new job to its failure, for a reason.
func (m *machine) fails(w *world, reason string, changes ...func(*rota.Spec)) rota.JobID {
	w.Helper()
	id := w.kim.submit(run(append(changes, retries(0))...))
	f := finish(m.claimOne().Try, rota.OutcomeFailed)
	f.Reason, f.Error, _ = strings.Cut(reason, ": ")
	m.exchange(0, f)
	return id
}

func failedAlike(w *world) {
	m := w.node("one")
	var alike []rota.JobID
	for i := range 3 {
		alike = append(alike, m.fails(w, fmt.Sprintf("exit code 1: no user %d", 100+i)))
	}
	other := m.fails(w, "exit code 2: disk full")
	groups, err := w.viewer.Failures(w.viewer.ctx, rota.FailureQuery{})
	if err != nil || len(groups) != 2 {
		w.Fatalf("%+v, error %v", groups, err)
	}
	g := groups[0]
	equal(w, "failed alike", g.Count, 3)
	equal(w, "the latest", g.Task, rota.PlainTask(alike[2]))
	op := w.kim.operate(rota.ActRetry, rota.Filter{States: []rota.State{rota.Failed}, Error: g.Key})
	equal(w, "tried again", op.Done, 3)
	equal(w, "what failed otherwise", w.kim.job(other).Progress.State(), rota.Failed)
	jobs, err := w.viewer.Jobs(w.viewer.ctx, rota.JobQuery{Filter: rota.Filter{Error: groups[1].Key, States: []rota.State{rota.Failed}}})
	if err != nil || len(jobs) != 1 || jobs[0].ID != other {
		w.Errorf("jobs by error: %+v, error %v", jobs, err)
	}
}

func failedBy(w *world) {
	m := w.node("one")
	m.fails(w, "exit code 1", named("a"))
	m.fails(w, "exit code 1", named("b"), queued("q"))
	for by, want := range map[rota.By][]string{rota.ByQueue: {"default", "q"}, rota.ByName: {"a", "b"}, rota.ByNode: {"one"}} {
		groups, err := w.viewer.Failures(w.viewer.ctx, rota.FailureQuery{By: by})
		if err != nil {
			w.Fatal(err)
		}
		var got []string
		for _, g := range groups {
			got = append(got, g.Key)
		}
		slices.Sort(got)
		equal(w, string(by), got, want)
	}
	if tasks, err := w.viewer.Tasks(w.viewer.ctx, rota.TaskQuery{Filter: rota.Filter{Node: "two"}}); err != nil || len(tasks) != 0 {
		w.Errorf("of another node: %+v, error %v", tasks, err)
	}
	_, err := w.viewer.Failures(w.viewer.ctx, rota.FailureQuery{By: "colour"})
	w.refused("by colour", err, rota.ErrInvalid)
}
