package storetest

import (
	"context"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
)

// Fault is what becomes of a call of a Faulty store.
type Fault uint8

const (
	None Fault = iota // it goes through
	Fail              // it fails before it happens
	Drop              // it happens, and its reply is lost: the caller sees an error
)

// Call is one call of a method of a store.
type Call struct {
	Method string // "Exchange"
	N      int    // the how-manieth call of this method it is, from 1
	Total  int    // the how-manieth call of any, from 1
}

// Faulty is a store whose calls fail, or lose their reply, as its plan says. It is safe for concurrent use.
type Faulty struct {
	store rota.Store
	mu    sync.Mutex
	plan  func(Call) Fault
	err   error
	calls map[string]int
	total int
}

var _ rota.Store = (*Faulty)(nil)

// NewFaulty wraps a store. Without a plan every call goes through.
func NewFaulty(s rota.Store) *Faulty {
	return &Faulty{store: s, calls: map[string]int{}, err: rota.Errorf(rota.ErrUnavailable, "the store does not answer (as the test wishes)")}
}

// Plan says what becomes of each call from now on; nil lets all through. It is asked in the order of the calls, one
// at a time, and must not call the store.
func (f *Faulty) Plan(plan func(Call) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan = plan
}

// Error is what failed calls return from now on, instead of an ErrUnavailable.
func (f *Faulty) Error(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// Calls is how many calls there were of a method, the failed ones included; "" counts all.
func (f *Faulty) Calls(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if method == "" {
		return f.total
	}
	return f.calls[method]
}

// FailNth is a plan that fails the nth call of a method, counted from the store's first; method "" counts all.
func FailNth(method string, n int) func(Call) Fault { return nth(Fail, method, n) }

// DropNth is a plan that loses the reply to the nth call of a method.
func DropNth(method string, n int) func(Call) Fault { return nth(Drop, method, n) }

func nth(fault Fault, method string, n int) func(Call) Fault {
	return func(c Call) Fault {
		if method == "" && c.Total == n || method == c.Method && c.N == n {
			return fault
		}
		return None
	}
}

func (f *Faulty) next(method string) (Fault, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[method]++
	f.total++
	if f.plan == nil {
		return None, f.err
	}
	return f.plan(Call{Method: method, N: f.calls[method], Total: f.total}), f.err
}

// through makes a call, or not, as the plan says.
func through[T any](f *Faulty, method string, call func() (T, error)) (T, error) {
	var none T
	fault, failed := f.next(method)
	if fault == Fail {
		return none, failed
	}
	v, err := call()
	if fault == Drop {
		return none, failed
	}
	return v, err
}

func through0(f *Faulty, method string, call func() error) error {
	_, err := through(f, method, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

type taken[A, B any] struct {
	a A
	b B
}

func through2[A, B any](f *Faulty, method string, call func() (A, B, error)) (A, B, error) {
	v, err := through(f, method, func() (taken[A, B], error) {
		a, b, err := call()
		return taken[A, B]{a, b}, err
	})
	return v.a, v.b, err
}

func (f *Faulty) Submit(ctx context.Context, jobs []rota.NewJob) ([]rota.SubmitResult, error) {
	return through(f, "Submit", func() ([]rota.SubmitResult, error) { return f.store.Submit(ctx, jobs) })
}

func (f *Faulty) AddPart(ctx context.Context, job rota.JobID, part rota.Part) (rota.Submitted, error) {
	return through(f, "AddPart", func() (rota.Submitted, error) { return f.store.AddPart(ctx, job, part) })
}

func (f *Faulty) Input(ctx context.Context, job rota.JobID, offset int64, max int) ([]byte, int64, error) {
	return through2(f, "Input", func() ([]byte, int64, error) { return f.store.Input(ctx, job, offset, max) })
}

func (f *Faulty) Job(ctx context.Context, id rota.JobID) (rota.Job, error) {
	return through(f, "Job", func() (rota.Job, error) { return f.store.Job(ctx, id) })
}

func (f *Faulty) Jobs(ctx context.Context, q rota.JobQuery) ([]rota.Job, error) {
	return through(f, "Jobs", func() ([]rota.Job, error) { return f.store.Jobs(ctx, q) })
}

func (f *Faulty) Task(ctx context.Context, id rota.TaskID) (rota.Task, []rota.Attempt, error) {
	return through2(f, "Task", func() (rota.Task, []rota.Attempt, error) { return f.store.Task(ctx, id) })
}

func (f *Faulty) Tasks(ctx context.Context, q rota.TaskQuery) ([]rota.Task, error) {
	return through(f, "Tasks", func() ([]rota.Task, error) { return f.store.Tasks(ctx, q) })
}

func (f *Faulty) Exchange(ctx context.Context, x rota.Exchange) (rota.Exchanged, error) {
	return through(f, "Exchange", func() (rota.Exchanged, error) { return f.store.Exchange(ctx, x) })
}

func (f *Faulty) OpenSession(ctx context.Context, o rota.Opening) (rota.Opened, error) {
	return through(f, "OpenSession", func() (rota.Opened, error) { return f.store.OpenSession(ctx, o) })
}

func (f *Faulty) Sessions(ctx context.Context) ([]rota.Session, error) {
	return through(f, "Sessions", func() ([]rota.Session, error) { return f.store.Sessions(ctx) })
}

func (f *Faulty) LoseSession(ctx context.Context, id rota.SessionID, beat int64, tolerance rota.Duration) (bool, error) {
	return through(f, "LoseSession", func() (bool, error) { return f.store.LoseSession(ctx, id, beat, tolerance) })
}

func (f *Faulty) Renew(ctx context.Context, rs []rota.Renewal) ([]rota.RenewResult, error) {
	return through(f, "Renew", func() ([]rota.RenewResult, error) { return f.store.Renew(ctx, rs) })
}

func (f *Faulty) Endings(ctx context.Context, id rota.SessionID) ([]rota.EndingTry, error) {
	return through(f, "Endings", func() ([]rota.EndingTry, error) { return f.store.Endings(ctx, id) })
}

func (f *Faulty) CloseSession(ctx context.Context, id rota.SessionID) error {
	return through0(f, "CloseSession", func() error { return f.store.CloseSession(ctx, id) })
}

func (f *Faulty) Operate(ctx context.Context, op rota.Operation) (rota.Operation, error) {
	return through(f, "Operate", func() (rota.Operation, error) { return f.store.Operate(ctx, op) })
}

func (f *Faulty) Operation(ctx context.Context, id int64) (rota.Operation, error) {
	return through(f, "Operation", func() (rota.Operation, error) { return f.store.Operation(ctx, id) })
}

func (f *Faulty) KeepOutput(ctx context.Context, try rota.Try, chunks []rota.Chunk) error {
	return through0(f, "KeepOutput", func() error { return f.store.KeepOutput(ctx, try, chunks) })
}

func (f *Faulty) Output(ctx context.Context, q rota.OutputQuery) (rota.Output, error) {
	return through(f, "Output", func() (rota.Output, error) { return f.store.Output(ctx, q) })
}

func (f *Faulty) KeepArtifact(ctx context.Context, a rota.Artifact) error {
	return through0(f, "KeepArtifact", func() error { return f.store.KeepArtifact(ctx, a) })
}

func (f *Faulty) Artifact(ctx context.Context, try rota.Try, name string) (rota.Artifact, error) {
	return through(f, "Artifact", func() (rota.Artifact, error) { return f.store.Artifact(ctx, try, name) })
}

func (f *Faulty) Artifacts(ctx context.Context, q rota.ArtifactQuery) ([]rota.Artifact, error) {
	return through(f, "Artifacts", func() ([]rota.Artifact, error) { return f.store.Artifacts(ctx, q) })
}

func (f *Faulty) Look(ctx context.Context, l rota.Look) (int64, error) {
	return through(f, "Look", func() (int64, error) { return f.store.Look(ctx, l) })
}

func (f *Faulty) Looks(ctx context.Context, id rota.SessionID) ([]rota.Look, error) {
	return through(f, "Looks", func() ([]rota.Look, error) { return f.store.Looks(ctx, id) })
}

func (f *Faulty) ShowOutput(ctx context.Context, l rota.Look, out rota.Output) error {
	return through0(f, "ShowOutput", func() error { return f.store.ShowOutput(ctx, l, out) })
}

func (f *Faulty) Shown(ctx context.Context, l rota.Look) (rota.Output, error) {
	return through(f, "Shown", func() (rota.Output, error) { return f.store.Shown(ctx, l) })
}

func (f *Faulty) Samples(ctx context.Context, task rota.TaskID, attempt int) (rota.Series, error) {
	return through(f, "Samples", func() (rota.Series, error) { return f.store.Samples(ctx, task, attempt) })
}

func (f *Faulty) NodeSamples(ctx context.Context, node string, since time.Time) ([]rota.NodeSample, error) {
	return through(f, "NodeSamples", func() ([]rota.NodeSample, error) { return f.store.NodeSamples(ctx, node, since) })
}

func (f *Faulty) Oldest(ctx context.Context) (map[string]rota.Oldest, error) {
	return through(f, "Oldest", func() (map[string]rota.Oldest, error) { return f.store.Oldest(ctx) })
}

func (f *Faulty) Edges(ctx context.Context, q rota.EdgeQuery) ([]rota.Edge, error) {
	return through(f, "Edges", func() ([]rota.Edge, error) { return f.store.Edges(ctx, q) })
}

func (f *Faulty) KeepStoreSample(ctx context.Context, x rota.StoreSample) error {
	return through0(f, "KeepStoreSample", func() error { return f.store.KeepStoreSample(ctx, x) })
}

func (f *Faulty) StoreSamples(ctx context.Context, since time.Time) ([]rota.StoreSample, error) {
	return through(f, "StoreSamples", func() ([]rota.StoreSample, error) { return f.store.StoreSamples(ctx, since) })
}

func (f *Faulty) PutSchedule(ctx context.Context, s rota.Schedule) (rota.Schedule, error) {
	return through(f, "PutSchedule", func() (rota.Schedule, error) { return f.store.PutSchedule(ctx, s) })
}

func (f *Faulty) Schedules(ctx context.Context) ([]rota.Schedule, error) {
	return through(f, "Schedules", func() ([]rota.Schedule, error) { return f.store.Schedules(ctx) })
}

func (f *Faulty) DropSchedule(ctx context.Context, name string) error {
	return through0(f, "DropSchedule", func() error { return f.store.DropSchedule(ctx, name) })
}

func (f *Faulty) Schedule(ctx context.Context, name string) (rota.ScheduleRecord, error) {
	return through(f, "Schedule", func() (rota.ScheduleRecord, error) { return f.store.Schedule(ctx, name) })
}

func (f *Faulty) DueSchedules(ctx context.Context, max int) (rota.DueSchedules, error) {
	return through(f, "DueSchedules", func() (rota.DueSchedules, error) { return f.store.DueSchedules(ctx, max) })
}

func (f *Faulty) Fire(ctx context.Context, fs []rota.Firing) ([]rota.FireResult, error) {
	return through(f, "Fire", func() ([]rota.FireResult, error) { return f.store.Fire(ctx, fs) })
}

func (f *Faulty) PutToken(ctx context.Context, t rota.Token) (rota.Token, error) {
	return through(f, "PutToken", func() (rota.Token, error) { return f.store.PutToken(ctx, t) })
}

func (f *Faulty) Post(ctx context.Context, letters []rota.Letter) error {
	return through0(f, "Post", func() error { return f.store.Post(ctx, letters) })
}

func (f *Faulty) TakeLetters(ctx context.Context, most int, hold rota.Duration) ([]rota.Letter, error) {
	return through(f, "TakeLetters", func() ([]rota.Letter, error) { return f.store.TakeLetters(ctx, most, hold) })
}

func (f *Faulty) Delivered(ctx context.Context, ids []int64, further []rota.Letter) error {
	return through0(f, "Delivered", func() error { return f.store.Delivered(ctx, ids, further) })
}

func (f *Faulty) Postpone(ctx context.Context, ids []int64, in rota.Duration, why string) error {
	return through0(f, "Postpone", func() error { return f.store.Postpone(ctx, ids, in, why) })
}

func (f *Faulty) Letters(ctx context.Context, most int) ([]rota.Letter, error) {
	return through(f, "Letters", func() ([]rota.Letter, error) { return f.store.Letters(ctx, most) })
}

func (f *Faulty) PutSecret(ctx context.Context, s rota.Secret) error {
	return through0(f, "PutSecret", func() error { return f.store.PutSecret(ctx, s) })
}

func (f *Faulty) Secrets(ctx context.Context, names []string) ([]rota.Secret, error) {
	return through(f, "Secrets", func() ([]rota.Secret, error) { return f.store.Secrets(ctx, names) })
}

func (f *Faulty) DropSecret(ctx context.Context, name string) error {
	return through0(f, "DropSecret", func() error { return f.store.DropSecret(ctx, name) })
}

func (f *Faulty) Owner(ctx context.Context, id rota.SessionID) (string, error) {
	return through(f, "Owner", func() (string, error) { return f.store.Owner(ctx, id) })
}

func (f *Faulty) Runs(ctx context.Context, node string, job rota.JobID) (bool, error) {
	return through(f, "Runs", func() (bool, error) { return f.store.Runs(ctx, node, job) })
}

func (f *Faulty) Tokens(ctx context.Context, hash string) ([]rota.Token, error) {
	return through(f, "Tokens", func() ([]rota.Token, error) { return f.store.Tokens(ctx, hash) })
}

func (f *Faulty) DropToken(ctx context.Context, id int64) error {
	return through0(f, "DropToken", func() error { return f.store.DropToken(ctx, id) })
}

func (f *Faulty) Queues(ctx context.Context) ([]rota.Queue, error) {
	return through(f, "Queues", func() ([]rota.Queue, error) { return f.store.Queues(ctx) })
}

func (f *Faulty) Standing(ctx context.Context, id rota.TaskID) (rota.Standing, error) {
	return through(f, "Standing", func() (rota.Standing, error) { return f.store.Standing(ctx, id) })
}

func (f *Faulty) Failures(ctx context.Context, q rota.FailureQuery) ([]rota.FailureGroup, error) {
	return through(f, "Failures", func() ([]rota.FailureGroup, error) { return f.store.Failures(ctx, q) })
}

func (f *Faulty) Usage(ctx context.Context, q rota.UsageQuery) ([]rota.UsageRow, error) {
	return through(f, "Usage", func() ([]rota.UsageRow, error) { return f.store.Usage(ctx, q) })
}

func (f *Faulty) RenameQueue(ctx context.Context, name, to string) (rota.Queue, error) {
	return through(f, "RenameQueue", func() (rota.Queue, error) { return f.store.RenameQueue(ctx, name, to) })
}

func (f *Faulty) DropQueue(ctx context.Context, name string) error {
	_, err := through(f, "DropQueue", func() (struct{}, error) { return struct{}{}, f.store.DropQueue(ctx, name) })
	return err
}

func (f *Faulty) ChangeQueue(ctx context.Context, name string, c rota.QueueChange) (rota.Queue, error) {
	return through(f, "ChangeQueue", func() (rota.Queue, error) { return f.store.ChangeQueue(ctx, name, c) })
}

func (f *Faulty) Nodes(ctx context.Context) ([]rota.Node, error) {
	return through(f, "Nodes", func() ([]rota.Node, error) { return f.store.Nodes(ctx) })
}

func (f *Faulty) DrainNode(ctx context.Context, name string) ([]rota.SessionID, error) {
	return through(f, "DrainNode", func() ([]rota.SessionID, error) { return f.store.DrainNode(ctx, name) })
}

func (f *Faulty) PauseNode(ctx context.Context, name string, paused bool) ([]rota.SessionID, error) {
	return through(f, "PauseNode", func() ([]rota.SessionID, error) { return f.store.PauseNode(ctx, name, paused) })
}

func (f *Faulty) ChangeNode(ctx context.Context, name string, c rota.NodeChange) (rota.Node, error) {
	return through(f, "ChangeNode", func() (rota.Node, error) { return f.store.ChangeNode(ctx, name, c) })
}

func (f *Faulty) RemoveNode(ctx context.Context, name string, lost bool) error {
	return through0(f, "RemoveNode", func() error { return f.store.RemoveNode(ctx, name, lost) })
}

func (f *Faulty) Sweep(ctx context.Context, what rota.Sweep) (rota.Swept, error) {
	return through(f, "Sweep", func() (rota.Swept, error) { return f.store.Sweep(ctx, what) })
}

// Notify always goes through: it has no reply to lose.
func (f *Faulty) Notify(n rota.Notice) { f.store.Notify(n) }

func (f *Faulty) Listen(ctx context.Context, hear func(rota.Notice)) error {
	return f.store.Listen(ctx, hear)
}

func (f *Faulty) Identity(ctx context.Context) (rota.Identity, error) {
	return through(f, "Identity", func() (rota.Identity, error) { return f.store.Identity(ctx) })
}

func (f *Faulty) Verify(ctx context.Context) ([]string, error) {
	return through(f, "Verify", func() ([]string, error) { return f.store.Verify(ctx) })
}

// Close always goes through: a test that ends is to leave nothing open.
func (f *Faulty) Close() error { return f.store.Close() }

func (f *Faulty) BeginBlob(ctx context.Context, b rota.Blob) (bool, error) {
	return through(f, "BeginBlob", func() (bool, error) { return f.store.BeginBlob(ctx, b) })
}

func (f *Faulty) EndBlob(ctx context.Context, id rota.BlobID) error {
	return through0(f, "EndBlob", func() error { return f.store.EndBlob(ctx, id) })
}

func (f *Faulty) Blob(ctx context.Context, id rota.BlobID) (rota.Blob, error) {
	return through(f, "Blob", func() (rota.Blob, error) { return f.store.Blob(ctx, id) })
}

func (f *Faulty) Blobs(ctx context.Context, q rota.BlobQuery) ([]rota.Blob, error) {
	return through(f, "Blobs", func() ([]rota.Blob, error) { return f.store.Blobs(ctx, q) })
}

func (f *Faulty) DropBlob(ctx context.Context, id rota.BlobID) error {
	return through0(f, "DropBlob", func() error { return f.store.DropBlob(ctx, id) })
}

func (f *Faulty) GoingBlobs(ctx context.Context) ([]rota.BlobID, error) {
	return through(f, "GoingBlobs", func() ([]rota.BlobID, error) { return f.store.GoingBlobs(ctx) })
}

func (f *Faulty) ForgetBlob(ctx context.Context, id rota.BlobID) error {
	return through0(f, "ForgetBlob", func() error { return f.store.ForgetBlob(ctx, id) })
}

func (f *Faulty) PutUser(ctx context.Context, u rota.User) (rota.User, error) {
	return through(f, "PutUser", func() (rota.User, error) { return f.store.PutUser(ctx, u) })
}

func (f *Faulty) Users(ctx context.Context, name string) ([]rota.User, error) {
	return through(f, "Users", func() ([]rota.User, error) { return f.store.Users(ctx, name) })
}

func (f *Faulty) DropUser(ctx context.Context, name string) error {
	return through0(f, "DropUser", func() error { return f.store.DropUser(ctx, name) })
}

func (f *Faulty) DropLogins(ctx context.Context, user string) error {
	return through0(f, "DropLogins", func() error { return f.store.DropLogins(ctx, user) })
}

func (f *Faulty) RedeemToken(ctx context.Context, hash, next string, lasts rota.Duration) (rota.Token, error) {
	return through(f, "RedeemToken", func() (rota.Token, error) { return f.store.RedeemToken(ctx, hash, next, lasts) })
}

func (f *Faulty) Deeds(ctx context.Context, q rota.DeedQuery) ([]rota.Deed, error) {
	return through(f, "Deeds", func() ([]rota.Deed, error) { return f.store.Deeds(ctx, q) })
}
