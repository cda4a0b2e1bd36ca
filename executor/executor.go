// Package executor says how a kind of job becomes a process. An Executor turns a claimed task into a Command:
// which program, with which arguments; each kind has a folder of its own. A Keeper starts commands, watches them
// and reports how they ended.
//
// The packages below it may touch processes, sockets and the files of their tasks, and never the Store or the
// Service.
package executor

import (
	"github.com/rotaqueue/rota"
)

// Executor is one kind of job.
type Executor interface {
	// Name is the kind as specs name it; Version is told to the others of the cluster.
	Name() string
	Version() string
	// Command turns a claimed task into the command to start. An error means that the task can never run so: it is
	// the job's failure and is not tried again (P7).
	Command(a *rota.Assignment) (Command, error)
}

// Command is a process to be, as an executor made it of a task.
type Command struct {
	Argv []string // Argv[0] is looked up in PATH of Env when it has no slash
	// Body, if not empty, is written to a temporary executable file of the attempt, which is then run with Argv[1:]
	// as its arguments; Argv[0] is what it is called. A text without a #! line is run by /bin/sh.
	Body string
	// Interpreter, if not empty, is the command that runs the body: its arguments stand before the file.
	Interpreter []string
	// Pipe, if not empty, are commands in the place of Argv, each of which reads what the one before it writes. The exit
	// code is that of the last that failed.
	Pipe [][]string
}

// Secret is something that nobody but the attempt is told.
type Secret struct{ Name, Value string }

// Process is one attempt to be run by a Keeper: a command and all that surrounds it.
type Process struct {
	rota.Try
	Command
	Env     []string      // complete but for what only the slot knows: ROTA_SCRATCH_DIR, ROTA_SLOT, ROTA_TOKEN_FILE
	Program string        // a file of the node's own that is run in the place of Argv[0]; who cannot open it gets a copy
	Dir     string        // empty: the scratch folder
	Token   string        // written to the file ROTA_TOKEN_FILE names, mode 0400
	Stdin   string        // a file, relative to Dir; empty: nothing to read
	Input   string        // a file of the node's own to read in the place of Stdin
	Out     string        // the job's own file for its output, relative to Dir; empty: Rota's
	Err     string        // likewise; the same as Out joins the streams
	Append  bool          // the own files are appended to: an earlier attempt began them
	Timeout rota.Duration // 0: none; the time the machine sleeps does not count
	Grace   rota.Duration // between TERM and KILL
	Limits  rota.Limits   // all that hold, whoever said them
	// Wrap is put before the command, and ErrWrap reads its error output: what that writes is kept in its place.
	Wrap, ErrWrap []string
	// Secrets become files of mode 0400, in memory where the system has such: ROTA_SECRET_NAME names one.
	Secrets []Secret
	// Artifacts are patterns of files below Dir: copies of those that there are when the attempt has ended are kept.
	Artifacts []string
	// As is who it runs as; nil: who the keeper runs as.
	As *Identity
	// Tolerance is how long past the end of the lease it may go on, when nobody renews it: 0 not at all, negative for
	// ever (P8).
	Tolerance rota.Duration
	// Note is what who gave the process needs to know when it has ended. The keeper does not look at it: it gives it
	// back to whoever comes next, when who gave it has gone away meanwhile.
	Note []byte
}

// Identity is a user of the machine, other than root. A process that runs as one has nothing of the keeper's: no group, no
// capability, and no file that the user could not open.
type Identity struct {
	UID, GID uint32
	Groups   []uint32 // all others
	// Slots, if not 0, are how many users there are from UID on, each with the group of the same number: one for each slot,
	// of which nothing lives when the slot's next attempt starts. HOME is then the scratch folder.
	Slots uint32
}

// Exit is how a process ended, or why there never was one.
type Exit struct {
	rota.Try
	Outcome rota.Outcome // what the keeper knows: succeeded, failed, timed-out, out-of-memory, refused, ended, returned
	Code    *int
	Signal  int
	Reason  string // a sentence, unless it succeeded
	Spawned bool
	Started rota.Elapsed // zero when it never started
	Ended   rota.Elapsed
	Usage   rota.Usage // MaxRSS 0: not known
	Written rota.Written
	// The files of its output; an empty path means that the stream was empty, or went to the job's own file.
	Output map[rota.Stream]string
	// Copies of the files that fitted the patterns; Missed is why some that did are not among them.
	Artifacts []Artifact
	Missed    string
}

// Artifact is the copy of a file that an attempt left.
type Artifact struct {
	Name string // its path below the working folder
	Path string // of the copy
	Size int64
	Sum  string // SHA-256, in hex
}

// Sample is what a running attempt used when it was last measured.
type Sample struct {
	rota.Try
	rota.Sample
}

// Keeper owns processes: it starts what it is given in order, as slots come free, and reports each end once. It is
// idempotent by (task, attempt) (P10).
type Keeper interface {
	// Start queues processes. Those beyond the free slots wait in the keeper. One that it has already is not started
	// again: it goes on, or its end, if that was not yet forgotten, is reported once more.
	Start(ps []Process) error
	// Stop ends an attempt: TERM, its grace, KILL to everything of it; at once KILL when now is set. One that waits is
	// reported as returned without having started; an unknown one is nothing to do.
	Stop(try rota.Try, now bool)
	// Return takes back what waits and has not started: those attempts, or all with none named. They are reported as
	// returned.
	Return(tries ...rota.Try)
	// Exits delivers ends in the batches in which they came. It is closed once Close has returned, and when the keeper is
	// lost.
	Exits() <-chan []Exit
	// Held are the attempts that wait, run, or have ended and were not yet forgotten.
	Held() []rota.Try
	// Lease says until when, by clock.Elapsed, the keeper may run anything but what tolerates more; 0 is for ever, as it
	// begins. What must not run any more is ended, and not started until a later lease is set (P2, P8).
	Lease(until rota.Elapsed)
	// Forget says that the ends are recorded: the keeper needs to remember them no more (P10).
	Forget(tries []rota.Try)
	// File is the file that an attempt's stream goes to, for reading it live; when the attempt has ended, the file that
	// was kept; empty when there is none. Slots use their files again, so a reader opens the file and then asks once
	// more: only if the answer is still the same is what it opened this attempt's.
	File(try rota.Try, s rota.Stream) string
	// Samples are the latest of the attempts that run and have been measured, which short ones never are.
	Samples() []Sample
	// Check is why the keeper could start nothing now, whatever it were given; nil when it could. It tries, and takes its
	// time.
	Check() error
	// Close is the end of the caller's part: nothing is reported any more. A keeper within the caller's process ends
	// everything that runs, at once, and Close returns when it is dead; one that is a process of its own goes on, and
	// tells every end that was not forgotten to whoever comes next (P10).
	Close() error
}
