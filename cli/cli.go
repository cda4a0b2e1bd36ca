// Package cli is Rota's command line: one file per command. A command reads flags, asks a rota.Service, and
// writes what it learns: data to stdout, talk to stderr.
//
// It touches flags, the terminal, the caller's environment and the files that are named on the command line. What
// lies behind a Service, how a node is started and what a machine is like it learns only through [Deps].
package cli

import (
	"context"
	"io"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/config"
)

// Deps is what the commands need of the rest of Rota. All fields are required; errors are of the root's kinds.
type Deps struct {
	// Connect reaches a node or server. When nothing serves the target's data folder the error is [ErrNoNode].
	Connect func(ctx context.Context, t Target) (rota.Service, io.Closer, error)

	// Local opens the store of a data folder that no node serves; with write it takes the folder's lock, and what is
	// submitted is durable when the call returns. The error is rota.ErrConflict when a node holds the folder after
	// all, and fs.ErrNotExist when there is no store yet and none is to be made.
	Local func(ctx context.Context, t Target, write bool) (rota.Service, io.Closer, error)

	// Up runs a node until ctx is done, and calls o.Ready once it serves.
	Up func(ctx context.Context, c config.Config, o UpOptions) error

	// Down stops the node of a data folder, and ends what its keepers run if that is asked for.
	Down func(ctx context.Context, c config.Config, o DownOptions) (Downed, error)

	// Upgrade makes the node of a data folder run another program, "" this very one, and returns when that serves.
	Upgrade func(ctx context.Context, c config.Config, program string) (Upgraded, error)

	// Transient starts a transient node in the background, and returns when the data folder's socket answers: that of
	// another node that was faster will do (P27).
	Transient func(ctx context.Context, c config.Config) error

	// Detach starts a node in the background by these arguments of its own program, and returns what it says when it
	// serves; nothing, if one served already.
	Detach func(ctx context.Context, c config.Config, args []string) (greeting string, err error)

	// Program is the path of this program.
	Program func() (string, error)

	// Jar is what the commands of a jar need besides its folder.
	Jar JarDeps

	// Copy copies a store. Unseal takes one back into use that was copied, and says where the copy is.
	Copy   func(ctx context.Context, o CopyOptions) (rota.Copied, error)
	Unseal func(ctx context.Context, place string) (copiedTo string, err error)

	// CreateBackup writes a store into a file; VerifyBackup looks whether such a file is whole; RestoreBackup makes a store
	// of it. They tell step how far they are.
	CreateBackup  func(ctx context.Context, from, file string, step func(rota.CopyStep)) (rota.Copied, error)
	VerifyBackup  func(ctx context.Context, file string, step func(rota.CopyStep)) (Backup, error)
	RestoreBackup func(ctx context.Context, file, to string, step func(rota.CopyStep)) (rota.Copied, error)

	Doctor func(ctx context.Context, c config.Config) []Check
	Bench  func(ctx context.Context, o BenchOptions, w io.Writer) error
}

// ErrNoNode is Connect's error when no node runs on the data folder.
var ErrNoNode error = &rota.Error{Kind: rota.ErrUnavailable, Text: "no node runs"}

// Target is where a command's requests go: to Server if it is set, else to Socket if it is set, else to the node
// of the folder Data.
type Target struct {
	Data   string
	Store  string // where the node of the folder keeps jobs: a file or a database
	Blobs  string // where it keeps blobs; empty: where it does by default
	Socket string
	Server string // URL
	Token  string // bearer token; empty: who asks is known by the socket
}

// UpOptions is how a node is started.
type UpOptions struct {
	Transient bool          // ends with its last client and task (P27)
	System    bool          // it is the machine's node, of which there is one
	Check     bool          // only say whether it could be started
	Force     bool          // takes the node's name from another that has it
	Ready     func(Started) // the node serves
	Reload    func() error  // whether what is configured by now is right
	Left      func(Downed)  // the node ends, and leaves that to its keepers
	Stderr    io.Writer     // for the node's log
}

// Started is what a node says of itself when it serves.
type Started struct {
	Node        string
	Data        string
	Store       string // where jobs are kept, if not in Data; without secrets
	Slots       int
	Queues      []string
	Socket      string
	API         string   // URL; empty when there is none
	Fingerprint string   // of the certificate that the API shows; empty when it has no TLS
	Joined      []string // servers that it works for; none: it has a store
	Notes       []string // sentences: the port was taken, how long jobs survive without the daemon…
}

// Level says how bad a doctor's finding is.
type Level string

// The levels of findings.
const (
	OK   Level = "ok"
	Warn Level = "warn"
	Fail Level = "fail"
)

// Check is one finding of the doctor.
type Check struct {
	Name  string `json:"name"`
	Level Level  `json:"level"`
	Text  string `json:"text"`
	Fix   string `json:"fix,omitempty"`
}

// BenchOptions says what is measured.
type BenchOptions struct {
	Only  []string // names of measurements; none: all
	Store string   // URL of a PostgreSQL server to measure with; empty: the embedded store
	Slots int      // 0: 4
	Quick bool     // shorter and less exact
	JSON  bool
}

// Main runs one command and returns its exit code. The context's principal is whom Local's service sees.
func Main(ctx context.Context, deps Deps, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := newApp(deps, stdin, stdout, stderr)
	return a.main(ctx, args)
}

func (a *app) main(ctx context.Context, args []string) int {
	root := a.rootCommand()
	root.SetArgs(numbersAsArguments(args))
	cmd, err := root.ExecuteContextC(ctx)
	return a.finish(cmd, err)
}

// clock is the time of day, for what is shown; nothing is decided by it.
func clock() time.Time { return time.Now() }
