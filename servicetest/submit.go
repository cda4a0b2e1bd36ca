package servicetest

import (
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

var submitTests = []contract{
	{"a plain job runs and ends", plainJob},
	{"what is left open gets its default", defaults},
	{"what is wrong is refused and leaves nothing", wrongSubmissions},
	{"the higher priority first, then the older", priorities},
	{"a held job waits for its release", heldJob},
	{"a job does not start before its time", timedJob},
	{"a queue that nobody asks for is left alone", otherQueue},
	{"input comes back as it was sent", uploadedInput},
}

func plainJob(w *world) {
	id := w.kim.submit(run(named("plain")))
	job := w.kim.job(id)
	equal(w, "state after submit", job.Progress.State(), rota.Ready)
	equal(w, "submitter", job.Submitter, "kim")
	equal(w, "name", job.Spec.Name, "plain")
	equal(w, "tasks", job.Tasks, 1)
	m := w.node("one")
	a := m.claimOne()
	equal(w, "claimed", a.Try, rota.Try{Task: rota.PlainTask(id), Attempt: 1})
	equal(w, "argv", a.Spec.Argv, []string{"true"})
	equal(w, "submitter of the claimed", a.Submitter, "kim")
	equal(w, "state when claimed", w.kim.task(a.Task).State, rota.Running)
	m.ends(rota.OutcomeSucceeded, a)
	task := w.kim.task(a.Task)
	equal(w, "state at the end", task.State, rota.Succeeded)
	equal(w, "outcome", task.Outcome, rota.OutcomeSucceeded)
	equal(w, "node", task.Node, "one")
	if task.Exit == nil || *task.Exit != 0 {
		w.Errorf("exit: got %v, want 0", task.Exit)
	}
	if task.Started.IsZero() || task.Ended.Before(task.Started) || task.Started.Before(task.Claimed.Add(-time.Second)) {
		w.Errorf("times do not follow each other: claimed %v, started %v, ended %v", task.Claimed, task.Started, task.Ended)
	}
	job = w.kim.job(id)
	if !job.Progress.Ended() || job.Ended.IsZero() || job.Succeeded != 1 {
		w.Errorf("job at the end: %+v", job)
	}
}

func defaults(w *world) {
	job := w.kim.job(w.kim.submit(rota.Spec{Shell: "true"}))
	equal(w, "queue", job.Spec.Queue, rota.DefaultQueue)
	equal(w, "executor", job.Spec.Executor, rota.ExecutorShell)
	equal(w, "grace", job.Spec.Grace, rota.DefaultGrace)
	a := w.node("one").claimOne()
	equal(w, "retry", a.Retry, rota.DefaultRetry())
	equal(w, "attempts that may be made", a.Limit, 1+rota.DefaultRetries)
}

func wrongSubmissions(w *world) {
	long := strings.Repeat("x", rota.MaxName+1)
	for _, tt := range []struct {
		what string
		sub  rota.Submission
		kind error
	}{
		{"nothing to run", rota.Submission{}, rota.ErrInvalid},
		{"two things to run", rota.Submission{Spec: rota.Spec{Shell: "a", Script: "b"}}, rota.ErrInvalid},
		{"a queue with a space", rota.Submission{Spec: run(queued("a b"))}, rota.ErrInvalid},
		{"a long name", rota.Submission{Spec: run(named(long))}, rota.ErrTooLarge},
		{"an unknown executor", rota.Submission{Spec: run(func(s *rota.Spec) { s.Executor = "magic" })}, rota.ErrInvalid},
		{"an array that runs backwards", rota.Submission{Spec: run(array(5, 1, 0))}, rota.ErrInvalid},
		{"an array that is too large", rota.Submission{Spec: run(array(0, rota.MaxTasks, 0))}, rota.ErrTooLarge},
		{"a limit without an array", rota.Submission{Spec: run(func(s *rota.Spec) { s.Limit = 3 })}, rota.ErrInvalid},
		{"lines of a plain job", rota.Submission{Spec: run(), Lines: []string{"a"}}, rota.ErrInvalid},
		{"no lines", rota.Submission{Spec: run(func(s *rota.Spec) { s.Lines = true })}, rota.ErrInvalid},
		{"our own environment", rota.Submission{Spec: run(environment("ROTA_TASK=1"))}, rota.ErrInvalid},
		{"after a job that is not there", rota.Submission{Spec: run(after(rota.AfterOK, 4711))}, rota.ErrNotFound},
		{"after in an unknown way", rota.Submission{Spec: run(after("perhaps", 1))}, rota.ErrInvalid},
		{"a long key", rota.Submission{Spec: run(), Key: strings.Repeat("k", rota.MaxKey+1)}, rota.ErrTooLarge},
	} {
		_, err := w.kim.Submit(w.kim.ctx, tt.sub)
		w.refused(tt.what, err, tt.kind)
	}
	all, err := w.kim.Jobs(w.kim.ctx, rota.JobQuery{})
	if err != nil || len(all) != 0 {
		w.Errorf("after refusals only: %d jobs, error %v", len(all), err)
	}
}

func priorities(w *world) {
	var ids []rota.JobID
	for _, p := range []int{0, -5, 9, 0, 9} {
		ids = append(ids, w.kim.submit(run(priority(p))))
	}
	m := w.node("one")
	for i, want := range []int{2, 4, 0, 3, 1} {
		if got := m.claimOne().Task.Job(); got != ids[want] {
			w.Errorf("place %d: got job %v, want %v", i, got, ids[want])
		}
	}
}

func heldJob(w *world) {
	id := w.kim.submit(run(held))
	m := w.node("one")
	equal(w, "state", w.kim.job(id).Progress.State(), rota.Held)
	m.idle("the job is held")
	w.kim.operate(rota.ActRelease, jobs(id))
	equal(w, "claimed after release", m.claimOne().Task.Job(), id)
}

func timedJob(w *world) {
	m := w.node("one")
	far := w.kim.submit(run(func(s *rota.Spec) { s.At = time.Now().Add(time.Hour) }))
	equal(w, "state of the far one", w.kim.job(far).Progress.State(), rota.Scheduled)
	at := time.Now().Add(200 * time.Millisecond)
	near := w.kim.submit(run(func(s *rota.Spec) { s.At = at }))
	a := m.claimOne()
	equal(w, "claimed", a.Task.Job(), near)
	if claimed := w.kim.task(a.Task).Claimed; claimed.Before(at.Truncate(time.Microsecond)) {
		w.Errorf("claimed at %v, and its time is %v", claimed, at)
	}
	m.idle("the far one waits")
}

func otherQueue(w *world) {
	w.kim.submit(run(queued("slow")))
	fast := w.kim.submit(run(queued("fast")))
	m := w.node("one")
	m.seq++
	got, err := m.try(rota.Exchange{Seq: m.seq, Claim: rota.Claim{Max: 5, Queues: []string{"f*", "*", "!slow"}}})
	if err != nil || len(got.Claimed) != 1 || got.Claimed[0].Task.Job() != fast {
		w.Errorf("of fast and not slow: got %+v, error %v; want job %v alone", got.Claimed, err, fast)
	}
}

func uploadedInput(w *world) {
	first, second := []byte("a\x00b\xff\n"), []byte("the rest")
	got := w.kim.send(rota.Submission{Spec: run(), Input: first, More: true})
	m := w.node("one")
	m.idle("the upload has not ended")
	if _, err := w.kim.Upload(w.kim.ctx, got.Job, rota.Part{Number: 1, Input: second, Last: true}); err != nil {
		w.Fatal(err)
	}
	if a := m.claimOne(); !a.HasInput {
		w.Error("the claimed task does not say that it has input")
	}
	whole := string(first) + string(second)
	for offset := 0; offset <= len(whole); offset += 3 {
		piece, size, err := m.c.Input(m.c.ctx, got.Job, int64(offset), 4)
		if want := whole[offset:min(offset+4, len(whole))]; err != nil || string(piece) != want || size != int64(len(whole)) {
			w.Errorf("input from %d: got %q of %d, error %v; want %q of %d", offset, piece, size, err, want, len(whole))
		}
	}
}
