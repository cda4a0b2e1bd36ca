package rota

import (
	"fmt"
	"path"
	"strings"
	"time"
)

// Spec says what a job is to do. It is immutable once submitted and stored as it was received; "again" submits a
// changed copy. The zero value of a field means its default.
type Spec struct {
	Name     string            `json:"name,omitempty" doc:"what people call the job; need not be unique"`
	Queue    string            `json:"queue,omitempty" doc:"the queue; default: default"`
	Labels   map[string]string `json:"labels,omitempty"`
	Priority int               `json:"priority,omitempty" doc:"higher starts earlier; default 0"`

	Executor string   `json:"executor,omitempty" doc:"exec, shell, script, pipeline or blob; default by what is given"`
	Argv     []string `json:"argv,omitempty" doc:"the command and its arguments (exec), or arguments of the text (shell), the script or the blob"`
	Shell    string   `json:"shell,omitempty" doc:"text for /bin/sh -c"`
	Script   string   `json:"script,omitempty" doc:"an executable file's text, with its #! line"`
	// Pipe and Interpreter are commands without a shell.
	Pipe        [][]string `json:"pipe,omitempty" doc:"commands, each of which reads what the one before it writes (pipeline)"`
	Interpreter []string   `json:"interpreter,omitempty" doc:"the command that runs the script, whose file is its last argument but for the script's own; default: what the #! line says"`
	Path        string     `json:"path,omitempty" doc:"PATH of the job"`
	Blob        BlobID     `json:"blob,omitempty" doc:"a blob that is run: a program, or a script with its #! line"`

	User   string  `json:"user,omitempty" doc:"who it runs as, on a node of root's; default: who was at the node's socket, or as the node's settings say"`
	Group  string  `json:"group,omitempty" doc:"its group, of those that the user is in; default: the user's own"`
	Caller *Caller `json:"caller,omitempty" doc:"who submitted it: the server sets it"`

	Dir   string   `json:"dir,omitempty" doc:"working folder; default: the scratch folder"`
	Env   []string `json:"env,omitempty" doc:"K=V; with none the environment is clean but for PATH, LANG and ROTA_*"`
	Stdin string   `json:"stdin,omitempty" doc:"a file on the node; none: the uploaded input, or nothing"`
	Out   string   `json:"out,omitempty" doc:"file for the output instead of Rota's own; %j job, %a index, %n attempt"`
	Err   string   `json:"err,omitempty" doc:"file for the error output; the same file as out joins them"`
	// Artifacts are kept however an attempt ended that ran, and before its end is recorded.
	Artifacts []string `json:"artifacts,omitempty" doc:"patterns of files that are kept when an attempt has ended, relative to its working folder: * ? [a-z], and ** for any number of folders; @stdout and @stderr are all that it writes there"`

	Timeout Duration `json:"timeout,omitempty" doc:"an attempt that runs longer is ended; default: none"`
	Grace   Duration `json:"grace,omitempty" doc:"between TERM and KILL; default 10s"`
	Retry   *Retry   `json:"retry,omitempty" doc:"what happens after a failure; default: the queue's, then Rota's"`
	Limits
	OnStoreLoss OnStoreLoss `json:"on_store_loss,omitempty" doc:"kill, run, or how long an attempt goes on when its node has lost the store; default: the node's"`

	On       string    `json:"on,omitempty" doc:"only the node of that name, or those with a label KEY=VALUE"`
	Needs    Resources `json:"needs,omitempty" doc:"what each task takes of its node while it runs; mem in bytes"`
	LimitKey string    `json:"limit_key,omitempty" doc:"of all tasks with one key, in whatever queues, only so many run at once"`
	KeyLimit int       `json:"key_limit,omitempty" doc:"how many; what the latest job says holds for all; default 1"`

	Unique string `json:"unique,omitempty" doc:"work, or a name: while a job of its queue with the same is in its way, it is refused or merged as the queue says"`

	Tell
	Secrets []SecretUse `json:"secrets,omitempty" doc:"that its attempts are given"`

	Hold  bool         `json:"hold,omitempty" doc:"submit held; release lets it go"`
	At    time.Time    `json:"at,omitzero" doc:"not before"`
	After []Dependency `json:"after,omitempty"`

	Array *Array `json:"array,omitempty" doc:"many tasks, one an index"`
	Lines bool   `json:"lines,omitempty" doc:"many tasks, one a line of the uploaded lines; indexes from 1"`
	Limit int    `json:"limit,omitempty" doc:"of an array's or lines' tasks, how many run at most at once"`
}

// The executors of this version.
const (
	ExecutorExec   = "exec"   // argv, no shell
	ExecutorShell  = "shell"  // /bin/sh -c TEXT
	ExecutorScript = "script" // an executable text, from a temporary file

	ExecutorPipeline = "pipeline" // several argv, each reading what the one before writes
	ExecutorBlob     = "blob"     // an executable file that is kept as a blob
)

// DefaultQueue is the queue of a job that names none.
const DefaultQueue = "default"

// DefaultGrace is the time between TERM and KILL.
const DefaultGrace = Duration(10 * time.Second)

// When says which end of a job another job waits for.
type When string

const (
	AfterOK   When = "ok"   // all its tasks succeeded
	AfterAny  When = "any"  // it ended, however
	AfterFail When = "fail" // it ended and some task failed
	AfterEach When = "each" // of two arrays, element by element: the one with the same index succeeded
)

// Whens are all of them.
var Whens = []When{AfterOK, AfterAny, AfterFail, AfterEach}

// Dependency makes a job wait for another.
type Dependency struct {
	Job  JobID `json:"job"`
	When When  `json:"when"`
}

// Edge says that a job is, or was, to run after another. It is kept as long as the job, also when the other one is not.
type Edge struct {
	Job  JobID `json:"job"`
	On   JobID `json:"on" doc:"the job that it is to run after"`
	When When  `json:"when"`
}

// EdgeQuery asks for edges, newest jobs first.
type EdgeQuery struct {
	Of     []JobID // only those at one of these jobs, MaxEdgesOf at most; none: at any
	Before JobID   // only those of jobs older than this one
	Max    int     // at most; 0: 100
}

// MaxEdgesOf is of how many jobs edges are asked for at once.
const MaxEdgesOf = 200

// Awaited is what dependencies wait for, in words: "job 41 to succeed, the same element of job 43 to succeed". Of none it is
// empty.
func Awaited(after []Dependency) string {
	const most = 5
	words := map[When]string{AfterOK: "job %v to succeed", AfterAny: "job %v to end", AfterFail: "job %v to fail", AfterEach: "the same element of job %v to succeed"}
	var parts []string
	for _, d := range after[:min(len(after), most)] {
		parts = append(parts, fmt.Sprintf(words[d.When], d.Job))
	}
	if more := len(after) - most; more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	return strings.Join(parts, ", ")
}

// Many reports whether the job's tasks are elements of an array.
func (s *Spec) Many() bool { return s.Array != nil || s.Lines }

// RunsShell reports whether it is a shell that runs the job, as far as the job says so: what programs it runs start is not
// known.
func (s *Spec) RunsShell() bool {
	switch {
	case s.Executor == ExecutorShell:
		return true
	case s.Executor != ExecutorScript || len(s.Interpreter) > 0:
		return len(s.Interpreter) > 0 && isShell(s.Interpreter[0])
	}
	line, _, _ := strings.Cut(s.Script, "\n")
	by, is := strings.CutPrefix(line, "#!")
	if !is {
		return true
	}
	words := strings.Fields(by)
	if len(words) > 1 && path.Base(words[0]) == "env" {
		words = words[1:]
	}
	return len(words) > 0 && isShell(words[0])
}

func isShell(program string) bool {
	switch path.Base(program) {
	case "sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "fish", "csh", "tcsh", "busybox":
		return true
	}
	return false
}

// Submission is a job on its way in.
type Submission struct {
	Spec Spec `json:"spec"`
	// Key makes submitting idempotent: the same key from the same submitter names the same job, kept as long as
	// the job and for 24 hours at least. The command line always sends one.
	Key string `json:"key,omitempty"`
	// Lines are the first lines of a job whose spec says Lines, Input the first bytes of its standard input.
	Lines []string `json:"lines,omitempty"`
	Input []byte   `json:"input,omitempty"`
	// Program is an executable file to be kept as a blob and run: in its place the spec names the blob. Larger ones are
	// put first, and named.
	Program []byte `json:"program,omitempty"`
	// More says that further parts follow by Upload; nothing of the job is claimed before the last has come.
	More bool `json:"more,omitempty"`
}

// Part is a further piece of a submission whose lines or input came with More. Parts are numbered from 1; sending
// one again changes nothing.
type Part struct {
	Number int      `json:"number"`
	Lines  []string `json:"lines,omitempty"`
	Input  []byte   `json:"input,omitempty"`
	Last   bool     `json:"last,omitempty"`
}

// Submitted is the store's word that the job is durable.
type Submitted struct {
	Job      JobID `json:"job"`
	Tasks    int   `json:"tasks" doc:"known so far; grows while lines are uploaded"`
	Existing bool  `json:"existing,omitempty" doc:"an earlier submission with the same key made it, or it was merged"`
	Merged   bool  `json:"merged,omitempty" doc:"a job like it was in its way, and is the answer"`
}

// Job is what is known of a job.
type Job struct {
	ID        JobID     `json:"id"`
	Spec      Spec      `json:"spec"`
	Queue     string    `json:"queue" doc:"that it stands in now: its own may have been renamed since"`
	Submitter string    `json:"submitter"`
	Parent    TaskID    `json:"parent,omitzero" doc:"the task that submitted it"`
	Schedule  string    `json:"schedule,omitempty" doc:"the schedule that fired it"`
	Submitted time.Time `json:"submitted"`
	Ended     time.Time `json:"ended,omitzero"`
	Reason    string    `json:"reason,omitempty" doc:"why it ended otherwise than by its tasks"`
	Progress
}

// Progress counts a job's tasks by where they stand.
type Progress struct {
	Job       JobID `json:"job"`
	Tasks     int   `json:"tasks"`
	Made      int   `json:"made" doc:"tasks of a large job are made in steps"`
	Sealed    bool  `json:"sealed" doc:"all parts of it have been uploaded"`
	Blocked   int   `json:"blocked"`
	Scheduled int   `json:"scheduled"`
	Held      int   `json:"held"`
	Ready     int   `json:"ready" doc:"those still to be made included"`
	Running   int   `json:"running"`
	Succeeded int   `json:"succeeded"`
	Failed    int   `json:"failed"`
	Cancelled int   `json:"cancelled"`
}

// Left is how many tasks have not ended.
func (p Progress) Left() int { return p.Tasks - p.Succeeded - p.Failed - p.Cancelled }

// Ended reports whether the job is done.
func (p Progress) Ended() bool { return p.Sealed && p.Left() == 0 }

// State is the job's state in a word: of its tasks' states the one that says most. While something runs the job
// is running; when all have ended it failed if one failed, else it was cancelled if one was.
func (p Progress) State() State {
	for _, s := range []struct {
		n     int
		state State
	}{{p.Running, Running}, {p.Ready, Ready}, {p.Scheduled, Scheduled}, {p.Held, Held}, {p.Blocked, Blocked},
		{p.Failed, Failed}, {p.Cancelled, Cancelled}} {
		if s.n > 0 {
			return s.state
		}
	}
	if !p.Sealed {
		return Blocked
	}
	return Succeeded
}
