package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/rotaqueue/rota"
)

// Submit stores jobs in one commit, in which other writes may be, too.
func (s *Store) Submit(ctx context.Context, jobs []rota.NewJob) ([]rota.SubmitResult, error) {
	sub := &submission{jobs: jobs}
	if err := s.commit(ctx, &s.commits, &write{what: "submit", sub: sub}); err != nil {
		return nil, err
	}
	return sub.results, nil
}

// submitTogether stores the jobs of several submits.
func (t *tx) submitTogether(some []*write) error {
	if len(some) == 1 {
		sub := some[0].sub
		results, err := t.submit(sub.jobs)
		sub.results = results
		return err
	}
	var jobs []rota.NewJob
	for _, w := range some {
		jobs = append(jobs, w.sub.jobs...)
	}
	results, err := t.submit(jobs)
	if err != nil {
		return err
	}
	for _, w := range some {
		n := len(w.sub.jobs)
		w.sub.results, results = results[:n:n], results[n:]
	}
	return nil
}

// remember keeps what the job's assignments will say, once the job is stored. One that is not stored after all must not be
// remembered: a database that recovers gives its id again, and another node may have it.
func (t *tx) remember(r *newRow) {
	if r.More { // its input is still to come
		t.s.templates.drop(r.id)
		return
	}
	a := rota.Assignment{Spec: &r.Spec, Submitter: r.Submitter, Retry: r.Retry, HasInput: len(r.Input) > 0}
	t.learned = append(t.learned, learned{r.id, template{a, r.lane, r.gates, r.flow, r.notify, t.w.shape}})
}

// newRow is a job on its way into its row.
type newRow struct {
	*rota.NewJob
	id       rota.JobID
	lane     int64
	gates    gates
	flow     int64
	rank     int64
	tasks    int
	notify   bool // somebody is told of its end
	blockers int
	starved  string // it can never run, because of this
	spec     string
	labels   any
}

func (t *tx) submit(jobs []rota.NewJob) ([]rota.SubmitResult, error) {
	results := make([]rota.SubmitResult, len(jobs))
	same, err := t.knownKeys(jobs, results)
	if err != nil {
		return nil, err
	}
	var rows []*newRow
	var at []int // of each row, its job's place
	for i := range jobs {
		if _, again := same[i]; !again && results[i].Job == 0 && results[i].Err == nil {
			rows, at = append(rows, &newRow{NewJob: &jobs[i]}), append(at, i)
		}
	}
	if err := t.nameJobs(rows); err != nil {
		return nil, err
	}
	good := rows[:0]
	for i, r := range rows {
		result := &results[at[i]]
		if err := t.admit(r, result); err != nil {
			return nil, err
		}
		if result.Err == nil && result.Job == 0 {
			result.Submitted = rota.Submitted{Job: r.id, Tasks: r.tasks}
			good = append(good, r)
		}
	}
	rows = good
	answerSame(jobs, results, same)
	for _, step := range []func([]*newRow) error{t.prepareRows, t.insertJobs, t.insertKeys, t.insertUploads,
		t.insertPlainTasks, t.insertDependencies, t.starveNew} {
		if len(rows) == 0 {
			break
		}
		if err := step(rows); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// knownKeys answers the submissions whose key was used before. Of those that share a key within this call it leaves
// the first; same maps the others to it.
func (t *tx) knownKeys(jobs []rota.NewJob, results []rota.SubmitResult) (same map[int]int, err error) {
	type key struct{ submitter, key string }
	first := map[key]int{}
	var wanted [][2]string
	for i := range jobs {
		k := key{jobs[i].Submitter, jobs[i].Key}
		if k.key == "" {
			continue
		}
		if at, twice := first[k]; twice {
			if same == nil {
				same = map[int]int{}
			}
			same[i] = at
			continue
		}
		first[k] = i
		wanted = append(wanted, [2]string{k.submitter, k.key})
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	arg, err := json.Marshal(wanted)
	if err != nil {
		return nil, err
	}
	return same, t.query(func(r *sql.Rows) error {
		var k key
		var hash string
		var job int64
		var tasks sql.NullInt64
		if err := r.Scan(&k.submitter, &k.key, &hash, &job, &tasks); err != nil {
			return err
		}
		i := first[k]
		if hash != jobs[i].Hash {
			results[i].Err = keyReused(k.key, rota.JobID(job))
			return nil
		}
		results[i].Submitted = rota.Submitted{Job: rota.JobID(job), Tasks: int(tasks.Int64), Existing: true}
		return nil
	}, `SELECT k.submitter, k.key, k.hash, k.job, j.tasks FROM json_each(?1) w
		JOIN submission_key k ON k.submitter = w.value->>0 AND k.key = w.value->>1 LEFT JOIN job j ON j.id = k.job`, string(arg))
}

func keyReused(key string, job rota.JobID) error {
	return rota.Errorf(rota.ErrKeyReused, "submit: key %q was used for job %d, which is another request", key, job).
		WithFix("use another key, or none")
}

// answerSame gives those that share a key with another of the call that one's answer.
func answerSame(jobs []rota.NewJob, results []rota.SubmitResult, same map[int]int) {
	for i, at := range same {
		results[i] = results[at]
		if results[i].Err != nil {
			continue
		}
		results[i].Existing = true
		if jobs[i].Hash != jobs[at].Hash {
			results[i] = rota.SubmitResult{Err: keyReused(jobs[i].Key, results[at].Job)}
		}
	}
}

// admit refuses a job that its queue does not take, that waits for what is not there, or that is like one before; or it
// answers it with that one.
func (t *tx) admit(r *newRow, result *rota.SubmitResult) error {
	queues, err := t.settledQueues()
	if err != nil {
		return err
	}
	q := queues[r.Spec.Queue]
	if q != nil {
		if result.Err = q.Refuse(&r.Spec); result.Err != nil {
			return nil
		}
		r.Retry = retryIn(q, r.Spec.Retry, r.Retry)
	}
	if r.notify, err = t.tells(&r.Spec, r.Submitter); err != nil {
		return err
	}
	r.notify = r.notify || r.Notify
	if err = t.resolveDependencies(r); err == nil {
		err = t.useBlob(r.Spec.Blob, holderOfJob(r.id))
	}
	var refused *rota.Error
	if errors.As(err, &refused) {
		result.Err = err
		return nil
	} else if err != nil {
		return err
	}
	other, err := t.claimIdentity(r, q)
	if err != nil || other == 0 {
		return err
	}
	if err := t.releaseBlobs(holderOfJob(r.id)); err != nil {
		return err
	}
	return t.repeated(r, q, other, result)
}

// nameJobs gives the jobs their ids.
func (t *tx) nameJobs(rows []*newRow) error {
	if len(rows) == 0 {
		return nil
	}
	first, err := t.next("job", len(rows))
	for i, r := range rows {
		r.id = rota.JobID(first + int64(i))
		r.tasks = 1
		if r.Spec.Array != nil {
			r.tasks = r.Spec.Array.Len()
		} else if r.Spec.Lines {
			r.tasks = len(r.Lines)
		}
	}
	return err
}

// prepareRows finds each job's lane and gate and writes its spec.
func (t *tx) prepareRows(rows []*newRow) (err error) {
	for _, r := range rows {
		if r.lane, err = t.laneFor(laneOf(r.Spec.Queue, r.Home, &r.Spec)); err != nil {
			return err
		}
	}
	if err := t.findPlaces(rows); err != nil {
		return err
	}
	for _, r := range rows {
		spec, err := json.Marshal(&r.Spec)
		if err != nil {
			return err
		}
		r.spec = string(spec)
		t.remember(r)
		if len(r.Spec.Labels) > 0 {
			labels, err := json.Marshal(r.Spec.Labels)
			if err != nil {
				return err
			}
			r.labels = string(labels)
		}
	}
	return nil
}

func (t *tx) insertJobs(rows []*newRow) error {
	return t.insert(`INSERT INTO job (id, name, submitter, submit_key, parent, schedule, labels, spec, lane, rank, priority, gate, key_gate, flow, flow_gate, run_at, held,
		blockers, attempt_limit, retry_first, retry_cap, retry_jitter, max_lost, lost_fails, many, sealed, touched, input, tasks, made, tasks_left,
		submitted, notify)`, 33, len(rows), func(i int) []any {
		r := rows[i]
		return []any{int64(r.id), r.Spec.Name, r.Submitter, nullText(r.Key), int64(r.Parent), r.Schedule, r.labels, r.spec, r.lane,
			r.rank, r.Spec.Priority, r.gates.array, r.gates.key, r.flow, r.gates.flow, toMicros(r.Spec.At), flag(r.Spec.Hold), r.blockers, *r.Retry.Count + 1, r.Retry.First.Micros(),
			r.Retry.Cap.Micros(), jitterOf(r.Retry), *r.Retry.MaxLost, flag(r.Retry.OnLost == rota.LostFail), flag(r.Spec.Many()), flag(!r.More), t.now,
			len(r.Input), r.tasks, flag(!r.Spec.Many()), r.tasks, t.now, flag(r.notify)}
	})
}

func nullText(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (t *tx) insertKeys(rows []*newRow) error {
	var keyed []*newRow
	for _, r := range rows {
		if r.Key != "" {
			keyed = append(keyed, r)
		}
	}
	// A key that somebody else has stored meanwhile is not inserted: that is tried again, and found.
	return t.insert(`INSERT INTO submission_key (submitter, key, hash, job, at)`, 5, len(keyed),
		func(i int) []any {
			return []any{keyed[i].Submitter, keyed[i].Key, keyed[i].Hash, int64(keyed[i].id), t.now}
		}, `ON CONFLICT DO NOTHING`)
}

func (t *tx) insertUploads(rows []*newRow) error {
	for _, r := range rows {
		if err := t.insertLines(r.id, 1, r.Lines); err != nil {
			return err
		}
		if err := t.insertInput(r.id, 0, r.Input); err != nil {
			return err
		}
	}
	return nil
}

// insertLines stores lines, the first of which is for the element with that index.
func (t *tx) insertLines(job rota.JobID, index int, lines []string) error {
	return t.insert(`INSERT INTO line (task, text)`, 2, len(lines),
		func(i int) []any { return []any{int64(rota.Element(job, index+i)), lines[i]} })
}

func (t *tx) insertInput(job rota.JobID, start int64, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	return t.expect(1, `INSERT INTO input (job, start, data) VALUES (?1, ?2, ?3)`, int64(job), start, data)
}

// insertPlainTasks makes the tasks of jobs that have just one.
func (t *tx) insertPlainTasks(rows []*newRow) error {
	plain := 0
	for _, r := range rows {
		if !r.Spec.Many() {
			plain++
		}
	}
	first, last := rows[0].id, rows[len(rows)-1].id
	err := t.expect(plain, `INSERT INTO task (id, lane, state, gate, rank, attempt, attempt_limit, run_at, flow, flow_gate)
		SELECT id << 24, lane, `+firstState+`, `+firstGate+`, rank, 0, attempt_limit, `+firstTime+`, nullif(flow, 0), nullif(flow_gate, 0)
		FROM job WHERE id BETWEEN ?1 AND ?2 AND many = 0`, int64(first), int64(last), t.now)
	for _, r := range rows {
		if !r.Spec.Many() {
			to := t.firstStateOf(r)
			t.count(r.lane, to, 1)
			if to == rota.Ready {
				t.gate(r.gates.first(), 0)
			}
		}
	}
	return err
}

// A task begins held if that was asked for, or its upload is not complete; else blocked, while its job waits for
// another; else scheduled, until its time has come (?3: now); else ready.
const (
	firstState = `CASE WHEN held = 1 THEN 3 WHEN blockers > 0 OR sealed = 0 THEN 1 WHEN run_at > ?3 THEN 2 ELSE 4 END`
	firstTime  = `CASE WHEN run_at > ?3 THEN run_at END`
	// A plain job has no gate of its own.
	firstGate = `CASE WHEN ` + firstState + ` = 4 THEN CASE WHEN key_gate <> 0 THEN key_gate ELSE flow_gate END ELSE 0 END`
)

func (t *tx) firstStateOf(r *newRow) rota.State {
	switch {
	case r.Spec.Hold:
		return rota.Held
	case r.blockers > 0 || r.More:
		return rota.Blocked
	case toMicros(r.Spec.At) > t.now:
		return rota.Scheduled
	}
	return rota.Ready
}

// AddPart adds a further part of a job's lines or input.
func (s *Store) AddPart(ctx context.Context, id rota.JobID, p rota.Part) (rota.Submitted, error) {
	return written(ctx, s, "upload", func(t *tx) (rota.Submitted, error) { return t.addPart(id, p) })
}

func (t *tx) addPart(id rota.JobID, p rota.Part) (rota.Submitted, error) {
	var parts, sealed, tasks, many int
	var input int64
	found, err := t.one(`SELECT parts, sealed, tasks, many, input FROM job WHERE id = ?1 AND removing = 0 /*pg FOR NO KEY UPDATE */`,
		[]any{int64(id)}, &parts, &sealed, &tasks, &many, &input)
	if err != nil {
		return rota.Submitted{}, err
	}
	out := rota.Submitted{Job: id, Tasks: tasks}
	switch {
	case !found:
		return out, noJob(id)
	case p.Number <= parts:
		return out, nil // it came before
	case sealed == 1:
		return out, rota.Errorf(rota.ErrConflict, "job %d: its upload is complete", id)
	case p.Number != parts+1:
		return out, rota.Errorf(rota.ErrConflict, "job %d: part %d came, and part %d is next", id, p.Number, parts+1)
	case tasks+len(p.Lines) > rota.MaxTasks:
		return out, rota.Errorf(rota.ErrTooLarge, "job %d: more than %d lines", id, rota.MaxTasks)
	case input+int64(len(p.Input)) > rota.MaxInput:
		return out, rota.Errorf(rota.ErrTooLarge, "job %d: more than %d bytes of standard input", id, rota.MaxInput).
			WithFix("write it to a file and use --stdin FILE")
	case p.Last && tasks+len(p.Lines) == 0:
		return out, rota.Errorf(rota.ErrInvalid, "job %d: no lines came", id).WithFix("rota cancel %d", id)
	case many == 0 && len(p.Lines) > 0, many == 1 && len(p.Input) > 0:
		return out, rota.Errorf(rota.ErrInvalid, "job %d: takes no such part", id)
	}
	if err := t.insertLines(id, tasks+1, p.Lines); err != nil {
		return out, err
	}
	if err := t.insertInput(id, input, p.Input); err != nil {
		return out, err
	}
	out.Tasks += len(p.Lines)
	if p.Last {
		if err := t.resolveUpload(id, out.Tasks); err != nil {
			return out, err
		}
	}
	_, err = t.exec(`UPDATE job SET parts = ?2, tasks = tasks + ?3, tasks_left = tasks_left + ?3, input = input + ?4, sealed = ?5,
		touched = ?6 WHERE id = ?1`, int64(id), p.Number, len(p.Lines), len(p.Input), flag(p.Last), t.now)
	if err != nil || !p.Last || many == 1 {
		return out, err
	}
	return out, t.seal(id)
}

// seal lets a plain job go whose upload is complete: its task was blocked until now.
func (t *tx) seal(id rota.JobID) error {
	_, err := t.operate(rota.Operation{Act: rota.ActUnblock, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(id)}}})
	return err
}

// Input is a piece of a job's uploaded standard input.
func (s *Store) Input(ctx context.Context, id rota.JobID, offset int64, max int) ([]byte, int64, error) {
	var total int64 = -1
	err := s.query(ctx, func(r *sql.Rows) error { return r.Scan(&total) }, `SELECT input FROM job WHERE id = ?1`, int64(id))
	if err == nil && total < 0 {
		err = noJob(id)
	}
	if err != nil {
		return nil, 0, err
	}
	var out []byte
	err = s.query(ctx, func(r *sql.Rows) error {
		var start int64
		var data []byte
		if err := r.Scan(&start, &data); err != nil {
			return err
		}
		if skip := offset + int64(len(out)) - start; skip >= 0 && skip < int64(len(data)) && len(out) < max {
			out = append(out, data[skip:]...)
		}
		return nil
	}, `SELECT start, data FROM input WHERE job = ?1 AND start > ?2 AND start < ?3 ORDER BY start`,
		int64(id), offset-rota.MaxPartBytes, offset+int64(max))
	return out[:min(len(out), max)], total, err
}

func noJob(id rota.JobID) error {
	return rota.Errorf(rota.ErrNotFound, "job %d: there is none, or it is no longer kept", id).WithFix("rota ls --all")
}

// keyAge is how long a key is kept at least.
const keyAge = 24 * time.Hour
