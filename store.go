package rota

import (
	"context"
	"time"
)

// Store is what the server keeps. Every method is one transaction (or a bounded number of them, where it says so)
// that is durable when it returns; none exceeds 5,000 rows or about 50 ms (P18). A write depends on its arguments,
// the store's clock and what is stored, on nothing else, so that its calls can be logged and replayed.
//
// Errors are of the root's kinds. Where a method takes a slice, what is expected to go wrong with one item is told
// per item and does not touch the others; an unexpected error means that nothing of the call is stored (P6). A
// store knows no permissions: whoever holds it may do everything.
//
// storetest.Run is this contract in executable form.
type Store interface {
	JobStore
	TaskStore
	SessionStore
	OperationStore
	OutputStore
	ArtifactStore
	LookStore
	SampleStore
	ScheduleStore
	TokenStore
	OutboxStore
	SecretStore
	BlobStore
	UserStore

	// Queues are all queues with their counts, without Oldest.
	Queues(ctx context.Context) ([]Queue, error)
	// Oldest says for each queue in which something could start which job has waited longest.
	Oldest(ctx context.Context) (map[string]Oldest, error)
	// ChangeQueue changes settings of a queue, which is made if it is not there yet. What waits in it is claimed under the
	// new ones. Settings that contradict each other are ErrInvalid.
	ChangeQueue(ctx context.Context, name string, c QueueChange) (Queue, error)
	// RenameQueue gives a queue, and all that is in it, another name. ErrConflict when there is a queue of that name.
	RenameQueue(ctx context.Context, name, to string) (Queue, error)
	// DropQueue removes a queue. ErrConflict when something in it has not ended; what has ended stays, under its name.
	DropQueue(ctx context.Context, name string) error
	Nodes(ctx context.Context) ([]Node, error)
	// DrainNode notes that a node is to drain, which renewals tell its sessions until it opens a new one with Sole, and
	// returns those that are open. ErrNotFound when there is no such node, ErrConflict when none of its sessions is open.
	DrainNode(ctx context.Context, name string) ([]SessionID, error)
	// PauseNode notes whether a node is to claim anything, which openings and renewals tell it until it is noted otherwise,
	// and returns its sessions that are open. ErrNotFound when there is no such node.
	PauseNode(ctx context.Context, name string, paused bool) ([]SessionID, error)
	// ChangeNode changes settings of a node, which hold from its next claim on, and returns it as it then is. ErrNotFound
	// when there is no such node.
	ChangeNode(ctx context.Context, name string, c NodeChange) (Node, error)
	// RemoveNode forgets a node. ErrConflict when a session of it is open; and, unless it is lost for good, when something
	// still goes on in a session that was lost. With lost, that is for SweepRescue from now on, whatever it tolerates.
	RemoveNode(ctx context.Context, name string, lost bool) error

	// Sweep does one bounded step of the store's own upkeep. It is to be called again while it says More, and again
	// at Next.
	Sweep(ctx context.Context, what Sweep) (Swept, error)

	// Notify tells the other servers of the store something. It returns at once; what comes at the same time is told
	// together.
	Notify(n Notice)
	// Listen hears what the other servers tell, until ctx ends, and then returns nil. Whenever something may have been
	// missed, as at its beginning, all notices there are come.
	Listen(ctx context.Context, hear func(Notice)) error

	// Identity is who the store is and what time it has.
	Identity(ctx context.Context) (Identity, error)
	// Verify compares what is kept twice (counters, gates, dependents) with a real count and reports each difference
	// in a sentence. It changes nothing.
	Verify(ctx context.Context) ([]string, error)
	Close() error
}

// JobStore keeps jobs.
type JobStore interface {
	// Submit stores jobs. A plain job's task is made at once; those of arrays and lines are made by SweepMake. A job
	// whose key its submitter has used before is answered with the earlier job, or ErrKeyReused when the hash of the
	// request differs (P20). A dependency on a job that is not there is ErrNotFound (P15); limits beyond what the queue
	// allows are ErrTooLarge (D6).
	Submit(ctx context.Context, jobs []NewJob) ([]SubmitResult, error)
	// AddPart adds a further part to a job that was submitted with More. A part that came before changes nothing;
	// one out of order, or for a sealed job, is ErrConflict.
	AddPart(ctx context.Context, job JobID, part Part) (Submitted, error)
	// Input is a piece of a job's uploaded standard input, and its whole length.
	Input(ctx context.Context, job JobID, offset int64, max int) ([]byte, int64, error)
	Job(ctx context.Context, id JobID) (Job, error)
	Jobs(ctx context.Context, q JobQuery) ([]Job, error)
	// Edges are which jobs run after which.
	Edges(ctx context.Context, q EdgeQuery) ([]Edge, error)
}

// NewJob is a submission with what the server knows of it.
type NewJob struct {
	Submission
	Submitter string
	Parent    TaskID
	Schedule  string
	Hash      string    // of the canonical request, for the key
	Retry     Retry     // as resolved: no field open
	Notify    bool      // the server tells somebody of its end
	Home      SessionID // claimed only by this transient node's session while it lives; empty: by any (P27)
}

// SubmitResult is the answer for one job of a Submit.
type SubmitResult struct {
	Submitted
	Err error
}

// TaskStore keeps tasks and moves them.
type TaskStore interface {
	// Task is a task and its earlier attempts, oldest first.
	Task(ctx context.Context, id TaskID) (Task, []Attempt, error)
	Tasks(ctx context.Context, q TaskQuery) ([]Task, error)
	// Standing is what keeps a task where it is, and what is known of how long such tasks take.
	Standing(ctx context.Context, id TaskID) (Standing, error)
	// Failures are the tasks that are failed and were not dismissed, in groups, the largest first. Of more than FailuresSeen
	// only the newest are looked at.
	Failures(ctx context.Context, q FailureQuery) ([]FailureGroup, error)
	// Usage is what attempts took that ended since a time, and how long they waited, summed up by what is asked for.
	Usage(ctx context.Context, q UsageQuery) ([]UsageRow, error)
	// Exchange finishes and claims; see the type. It fails with ErrLeaseLost when the session is lost or closed and
	// it asked to claim; finishes of a lost session are recorded while the attempt is still its (P3). A Seq that is
	// neither the session's last nor the next is ErrConflict.
	Exchange(ctx context.Context, x Exchange) (Exchanged, error)
}

// SessionStore keeps nodes and their sessions.
type SessionStore interface {
	// OpenSession registers a node and opens its session. A name that belongs to another key is ErrConflict, unless it is
	// taken by Force, and a Token that belongs to another node ErrDenied. With Sole, the node's other sessions are marked lost. A session of the node's that is open already goes
	// on, and its beat is raised, since the lease is reckoned from its opening too.
	OpenSession(ctx context.Context, o Opening) (Opened, error)
	// Sessions are those that are watched: the open ones, and lost ones whose tasks may not all be rescued yet.
	Sessions(ctx context.Context) ([]Session, error)
	// LoseSession marks a session lost whose beat is still that, and lets SweepRescue have what it runs of no more than so
	// much tolerance (P1, P8). It is for who has seen the beat stand still for the session's TTL and that tolerance. It
	// reports whether it changed anything: nothing is changed, and that is no error, when the beat was raised, or when
	// somebody else was faster.
	LoseSession(ctx context.Context, id SessionID, beat int64, tolerance Duration) (bool, error)
	// Renew raises the sessions' beats, and keeps the samples that come along. The answers are in the order of the renewals;
	// the error of one that is lost or closed is ErrLeaseLost. One that says Lost raises nothing.
	Renew(ctx context.Context, rs []Renewal) ([]RenewResult, error)
	// Endings are the running attempts of a session that somebody asked to end (P9).
	Endings(ctx context.Context, id SessionID) ([]EndingTry, error)
	// CloseSession ends a session cleanly. What it still runs is rescued by the next SweepRescue.
	CloseSession(ctx context.Context, id SessionID) error
	// Owner is the node of a session, also of one that is over. ErrNotFound when there is no such session.
	Owner(ctx context.Context, id SessionID) (node string, err error)
	// Runs reports whether a task of a job runs in a session of a node.
	Runs(ctx context.Context, node string, job JobID) (bool, error)
}

// RenewResult is the answer for one renewal.
type RenewResult struct {
	Renewed
	Err error
}

// OperationStore keeps operations.
type OperationStore interface {
	// Operate stores an operation and does its first step at once; a small one has ended when it returns. Its effect
	// on claiming is immediate, however many tasks it covers (P18).
	Operate(ctx context.Context, op Operation) (Operation, error)
	Operation(ctx context.Context, id int64) (Operation, error)
}

// OutputStore keeps output.
type OutputStore interface {
	// KeepOutput keeps pieces of a running attempt's output before its finish (P14). Keeping the same pieces again
	// changes nothing, also when the attempt has ended meanwhile: a node that died before it was told of that comes with
	// all of it again. Else ErrLeaseLost when the attempt is not the task's running one.
	KeepOutput(ctx context.Context, try Try, chunks []Chunk) error
	// Output is a piece of an attempt's kept output. ErrNotFound when none of that stream is kept.
	Output(ctx context.Context, q OutputQuery) (Output, error)
}

// ArtifactStore keeps which files attempts have left. Their bytes are blobs, which stay as long as their jobs.
type ArtifactStore interface {
	// KeepArtifact notes a file of a running attempt before its finish; its blob is there, unless it is empty. Keeping the
	// same again changes nothing; another of that name takes its place. ErrTooLarge when the attempt has as many as it may,
	// ErrLeaseLost when it is not the task's running one, ErrNotFound when there is no such blob.
	KeepArtifact(ctx context.Context, a Artifact) error
	// Artifact is a file of an attempt.
	Artifact(ctx context.Context, try Try, name string) (Artifact, error)
	// Artifacts are those of a job, by task, attempt and name.
	Artifacts(ctx context.Context, q ArtifactQuery) ([]Artifact, error)
}

// ArtifactQuery asks for artifacts of a job.
type ArtifactQuery struct {
	Job   JobID
	Task  TaskID // of it; 0: all
	After Try    // behind the one of this attempt
	Name  string // and of this name
	Max   int    // at most; 0: 100
}

// LookStore brings wishes to see what a running attempt has written to its node, and answers back, for a while: there are
// MaxLooks for a session at most, and nothing is written while nobody looks.
type LookStore interface {
	// Look notes a wish for LookFor, and returns its number. ErrConflict when the attempt does not run, ErrUnavailable when
	// too many look at the same time.
	Look(ctx context.Context, l Look) (int64, error)
	// Looks are the wishes to see what a session runs that were not answered and still hold.
	Looks(ctx context.Context, id SessionID) ([]Look, error)
	// ShowOutput answers a look; once more, with more. It is no error, and nothing is stored, when nobody waits any more.
	ShowOutput(ctx context.Context, l Look, out Output) error
	// Shown is the answer to a look, or to a later one at the same place. ErrNotFound while there is none.
	Shown(ctx context.Context, l Look) (Output, error)
}

// SampleStore keeps what attempts and nodes used over time, as renewals tell it (D6). An attempt's samples are kept by
// Series.Add, as long as its job; a node's thin out with age by NodeSpans.
type SampleStore interface {
	// Samples are those of an attempt, without points if there are none; attempt 0 is the latest.
	Samples(ctx context.Context, task TaskID, attempt int) (Series, error)
	// NodeSamples are those of a node since a time, oldest first. ErrNotFound when there is no such node.
	NodeSamples(ctx context.Context, node string, since time.Time) ([]NodeSample, error)
	// KeepStoreSample keeps what the queues hold now, for StoreSamplesFor. It is no error, and nothing is kept, when another
	// server has done so in the latter half of StoreSampleEvery.
	KeepStoreSample(ctx context.Context, x StoreSample) error
	// StoreSamples are those since a time, oldest first.
	StoreSamples(ctx context.Context, since time.Time) ([]StoreSample, error)
}

// ScheduleStore keeps schedules.
type ScheduleStore interface {
	// PutSchedule creates or replaces by name; Version 0 creates only, another must be the stored one. It raises the
	// version. A # at the end of the name of a new one becomes a number that no other has had.
	PutSchedule(ctx context.Context, s Schedule) (Schedule, error)
	Schedules(ctx context.Context) ([]Schedule, error)
	// Schedule is a schedule with its latest fires and alarms.
	Schedule(ctx context.Context, name string) (ScheduleRecord, error)
	DropSchedule(ctx context.Context, name string) error
	// DueSchedules are schedules that are due by the store's clock, the longest first, so many at most.
	DueSchedules(ctx context.Context, max int) (DueSchedules, error)
	// Fire records fires, and says what became of each, in their order. The error of one is ErrConflict when somebody else
	// did it, or the schedule changed.
	Fire(ctx context.Context, fs []Firing) ([]FireResult, error)
}

// TokenStore keeps tokens.
type TokenStore interface {
	PutToken(ctx context.Context, t Token) (Token, error)
	// Tokens are all tokens, or the one with a hash.
	Tokens(ctx context.Context, hash string) ([]Token, error)
	DropToken(ctx context.Context, id int64) error
}

// SecretStore keeps secrets, sealed by a key that is not in the store.
type SecretStore interface {
	// PutSecret stores a secret, or another value of one. ErrDenied when it is another owner's.
	PutSecret(ctx context.Context, s Secret) error
	// Secrets are all secrets without what they hold, or those with some names with it.
	Secrets(ctx context.Context, names []string) ([]Secret, error)
	DropSecret(ctx context.Context, name string) error
}

// UserStore keeps users, and the audit: a write that is made with a deed ([WithDeed]) adds it there, in its own transaction.
type UserStore interface {
	// PutUser creates a user, or replaces one of the same name.
	PutUser(ctx context.Context, u User) (User, error)
	// Users are all users by name, or the one of a name.
	Users(ctx context.Context, name string) ([]User, error)
	// DropUser removes a user, with all tokens that are the user's.
	DropUser(ctx context.Context, name string) error
	// DropLogins removes the tokens that a user got by logging in.
	DropLogins(ctx context.Context, user string) error
	// RedeemToken makes another token, with that hash and for so long, of one that is good once, which is then worth nothing.
	// ErrUnauthenticated when there is none of the hash, or its time is over.
	RedeemToken(ctx context.Context, hash, next string, lasts Duration) (Token, error)
	// Deeds are lines of the audit, newest first.
	Deeds(ctx context.Context, q DeedQuery) ([]Deed, error)
}

// BlobStore knows which blobs there are and who needs them. Their bytes are elsewhere (Objects): so a blob is noted before
// its bytes come, and forgotten after they have gone.
type BlobStore interface {
	// BeginBlob notes that a blob is about to be put, and reports whether it is there already; then, and for one that
	// somebody removes at this moment (ErrUnavailable), nothing changes but that it is Kept from now on, if it is to be.
	BeginBlob(ctx context.Context, b Blob) (there bool, err error)
	// EndBlob notes that a blob's bytes are there. ErrConflict when it was removed meanwhile.
	EndBlob(ctx context.Context, id BlobID) error
	// Blob is one that is there.
	Blob(ctx context.Context, id BlobID) (Blob, error)
	// Blobs are those that are there, newest first.
	Blobs(ctx context.Context, q BlobQuery) ([]Blob, error)
	// DropBlob lets a blob go. ErrConflict while a job that has not ended, or a schedule, names it.
	DropBlob(ctx context.Context, id BlobID) error
	// GoingBlobs are some whose bytes are to be removed, before ForgetBlob.
	GoingBlobs(ctx context.Context) ([]BlobID, error)
	ForgetBlob(ctx context.Context, id BlobID) error
}

// BlobQuery asks for blobs.
type BlobQuery struct {
	Prefix string // of the id
	After  BlobID // behind this one in the order asked for
	Max    int    // at most; 0: 100
}

// Upkeep is a kind of sweep.
type Upkeep string

const (
	SweepMake    Upkeep = "make"    // makes the tasks of arrays and lines
	SweepPromote Upkeep = "promote" // scheduled tasks whose time has come
	SweepRescue  Upkeep = "rescue"  // running tasks whose session is closed, missing, or lost beyond what they tolerate (P3, P8)
	SweepOperate Upkeep = "operate" // operations that are not done
	SweepFires   Upkeep = "fires"   // fires whose jobs have ended, and schedules' alarms
	SweepPrune   Upkeep = "prune"   // history past its retention, output of attempts that never finished, old keys, old looks, samples of nodes as they age, blobs that nobody needs
)

// Sweep is one step of upkeep.
type Sweep struct {
	What      Upkeep
	Retention Retention // for SweepPrune
}

// Retention says how much history is kept.
type Retention struct {
	Age     Duration // ended jobs older than this go; 0: none by age
	Jobs    int      // ended jobs beyond the newest so many go; 0: none by count
	Bytes   int64    // oldest ended jobs go until the store's size is below this; 0: none by size
	Uploads Duration // jobs whose upload stopped so long ago are cancelled
}

// Swept is what a step did.
type Swept struct {
	Moved int       // rows that the step changed
	More  bool      // there is more to do at once
	Next  time.Time // when there will be more to do, if that is known
	Jobs  []JobID   // jobs whose tasks moved
	Ready bool      // something may have become claimable
	Now   time.Time // the store's clock
}

// Identity is who the store is.
type Identity struct {
	ID          string    `json:"id"`
	Incarnation int       `json:"incarnation"`
	Engine      string    `json:"engine" doc:"sqlite or postgres"`
	Shared      bool      `json:"shared,omitempty" doc:"other servers may write to it at the same time"`
	Schema      int       `json:"schema"`
	Now         time.Time `json:"now" doc:"the store's clock"`
	Bytes       int64     `json:"bytes" doc:"size on disk"`
	Secret      []byte    `json:"-"` // what jobs' tokens are signed with
}
