package crash_test

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// verdict is all that is known in the end: what was planned and acknowledged, what the store says, what the witness saw.
type verdict struct {
	*machine
	store  *sqlstore.Store
	jobs   []*job
	stored []rota.Job
	facts  map[rota.TaskID]*fact
	strays []crash.Record
	torn   int
	said   map[string]int // complaints, by invariant
}

// fact is what is known of one task.
type fact struct {
	*job
	rota.Task
	tries   []rota.Attempt         // all, by number
	records map[int][]crash.Record // by attempt
}

// judge gathers the facts of a machine whose node is down.
func (m *machine) judge(jobs []*job) *verdict {
	m.Helper()
	store, err := sqlstore.Open(m.ctx, cmp.Or(m.place, m.file("rota/rota.db")), sqlstore.Options{})
	if err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() { store.Close() })
	v := &verdict{machine: m, store: store, jobs: jobs, facts: map[rota.TaskID]*fact{}, said: map[string]int{}}
	v.readStore()
	v.readWitness()
	return v
}

func (v *verdict) readStore() {
	v.Helper()
	byID := map[rota.JobID]*job{}
	for _, j := range v.jobs {
		byID[j.id] = j
	}
	for q := (rota.JobQuery{Max: 1000}); ; {
		page, err := v.store.Jobs(v.ctx, q)
		if err != nil {
			v.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		v.stored = append(v.stored, page...)
		q.Before = page[len(page)-1].ID
	}
	for q := (rota.TaskQuery{Max: 1000}); ; {
		page, err := v.store.Tasks(v.ctx, q)
		if err != nil {
			v.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, task := range page {
			v.facts[task.ID] = v.factOf(task.ID, byID[task.ID.Job()])
		}
		q.After = page[len(page)-1].ID
	}
}

func (v *verdict) factOf(id rota.TaskID, j *job) *fact {
	v.Helper()
	task, tries, err := v.store.Task(v.ctx, id)
	if err != nil {
		v.Fatal(err)
	}
	if task.Number > 0 {
		tries = append(tries, task.Attempt)
	}
	if j == nil {
		j = &job{kind: "never submitted"}
	}
	return &fact{job: j, Task: task, tries: tries, records: map[int][]crash.Record{}}
}

func (v *verdict) readWitness() {
	v.Helper()
	records, torn, err := crash.Read(v.file("witness"))
	if err != nil {
		v.Fatal(err)
	}
	v.torn = torn
	for _, r := range records {
		f := v.facts[r.Task]
		switch {
		case r.Word == crash.Stray:
			v.strays = append(v.strays, r)
		case f == nil:
			v.fail("I5", "attempt %v ran, and the store does not know the task", r.Try)
		default:
			f.records[r.Attempt] = append(f.records[r.Attempt], r)
		}
	}
}

// fail says that an invariant does not hold; the first few times in full.
func (v *verdict) fail(invariant, format string, args ...any) {
	v.Helper()
	const most = 6
	v.said[invariant]++
	switch n := v.said[invariant]; {
	case n <= most:
		v.Errorf(invariant+": "+format, args...)
	case n == most+1:
		v.Errorf("%s: … and more of that", invariant)
	}
}

// sorted are the facts in the order of the tasks, so that complaints come in an order too.
func (v *verdict) sorted() []*fact {
	return slices.SortedFunc(maps.Values(v.facts), func(a, b *fact) int { return cmp.Compare(a.ID, b.ID) })
}

// of is the attempt's record of that kind, if it made one.
func (f *fact) of(attempt int, word string) (crash.Record, bool) {
	for _, r := range f.records[attempt] {
		if r.Word == word {
			return r, true
		}
	}
	return crash.Record{}, false
}

// count is how many of the task's attempts ended so.
func (f *fact) count(outcomes ...rota.Outcome) (n int) {
	for _, a := range f.tries {
		if slices.Contains(outcomes, a.Outcome) {
			n++
		}
	}
	return n
}

// acknowledgedAgain counts jobs whose first acknowledgement did not arrive.
func (v *verdict) acknowledgedAgain() (n int) {
	for _, j := range v.jobs {
		if j.existing {
			n++
		}
	}
	return n
}

// tellFigures says how much was tried.
func (v *verdict) tellFigures(kills int) {
	var attempts, lost, done, returned, failed, begun int
	for _, f := range v.facts {
		attempts += len(f.tries)
		lost += f.count(rota.OutcomeLost)
		returned += f.count(rota.OutcomeReturned)
		begun += len(f.records)
		for _, a := range f.tries {
			if _, ended := f.of(a.Number, crash.End); ended && a.Outcome == rota.OutcomeLost {
				done++
			}
		}
		if f.State == rota.Failed && f.Outcome == rota.OutcomeLost {
			failed++
		}
	}
	var took []time.Duration
	for _, l := range v.lives {
		if isClosed(l.up) {
			took = append(took, l.took)
		}
	}
	slices.Sort(took)
	v.Logf("%d kills (%d of them before the node was up), %d jobs (%d acknowledged when they were already there), %d tasks, %d attempts, "+
		"%d of them seen by the witness, %d lost (%d had done their work), %d given back, %d tasks failed by losses, %d records cut short; up again in %v (median), %v (longest)",
		kills, len(v.lives)-len(took), len(v.jobs), v.acknowledgedAgain(), len(v.facts), attempts, begun, lost, done, returned, failed, v.torn,
		took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
}
