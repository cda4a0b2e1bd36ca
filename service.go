package rota

import (
	"context"
	"time"
)

// Service is what users and nodes may ask. In whose name a call is made stands in its context ([WithPrincipal]);
// each method refuses with ErrDenied what the principal's role does not allow.
//
// servicetest.Run is this contract in executable form; the server passes it in-process, api.Client over HTTP.
type Service interface {
	JobService
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
	// Operate acts on many tasks; small operations are done when it returns.
	Operate(ctx context.Context, op Operation) (Operation, error)
	Operation(ctx context.Context, id int64) (Operation, error)
}

// AdminService is for people who run Rota itself.
type AdminService interface {
	Status(ctx context.Context) (Status, error)
	Queues(ctx context.Context) ([]Queue, error)
	// ChangeQueue changes settings of a queue, which is made if it is not there yet. They hold for what waits in it too.
	ChangeQueue(ctx context.Context, name string, c QueueChange) (Queue, error)
	Nodes(ctx context.Context) ([]Node, error)
	// DrainNode asks a node to claim nothing more, to give back what has not started, to let what runs end, and then to
	// end itself. It does not wait for that; asking again changes nothing. A node that does not run is ErrConflict.
	DrainNode(ctx context.Context, name string) error
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
	PutSchedule(ctx context.Context, s Schedule) (Schedule, error)
	Schedules(ctx context.Context) ([]Schedule, error)
	DropSchedule(ctx context.Context, name string) error
	// CreateToken makes a token; the answer alone has the secret.
	CreateToken(ctx context.Context, t Token) (Token, error)
	Tokens(ctx context.Context) ([]Token, error)
	DropToken(ctx context.Context, id int64) error
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
	// ShowOutput answers a look that Await has told of: at once with what there is, and again when there is something.
	ShowOutput(ctx context.Context, l Look, out Output) error
	Input(ctx context.Context, job JobID, offset int64, max int) ([]byte, int64, error)
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
