package rota

import "time"

// Node is a machine's Rota, as the others see it.
type Node struct {
	Name      string            `json:"name"`
	Version   string            `json:"version"`
	Platform  string            `json:"platform" doc:"linux/amd64"`
	Host      string            `json:"host,omitempty" doc:"the machine's name"`
	Folder    string            `json:"folder,omitempty" doc:"its data folder, there"`
	PID       int               `json:"pid"`
	Slots     int               `json:"slots"`
	Running   int               `json:"running"`
	Queues    []string          `json:"queues" doc:"patterns, in order"`
	Labels    map[string]string `json:"labels,omitempty" doc:"jobs can be for nodes with one"`
	Offers    Resources         `json:"offers,omitempty" doc:"what tasks can need of it, in all; mem in bytes"`
	NoShell   bool              `json:"no_shell,omitempty" doc:"it claims no jobs that a shell runs"`
	Executors map[string]string `json:"executors" doc:"name and version"`
	Transient bool              `json:"transient,omitempty" doc:"lives as long as the command that started it"`
	Joined    bool              `json:"joined,omitempty" doc:"has no store, and works through the servers of nodes that have it; the server sets it"`
	API       string            `json:"api,omitempty" doc:"address of its API as others reach it, after # the fingerprint of a certificate of its own; none: it has no store, or no address"`
	State     NodeState         `json:"state"`
	Started   time.Time         `json:"started"`
	Seen      time.Time         `json:"seen" doc:"last renewal"`
	Lost      time.Time         `json:"lost,omitzero" doc:"state lost: since when"`
	Paused    bool              `json:"paused,omitempty" doc:"somebody asked it to pause, and nobody to go on; one that is down will come up so"`
	Skew      int64             `json:"skew_us,omitempty" doc:"microseconds by which its clock is ahead of the store's; below 0: behind"`
	Serves    []Serving         `json:"serves,omitempty" doc:"by queue pattern, in order"`
	// Sample is set by the store.
	Sample *NodeSample `json:"sample,omitempty" doc:"the latest"`
}

// Serving is what a node does for the queues of one of its patterns: those that no pattern before it takes.
type Serving struct {
	Queue   string `json:"queue" doc:"pattern"`
	Slots   int    `json:"slots" doc:"tasks of them that may run at once"`
	Idle    int    `json:"idle" doc:"slots that are free for them"`
	Running int    `json:"running" doc:"tasks of them that run, or are about to"`
}

// SkewShown is from what difference on a node's clock is told.
const SkewShown = time.Second

// NodeState is what a node does.
type NodeState string

const (
	NodeUp       NodeState = "up"
	NodePaused   NodeState = "paused" // claims nothing until somebody lets it go on
	NodeUnable   NodeState = "unable" // claims nothing, for it could start nothing: its log says why
	NodeDraining NodeState = "draining"
	NodeDown     NodeState = "down" // left cleanly
	NodeLost     NodeState = "lost"
)

// SessionID names one keeper's life. It is random and made by the keeper.
type SessionID string

// Session is a keeper's claim to its running attempts: one lease for all of them (P1 to P5). This is what an observer
// needs to know of it.
type Session struct {
	ID    SessionID
	Node  string
	Beat  int64 // raised by each renewal
	State SessionState
	TTL   Duration // a beat that stands still for so long is a lost session's; 0: that is not known, and it is not lost by time
	// Waited is how much more than its TTL a lost session was seen to stand still: what tolerates so much is rescued. Next
	// is the least tolerance beyond that of what it still runs, negative if that is for ever (P8).
	Waited, Next Duration
}

// SessionState is open, then lost or closed for good: a lost session is never revived.
type SessionState string

const (
	SessionOpen   SessionState = "open"
	SessionLost   SessionState = "lost"
	SessionClosed SessionState = "closed"
)

// Opening is what a node says when it opens a session.
type Opening struct {
	Session SessionID `json:"session"`
	Node    Node      `json:"node"`
	// Key proves that the node is the one that had the name before; it lies in the node's data folder.
	Key string `json:"key"`
	// Force takes a name that another node has. That one's sessions renew and claim nothing any more, and are lost when
	// their time is over, not before (P4); what is left of it is seen under another name, until it is removed.
	Force bool `json:"force,omitempty"`
	// TTL is how long the lease holds without being renewed, and OnStoreLoss what becomes of attempts of jobs that do not
	// say it (P8). A session has them for its life, as they were when it was opened first.
	TTL         Duration    `json:"ttl,omitempty"`
	OnStoreLoss OnStoreLoss `json:"on_store_loss,omitempty"`
	// Sole says that no other session of this node can be alive, but for Others (the node holds its data folder's lock
	// and has ended what dead keepers left): the store marks them lost at once, and their tasks are rescued, whatever they
	// tolerate. Without it, an open session goes on beside the one that speaks for the node; and one that is lost is
	// answered with Lost.
	Sole bool `json:"sole,omitempty"`
	// Others, with Sole, are sessions of the node that are alive too: keepers of earlier versions, which stay until what
	// they run has ended (P13).
	Others []SessionID `json:"others,omitempty"`
	// Started are the attempts that the journal of the node's dead keepers knows to have been started. With Sole,
	// the others of its lost sessions were never spawned, and are given back rather than counted as lost (P7, P10).
	Started []Try `json:"started,omitempty"`
	// Token is the number of the token by which the node asks; 0: none. It is the node's from then on, and nobody else's.
	// The server sets it.
	Token int64 `json:"-"`
}

// Opened is the answer to an Opening.
type Opened struct {
	// Seq is the number of the session's last exchange: 0 for a new session. A daemon that takes an open session over
	// from an earlier one, of the same keeper, goes on from there; what that exchange claimed and the keeper was never
	// given, its first renewal finds (P5).
	Seq int64 `json:"seq"`
	// Drain says that the node was asked to drain before, in this session's life: an earlier daemon of the same keeper
	// has not come to the end of it.
	Drain bool `json:"drain,omitempty"`
	// Pause says that somebody asked the node to pause, and nobody since to go on.
	Pause bool `json:"pause,omitempty"`
	// Lost says that the session is lost: what goes on in it may be finished, and nothing else (P3, P8).
	Lost bool `json:"lost,omitempty"`
	// TTL and OnStoreLoss are the session's, whatever this opening says.
	TTL         Duration    `json:"ttl,omitempty"`
	OnStoreLoss OnStoreLoss `json:"on_store_loss,omitempty"`
	// Servers are the addresses of servers that a node without a store may ask as well (P29).
	Servers []string `json:"servers,omitempty"`
}

// Renewal keeps a session's lease.
type Renewal struct {
	Session SessionID `json:"session"`
	State   NodeState `json:"state"`
	// Seq and Held are the last exchange whose answer the node has, and the attempts it holds since. The store
	// answers with Strays when its own list differs and no exchange has come between (P5).
	Seq  int64 `json:"seq"`
	Held []Try `json:"held"`
	// Skew is by how many microseconds the machine's clock is ahead of the store's, as the answer before told; 0: not known.
	Skew int64 `json:"skew_us,omitempty"`
	// Lost says that the node knows its session to be lost. Then nothing is renewed: what goes on in it is compared.
	Lost bool `json:"lost,omitempty"`
	// Samples are what attempts used a moment ago, and Machine what the node does: for graphs (D6). They go with
	// renewals because these come anyway, and are committed anyway; a renewal that is lost loses its samples and nothing
	// else. Samples of attempts that are not the session's are passed over; when they were taken, the store's clock says.
	Samples []TrySample `json:"samples,omitempty"`
	Machine *NodeSample `json:"machine,omitempty"`
}

// Renewed is the store's answer. A lost or closed session gets ErrLeaseLost instead, unless the renewal says Lost.
type Renewed struct {
	Ending []EndingTry `json:"ending,omitempty" doc:"attempts that somebody asked to end"`
	Strays []Try       `json:"strays,omitempty" doc:"attempts that the store has as this session's and the node does not hold: give them back"`
	Gone   []Try       `json:"gone,omitempty" doc:"attempts that the node holds and the store does not have as its: end them"`
	Drain  bool        `json:"drain,omitempty" doc:"somebody asked the node to drain"`
	Pause  bool        `json:"pause,omitempty" doc:"somebody asked the node to pause, and nobody since to go on"`
	Now    time.Time   `json:"now" doc:"the store's clock"`
	// Servers are the addresses of servers that a node without a store may ask as well (P29).
	Servers []string `json:"servers,omitempty"`
}

// EndingTry is a running attempt that was asked to end.
type EndingTry struct {
	Try
	How Ending `json:"how"`
}

// Exchange finishes what ended and claims what fits, in one transaction. It is numbered (P5): a session sends one
// at a time, and sending one again with the same number returns the same answer and claims nothing new.
type Exchange struct {
	Session  SessionID `json:"session"`
	Seq      int64     `json:"seq" doc:"1 more than the session's last"`
	Finished []Finish  `json:"finished,omitempty"`
	Claim    Claim     `json:"claim"`
}

// Claim is what a session would like to run.
type Claim struct {
	Max    int      `json:"max" doc:"at most so many tasks; 0: none"`
	Queues []string `json:"queues,omitempty" doc:"patterns, in order; none: *"`
	// Used and Held are the node's own account: it has one exchange on its way at a time, and knows what it holds.
	Used Resources      `json:"used,omitempty" doc:"what the tasks need that the node holds and this exchange does not finish"`
	Held map[string]int `json:"held,omitempty" doc:"by queue, how many they are"`
	// Home limits the claim to tasks of jobs that were submitted with it (P27); the server sets it.
	Home SessionID `json:"-"`
}

// Finish is the end of an attempt as its keeper saw it.
type Finish struct {
	Try
	Outcome Outcome `json:"outcome"`
	Exit    *int    `json:"exit,omitempty"`
	Signal  int     `json:"signal,omitempty"`
	Reason  string  `json:"reason,omitempty"`
	Error   string  `json:"error,omitempty" doc:"when it failed, the last line that it wrote; MaxError bytes at most"`
	// StartedAgo and EndedAgo are measured on the node's own elapsed clock when the exchange is sent, so that no
	// wall clock of a node enters the store. Zero StartedAgo with an attempt that never started.
	StartedAgo Duration `json:"started_ago,omitempty"`
	EndedAgo   Duration `json:"ended_ago,omitempty"`
	Usage
	Written
	// RetryIn is how long the task waits when it is to be tried again; the sender computes it, jitter included.
	RetryIn Duration `json:"retry_in,omitempty"`
	// Output is what is kept of the attempt's output when that is small (P14); larger output is kept before.
	Output []Chunk `json:"output,omitempty"`
}

// Exchanged is the answer to an Exchange. Finishes that are not named in Refused are recorded.
type Exchanged struct {
	Refused []Refusal    `json:"refused,omitempty"`
	Claimed []Assignment `json:"claimed,omitempty"`
	// Freed says that the finishes let something become claimable: places behind gates, dependents, retries at once.
	Freed bool `json:"freed,omitempty" doc:"the finishes let something become claimable"`
	// Again is when something may be claimable that was not, though nothing happens: a queue has only so many starts in a
	// second. 0: never.
	Again Duration `json:"again,omitempty" doc:"how long until a claim that found less than it asked for may find more by time alone"`
}

// Refusal says that one finish was not recorded: the attempt is no longer the session's. It is not an error of
// the exchange (P6).
type Refusal struct {
	Try
	Why string `json:"why"`
}

// Assignment is a claimed task: everything a node needs to run the attempt.
type Assignment struct {
	Try
	Limit    int    `json:"attempt_limit"`
	Retry    Retry  `json:"retry" doc:"as resolved at submit: no field open"`
	Failures int    `json:"failures" doc:"earlier attempts that count as failures of the job"`
	Spec     *Spec  `json:"spec"`
	Queue    string `json:"queue"`
	// Allowance is what the queue says of limits now; nil: nothing. LimitsOf makes of it, of the spec and of what the
	// node says the limits that hold.
	Allowance *Allowance `json:"allowance,omitempty"`
	// Wrap and ErrWrap are the queue's.
	Wrap      []string `json:"wrap,omitempty"`
	ErrWrap   []string `json:"err_wrap,omitempty"`
	Submitter string   `json:"submitter"`
	Line      string   `json:"line,omitempty"`
	HasInput  bool     `json:"has_input,omitempty" doc:"standard input was uploaded with the job: fetch it with Input"`
	Alone     bool     `json:"alone,omitempty" doc:"nothing else may run on the node meanwhile: its keeper or machine went away while it ran, again and again (P7)"`
	// Secrets are the job's, and Refuse is why it cannot have them.
	Secrets []SecretValue `json:"secrets,omitempty"`
	Refuse  string        `json:"refuse,omitempty"`
	// Token lets the job itself submit, as its submitter, while this attempt runs (S1).
	Token string `json:"token,omitempty"`
}
