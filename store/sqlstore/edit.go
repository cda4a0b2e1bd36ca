package sqlstore

import (
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/rotaqueue/rota"
)

// An edit of many jobs looks at so many of them in one step, and moves so many tasks: each is read, changed and written.
const (
	editJobs  = 200
	editTasks = 1_000
)

// editable adds the conditions under which a job can be changed: it has not ended, and the filter selects it.
func editable(c *condition, f *rota.Filter) error {
	if err := c.job(f); err != nil {
		return err
	}
	c.jobSpans(f)
	c.elements(f)
	c.parts = append(c.parts, "j.tasks_left > 0")
	return nil
}

// edited is a job on its way to another spec.
type edited struct {
	id        rota.JobID
	spec      rota.Spec
	home      rota.SessionID
	submitter string
	tasks     int
	sealed    bool
}

// stepEdit changes a bounded number of jobs, and moves their tasks that wait. The cursor is the last task that was looked at:
// within a job it says that the job itself has been changed.
func (t *tx) stepEdit(op *running) error {
	for _, s := range op.Filter.Tasks {
		if first, last := s.First.Job().Tasks(); s.First != first || s.Last.Job() == first.Job() && s.Last != last {
			return rota.Invalid("%s %v: whole jobs are changed, not tasks of them", op.Act, s.First)
		}
	}
	tasks := 0
	for range editJobs {
		j, found, err := t.nextEdited(op)
		if err != nil {
			return err
		}
		if !found {
			op.Ended = true
			return nil
		}
		if op.cursor < rota.PlainTask(j.id) {
			if done, err := t.editJob(op, &j); err != nil {
				return err
			} else if !done {
				_, op.cursor = j.id.Tasks()
				continue
			}
			op.cursor = rota.PlainTask(j.id) - 1
		}
		n, whole, err := t.editTasks(op, &j)
		if err != nil {
			return err
		}
		if whole {
			_, op.cursor = j.id.Tasks()
		}
		if tasks += n; tasks >= editTasks {
			return nil
		}
	}
	return nil
}

// nextEdited is the job that comes next: one that is half done, or the next that is selected.
func (t *tx) nextEdited(op *running) (j edited, found bool, err error) {
	var c condition
	job := op.cursor.Job()
	if _, last := job.Tasks(); op.cursor > 0 && op.cursor < last {
		c.and("j.id = %s", int64(job))
	} else {
		if err := editable(&c, &op.Filter); err != nil {
			return j, false, err
		}
		c.and("j.id > %s AND j.id <= %s", int64(job), int64(op.Upper.Job()))
	}
	var spec []byte
	found, err = t.one(`SELECT j.id, j.spec, j.submitter, j.tasks, j.sealed, coalesce((SELECT home FROM lane WHERE id = j.lane), '') FROM job j`+
		c.where()+`ORDER BY j.id LIMIT 1 /*pg FOR NO KEY UPDATE OF j */`, c.args, (*int64)(&j.id), &spec, &j.submitter, &j.tasks, &j.sealed, &j.home)
	if err != nil || !found {
		return j, found, err
	}
	return j, true, json.Unmarshal(spec, &j.spec)
}

// editJob changes a job's row, and what the store keeps of it beside. One that cannot be changed so is noted, and left.
func (t *tx) editJob(op *running, j *edited) (bool, error) {
	old := j.spec
	spec, err := op.Edit.Apply(old)
	if err == nil {
		err = t.mayEnter(j, &spec)
	}
	var refused *rota.Error
	if errors.As(err, &refused) {
		if op.Refused++; op.Why == "" {
			op.Why = "job " + j.id.String() + ": " + err.Error()
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	j.spec = spec
	if err := t.rewriteJob(j, &old); err != nil {
		return false, err
	}
	op.Matched++
	op.Done++
	return true, t.editDependencies(j, old.After)
}

// mayEnter refuses what the job's queue does not take, and dependencies that lead back to the job.
func (t *tx) mayEnter(j *edited, to *rota.Spec) error {
	queues, err := t.settledQueues()
	if err != nil {
		return err
	}
	if q := queues[to.Queue]; q != nil {
		entering := *q
		if to.Queue == j.spec.Queue { // it is in already
			entering.Draining = false
		}
		if err := entering.Refuse(to); err != nil {
			return err
		}
	}
	if to.LimitKey != j.spec.LimitKey || to.KeyLimit != j.spec.KeyLimit {
		return rota.Invalid("limit key %q: cannot be changed", to.LimitKey).WithFix("submit it anew: rota again %v", j.id)
	}
	if (to.Limit == 0) != (j.spec.Limit == 0) {
		return rota.Invalid("limit %d: of how many tasks run at once can be changed, but not put or taken away", to.Limit)
	}
	if sameDependencies(j.spec.After, to.After) {
		return nil
	}
	if err := t.resolveDependencies(j.waitingFor(to.After)); err != nil {
		return err
	}
	return t.refuseCycle(j.id, to.After)
}

// waitingFor is the job as one that waits for others when it is submitted: all others are there before it.
func (j *edited) waitingFor(after []rota.Dependency) *newRow {
	spec := rota.Spec{After: after, Array: j.spec.Array, Lines: j.spec.Lines}
	return &newRow{NewJob: &rota.NewJob{Submission: rota.Submission{Spec: spec, More: !j.sealed}}, id: rota.MaxJobID, tasks: j.tasks}
}

func (t *tx) rewriteJob(j *edited, old *rota.Spec) error {
	queues, err := t.settledQueues()
	if err != nil {
		return err
	}
	r := &newRow{NewJob: &rota.NewJob{Submission: rota.Submission{Spec: j.spec}, Submitter: j.submitter}, id: j.id}
	r.Spec.Limit, r.Spec.LimitKey = 0, "" // their gates stay
	r.Spec.Hold = true                    // no turn of its flow is taken here: its tasks take theirs
	if r.lane, err = t.laneFor(laneOf(j.spec.Queue, j.home, &j.spec)); err != nil {
		return err
	}
	if err := t.findPlaces([]*newRow{r}); err != nil {
		return err
	}
	if err := t.editGates(j, r.gates.flow != 0); err != nil {
		return err
	}
	if orderOf(queues[j.spec.Queue]).Flows {
		r.rank = unranked // its tasks get theirs when they come to be ready there
	}
	spec, err := jsonText(&j.spec)
	if err != nil {
		return err
	}
	var labels any
	if len(j.spec.Labels) > 0 {
		if labels, err = jsonText(j.spec.Labels); err != nil {
			return err
		}
	}
	tells, err := t.tells(&j.spec, j.submitter)
	if err != nil {
		return err
	}
	if err := t.reshape(); err != nil { // templates of the job are no longer right
		return err
	}
	p := policyOf(retryIn(queues[j.spec.Queue], j.spec.Retry, rota.DefaultRetry()))
	_, err = t.exec(`UPDATE job SET name = ?2, labels = ?3, spec = ?4, lane = ?5, rank = ?6, priority = ?7, flow = ?8, flow_gate = ?9, run_at = ?10,
		more = ?11 - attempt_limit, retry_first = ?12, retry_cap = ?13, retry_jitter = ?14, max_lost = ?15, lost_fails = ?16,
		notify = CASE WHEN ?17 = 1 THEN 1 ELSE notify END WHERE id = ?1`,
		int64(j.id), j.spec.Name, labels, spec, r.lane, r.rank, j.spec.Priority, r.flow, r.gates.flow, toMicros(j.spec.At),
		p.limit, p.first, p.cap, p.jitter, p.maxLost, p.lostFails, flag(tells))
	if err != nil || j.spec.Limit == old.Limit {
		return err
	}
	return t.editLimit(j)
}

// editTasks brings a job's waiting tasks where its spec now says. What runs, or has ended, stays where it is.
func (t *tx) editTasks(op *running, j *edited) (n int, whole bool, err error) {
	_, last := j.id.Tasks()
	rows, err := t.rows(`WHERE t.id > ?1 AND t.id <= ?2 AND t.state < 5 ORDER BY t.id LIMIT ?3`, int64(op.cursor), int64(last), editTasks)
	if err != nil {
		return 0, false, err
	}
	if len(rows) > 0 {
		op.cursor = rows[len(rows)-1].id
	}
	return len(rows), len(rows) < editTasks, t.replace(rows)
}

// place is where a job's tasks come to stand.
type place struct {
	lane, rank, runAt int64
	flow, flowGate    int64
}

// placesOf are the places of jobs, as their rows have them now.
func (t *tx) placesOf(jobs []rota.JobID) (map[rota.JobID]place, error) {
	all := map[rota.JobID]place{}
	return all, t.query(func(r *sql.Rows) error {
		var id rota.JobID
		var p place
		err := r.Scan((*int64)(&id), &p.lane, &p.rank, &p.runAt, &p.flow, &p.flowGate)
		all[id] = p
		return err
	}, `SELECT id, lane, rank, run_at, flow, flow_gate FROM job WHERE id IN (SELECT value FROM json_each(?1))`, list(jobs))
}

// replace takes tasks that wait out of their lane and puts them into their job's: those that are not held step back, and come
// anew, to where others of that rank stand.
func (t *tx) replace(rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	ids := make([]rota.TaskID, len(rows))
	for i := range rows {
		ids[i] = rows[i].id
	}
	places, err := t.placesOf(jobsOf(ids))
	if err != nil {
		return err
	}
	var back, again []change
	for i := range rows {
		x := &rows[i]
		p := places[x.id.Job()]
		if x.state == rota.Held || x.state == rota.Scheduled && x.attempt > 0 { // waits for somebody, or for its retry
			continue
		}
		back = append(back, change{row: *x, to: rota.Held, limit: x.limit})
		to := change{row: *x, to: rota.Ready, limit: x.limit}
		to.state, to.gate, to.lane, to.rank, to.turn, to.gates.flow = rota.Held, 0, p.lane, p.rank, p.flow, p.flowGate
		switch {
		case x.blockers > 0 || !x.sealed:
			to.to = rota.Blocked
		case p.runAt > t.now && x.attempt == 0:
			to.to, to.runAt = rota.Scheduled, p.runAt
		}
		x.state = rota.Held
		again = append(again, to)
	}
	if err := t.moveHere(back); err != nil {
		return err
	}
	for i := range rows {
		if x := &rows[i]; x.lane != places[x.id.Job()].lane {
			t.count(x.lane, x.state, -1)
			t.count(places[x.id.Job()].lane, x.state, 1)
		}
	}
	t.w.heads = nil
	if _, err := t.exec(`UPDATE task SET lane = j.lane, rank = j.rank, flow = nullif(j.flow, 0), flow_gate = nullif(j.flow_gate, 0)
		FROM job j WHERE j.id = task.id >> 24 AND task.id IN (SELECT value FROM json_each(?1))`, list(ids)); err != nil {
		return err
	}
	return t.moveHere(again)
}

// stray adds a task that goes on, and does not stand in the lane of its job: that was moved while this one ran, or had ended.
func stray(to []row, x *row, state rota.State) []row {
	if state.Ended() || x.lane == x.jobLane {
		return to
	}
	gone := *x
	gone.state, gone.gate = state, x.gateIn(state)
	return append(to, gone)
}

// editGates lets those who have passed a job's gates come to that of a flow, if there is one now.
func (t *tx) editGates(j *edited, further bool) error {
	if !further {
		return nil
	}
	_, err := t.exec(`UPDATE gate SET further = 1 WHERE id IN (SELECT gate FROM job WHERE id = ?1 UNION SELECT key_gate FROM job WHERE id = ?1)`, int64(j.id))
	return err
}

// editLimit gives an array another limit, of how many of its tasks run at once.
func (t *tx) editLimit(j *edited) error {
	var gate int64
	if _, err := t.one(`SELECT gate FROM job WHERE id = ?1`, []any{int64(j.id)}, &gate); err != nil {
		return err
	}
	t.gate(gate, 0)
	_, err := t.exec(`UPDATE gate SET max = ?2 WHERE id = ?1`, gate, j.spec.Limit)
	return err
}

// editDependencies makes a job wait for what its spec now says. What it waited for in vain, or no longer, is forgotten.
func (t *tx) editDependencies(j *edited, old []rota.Dependency) error {
	if sameDependencies(old, j.spec.After) {
		return nil
	}
	job := j.id
	for _, q := range []string{`DELETE FROM dependency WHERE job = ?1`, `DELETE FROM edge WHERE job = ?1`} {
		if _, err := t.exec(q, int64(job)); err != nil {
			return err
		}
	}
	r := j.waitingFor(j.spec.After)
	if err := t.resolveDependencies(r); err != nil {
		return err
	}
	r.id = job
	if _, err := t.exec(`UPDATE job SET blockers = ?2 WHERE id = ?1`, int64(job), r.blockers); err != nil {
		return err
	}
	if err := t.insertDependencies([]*newRow{r}); err != nil {
		return err
	}
	if r.starved != "" {
		return t.starve(job, r.starved)
	}
	return nil // its tasks are put where they belong after this
}

func sameDependencies(a, b []rota.Dependency) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// refuseCycle refuses dependencies that lead back to the job, and names the way.
func (t *tx) refuseCycle(job rota.JobID, after []rota.Dependency) error {
	type step struct {
		at   rota.JobID
		from *step
	}
	var waiting []*step
	seen := map[rota.JobID]bool{}
	for _, d := range after {
		waiting = append(waiting, &step{at: d.Job})
	}
	for len(waiting) > 0 && len(seen) < scanRows {
		s := waiting[0]
		waiting = waiting[1:]
		if s.at == job {
			text := job.String()
			for at := s.from; at != nil; at = at.from {
				text = at.at.String() + " waits for " + text
			}
			return rota.Errorf(rota.ErrConflict, "after: job %v would wait for itself: %v waits for %s", job, job, text).
				WithFix("rota show %v has what it waits for", job)
		}
		if seen[s.at] {
			continue
		}
		seen[s.at] = true
		err := t.query(func(r *sql.Rows) error {
			next := &step{from: s}
			err := r.Scan((*int64)(&next.at))
			waiting = append(waiting, next)
			return err
		}, `SELECT on_job FROM dependency WHERE job = ?1 ORDER BY on_job`, int64(s.at))
		if err != nil {
			return err
		}
	}
	return nil
}
