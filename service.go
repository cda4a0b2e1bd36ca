package rota

import (
	"context"
	"io"
	"time"
)

// Service is what users and nodes may ask. In whose name a call is made stands in its context ([WithPrincipal]);
// each method refuses with ErrDenied what the principal's role does not allow.
//
// servicetest.Run is this contract in executable form; the server passes it in-process, api.Client over HTTP.
type Service interface {
	JobService
	BlobService
	AdminService
	NodeService
}

// JobService is for people and programs that have something to run.
type JobService interface {
	// Submit returns when the job is durable.
	Submit(ctx context.Context, s Submission) (Submitted, error)
	// Upload adds a part to a job submitted with More.
	Upload(ctx context.Context, job JobID, part Part) (Submitted, error)
	Job(ctx context.Context, id JobID) (Job, error)
	Jobs(ctx context.Context, q JobQuery) ([]Job, error)
	// Edges are which jobs run, or ran, after which, as far as the caller may see both.
	Edges(ctx context.Context, q EdgeQuery) ([]Edge, error)
	// Task is a task and its earlier attempts, oldest first.
	Task(ctx context.Context, id TaskID) (Task, []Attempt, error)
	Tasks(ctx context.Context, q TaskQuery) ([]Task, error)
	// Samples are what an attempt of a task used over time (D6); attempt 0 is the latest. An attempt that was too short,
	// or of which nobody told, has no points.
	Samples(ctx context.Context, task TaskID, attempt int) (Series, error)
	// Watch returns a job's progress as soon as it differs from what the caller has seen, the job has ended, or the
	// wait (at most a minute) is over.
	Watch(ctx context.Context, job JobID, seen Progress, wait time.Duration) (Progress, error)
	// Output is a piece of a task's output, live while it runs. When there is nothing yet at the offset it returns as
	// soon as there is, the attempt ends, or the wait is over.
	Output(ctx context.Context, q OutputQuery, wait time.Duration) (Output, error)
	// Artifacts are the files that attempts of a job left and that were kept, by task, attempt and name.
	Artifacts(ctx context.Context, q ArtifactQuery) ([]Artifact, error)
	// ReadArtifact is a piece of such a file, and its whole length.
	ReadArtifact(ctx context.Context, try Try, name string, offset int64, max int) ([]byte, int64, error)
	// Why says what keeps a task from starting, what would change that, and when it is expected to start.
	Why(ctx context.Context, id TaskID) (Why, error)
	// Failures are the tasks that are failed and were not dismissed, in groups, the largest first. Of more than FailuresSeen
	// only the newest are looked at.
	Failures(ctx context.Context, q FailureQuery) ([]FailureGroup, error)
	// Usage is what attempts took that ended since a time, and how long they waited, summed up by what is asked for.
	Usage(ctx context.Context, q UsageQuery) ([]UsageRow, error)
	// Operate acts on many tasks; small operations are done when it returns.
	Operate(ctx context.Context, op Operation) (Operation, error)
	Operation(ctx context.Context, id int64) (Operation, error)
}

// BlobService keeps files for jobs.
type BlobService interface {
	// PutBlob keeps a file of b.Size bytes. Bytes that are not those that b.ID says are ErrInvalid. One that is there
	// already is not read again.
	PutBlob(ctx context.Context, b Blob, body io.Reader) (Blob, error)
	Blob(ctx context.Context, id BlobID) (Blob, error)
	// ReadBlob is a piece of a blob, and its whole length.
	ReadBlob(ctx context.Context, id BlobID, offset int64, max int) ([]byte, int64, error)
	// Blobs are blobs, newest first.
	Blobs(ctx context.Context, q BlobQuery) ([]Blob, error)
	// DropBlob lets a blob go. One that a job needs which has not ended, or a schedule, is ErrConflict.
	DropBlob(ctx context.Context, id BlobID) error
}

// AdminService is for people who run Rota itself.
type AdminService interface {
	Status(ctx context.Context) (Status, error)
	Queues(ctx context.Context) ([]Queue, error)
	// ChangeQueue changes settings of a queue, which is made if it is not there yet. They hold for what waits in it too.
	ChangeQueue(ctx context.Context, name string, c QueueChange) (Queue, error)
	// RenameQueue gives a queue, with all that is in it and the schedules that fire into it, another name. The names of the
	// queues that nodes serve are not changed. ErrConflict when there is a queue of that name.
	RenameQueue(ctx context.Context, name, to string) (Queue, error)
	// DropQueue removes a queue. ErrConflict when something in it has not ended; what has ended stays, under its name.
	DropQueue(ctx context.Context, name string) error
	Nodes(ctx context.Context) ([]Node, error)
	// DrainNode asks a node to claim nothing more, to give back what has not started, to let what runs end, and then to
	// end itself. It does not wait for that; asking again changes nothing. A node that does not run is ErrConflict.
	DrainNode(ctx context.Context, name string) error
	// ChangeNode changes settings of a node: the queues that it serves, its labels, what it offers. They hold from its next
	// claim on, over its restarts too.
	ChangeNode(ctx context.Context, name string, c NodeChange) (Node, error)
	// PauseNode asks a node to claim nothing, or to go on, also when it is down: that lasts, over its restarts too. It does
	// not wait.
	PauseNode(ctx context.Context, name string, paused bool) error
	// RemoveNode takes a node that is down or lost off the list; one that comes back is there again. With lost it is said
	// never to come back: what it was running is tried elsewhere, even what was to go on without the store (P8). A node that
	// is up is ErrConflict.
	RemoveNode(ctx context.Context, name string, lost bool) error
	// NodeSamples are what a node and its machine did since a time by the store's clock, as far as it is kept, oldest
	// first (D6).
	NodeSamples(ctx context.Context, node string, since time.Time) ([]NodeSample, error)
	// StoreSamples are what all queues together held since a time by the store's clock, as far as it is kept, oldest first. They
	// are not for who may see some queues only.
	StoreSamples(ctx context.Context, since time.Time) ([]StoreSample, error)
	PutSchedule(ctx context.Context, s Schedule) (Schedule, error)
	Schedules(ctx context.Context) ([]Schedule, error)
	// Schedule is a schedule with its latest fires and alarms.
	Schedule(ctx context.Context, name string) (ScheduleRecord, error)
	// FireSchedule fires a schedule now, also one that rests, and says what became of it. Its next due time stays.
	FireSchedule(ctx context.Context, name string) (Fire, error)
	DropSchedule(ctx context.Context, name string) error
	// PutSecret keeps a secret, of which nobody is shown what it holds; it is the caller's, and given to their jobs.
	PutSecret(ctx context.Context, name, value string) error
	Secrets(ctx context.Context) ([]Secret, error)
	DropSecret(ctx context.Context, name string) error
	// CreateToken makes a token; the answer alone has the secret.
	CreateToken(ctx context.Context, t Token) (Token, error)
	Tokens(ctx context.Context) ([]Token, error)
	DropToken(ctx context.Context, id int64) error
	// Users are all users; to all but admins, who asks.
	Users(ctx context.Context) ([]User, error)
	// PutUser creates a user, or changes one; everybody may change the own password, and who is told of the own
	// jobs' ends. A changed password ends the logins that
	// were made by the one before.
	PutUser(ctx context.Context, name string, c UserChange) (User, error)
	// DropUser removes a user, whose tokens are worthless then.
	DropUser(ctx context.Context, name string) error
	// Login gives a token for a user's name and password, for LoginFor.
	Login(ctx context.Context, name, password string) (Token, error)
	// CreateLink makes a link that lets its bearer in once, in the name of who asks; Redeem gives the token for it.
	CreateLink(ctx context.Context) (Link, error)
	Redeem(ctx context.Context, secret string) (Token, error)
	// Audit is what was changed by whom, newest first.
	Audit(ctx context.Context, q DeedQuery) ([]Deed, error)
}

// NodeService is for nodes.
type NodeService interface {
	// OpenSession registers a node and opens its session. One that is open already, and is this node's, goes on.
	OpenSession(ctx context.Context, o Opening) (Opened, error)
	// Await returns when the session may find work, when one of its attempts is asked to end, when its node is asked to
	// drain, to pause or to go on, or when the wait is over.
	Await(ctx context.Context, id SessionID, wait time.Duration) (News, error)
	Renew(ctx context.Context, r Renewal) (Renewed, error)
	Exchange(ctx context.Context, x Exchange) (Exchanged, error)
	KeepOutput(ctx context.Context, try Try, chunks []Chunk) error
	// KeepArtifact keeps a file that an attempt has left, before its finish. Keeping the same again changes nothing. Bytes
	// that are not those that a.Blob says are ErrInvalid, more than may be kept ErrTooLarge, and an attempt that is not the
	// task's running one is ErrLeaseLost.
	KeepArtifact(ctx context.Context, a Artifact, body io.Reader) error
	// ShowOutput answers a look that Await has told of: at once with what there is, and again when there is something.
	ShowOutput(ctx context.Context, l Look, out Output) error
	Input(ctx context.Context, job JobID, offset int64, max int) ([]byte, int64, error)
	// Program is a piece of the blob that a job runs, and its whole length.
	Program(ctx context.Context, job JobID, offset int64, max int) ([]byte, int64, error)
	CloseSession(ctx context.Context, id SessionID) error
}

// News is why Await returned.
type News struct {
	Ready  bool        `json:"ready,omitempty" doc:"something may have become claimable"`
	Ending []EndingTry `json:"ending,omitempty"`
	Drain  bool        `json:"drain,omitempty" doc:"the node was asked to drain"`
	Pause  *bool       `json:"pause,omitempty" doc:"the node was asked to pause, or, when false, to go on"`
	Looks  []Look      `json:"looks,omitempty" doc:"somebody would see what attempts write; told once each"`
}

// Status is what the server says of itself and of who asks.
type Status struct {
	Version   string    `json:"version"`
	Principal Principal `json:"principal"`
	Store     Identity  `json:"store"`
	Node      string    `json:"node,omitempty" doc:"the node that answered"`
	API       string    `json:"api,omitempty" doc:"address of its API as others reach it, after # the fingerprint of a certificate of its own"`
	Transient bool      `json:"transient,omitempty"`
	Waiting   int       `json:"waiting" doc:"tasks that wait, of all queues"`
	Others    int       `json:"others,omitempty" doc:"of those, tasks that a transient node leaves to the next whole one"`
	Running   int       `json:"running"`
}
