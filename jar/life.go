package jar

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// Life is who a worker is: what its directory says of it, and never changes. By it others know whether it lives.
type Life struct {
	Node       string    `json:"node"`
	PID        int       `json:"pid"`
	Start      int64     `json:"start,omitempty"`     // of the process, in the system's own unit; 0: not known here
	Boot       string    `json:"boot,omitempty"`      // names the life of the machine
	Machine    string    `json:"machine,omitempty"`   // names the machine
	Namespace  string    `json:"namespace,omitempty"` // in which the number counts
	Version    string    `json:"version"`
	Began      time.Time `json:"began"` // for people
	Categories []string  `json:"categories,omitempty"`
	// Keeper is the folder in its directory in which its keeper tells what it started, as it was called there.
	Keeper string `json:"keeper,omitempty"`
	// Scratch is the folder of its jobs' scratch folders, named after the worker unless it is in its directory.
	Scratch string `json:"scratch,omitempty"`
	// Holder, if not empty, says that jobs here belong to the Rota node of that mark and live on without this process.
	Holder string `json:"holder,omitempty"`
}

// What is in a worker's directory besides its job. Hidden files are named in worker.go and complete.go.
const (
	lifeFile   = "worker" // a Life
	stateFile  = "state"  // a word for what it does; touched while it lives
	logFile    = "log"
	keeperDir  = "keeper"
	scratchDir = "scratch"
	stopFile   = "STOP"
	pauseFile  = "PAUSE"
)

// isReserved reports whether a name in a worker's directory is not a job's.
func isReserved(name string) bool {
	switch name {
	case lifeFile, stateFile, logFile, keeperDir, scratchDir, stopFile, pauseFile:
		return true
	}
	return false
}

// Verdict is whether a worker lives, as far as it can be known here.
type Verdict string

const (
	Lives   Verdict = "lives"
	Dead    Verdict = "dead"
	Unknown Verdict = "unknown"
)

// judge says whether a worker of this node lives, and why that cannot be known if it cannot. here is this process.
func (l Life) judge(here Life) (v Verdict, why string) {
	switch {
	case l.PID <= 0:
		return Unknown, "its directory does not say who it is"
	case l.Machine != here.Machine && l.Machine != "" && here.Machine != "":
		return Unknown, "another machine has the name " + l.Node + ", too"
	case l.Boot != here.Boot && l.Boot != "" && here.Boot != "":
		return Dead, "" // the machine has started anew since
	case l.Namespace != here.Namespace:
		return Unknown, "it is, or was, in another container"
	}
	start, there := startOf(l.PID)
	switch {
	case !there:
		return Dead, ""
	case l.Start != 0 && start != 0 && l.Start != start:
		return Dead, "" // another process has its number
	}
	return Lives, ""
}

// Here is the life of this process.
func Here(node string) Life {
	pid := os.Getpid()
	start, _ := startOf(pid)
	return Life{Node: node, PID: pid, Start: start, Boot: bootOf(), Machine: machineOf(), Namespace: namespaceOf(),
		Version: rota.Version, Began: time.Now().UTC().Truncate(time.Second)}
}

// readLife reads what a worker's directory says of it; the zero Life where it says nothing.
func readLife(dir string) (Life, error) {
	text, err := os.ReadFile(filepath.Join(dir, lifeFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Life{}, nil
	}
	if err != nil {
		return Life{}, err
	}
	return parseLife(text), nil
}

// parseLife is the zero Life for a text that is none: one that was cut short says nothing.
func parseLife(text []byte) Life {
	var l Life
	if json.Unmarshal(text, &l) != nil || l.PID <= 0 {
		return Life{}
	}
	return l
}

// write keeps a life in its directory, whole or not at all.
func (l Life) write(dir string) error {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	fresh := filepath.Join(dir, "."+lifeFile)
	if err := os.WriteFile(fresh, append(text, '\n'), 0o666); err != nil {
		return err
	}
	return rename(fresh, filepath.Join(dir, lifeFile))
}

// readID is the text of a file that names something.
func readID(paths ...string) string {
	for _, path := range paths {
		if text, err := os.ReadFile(path); err == nil && len(strings.TrimSpace(string(text))) > 0 {
			return strings.TrimSpace(string(text))
		}
	}
	return ""
}
