// Package doctor examines what a node needs of its machine: a folder that keeps what it is given, a socket, a port,
// room for files and processes, clocks, zones, a shell, and control groups to set limits with.
//
// It promises to change nothing: it makes and removes a small file of its own in the data folder (or, where that is
// not there yet, in the folder that it would be made in), and listens on the node's port for a moment. It does not
// open the store, and it needs no node.
package doctor

import (
	"context"
	"fmt"
	"time"
)

// Place is where a node runs, or would: what is examined.
type Place struct {
	Data   string // the data folder; it need not exist
	Socket string // path of the node's socket; empty: none is examined
	Listen string // HOST:PORT of the API; empty or "none": none is examined
	Slots  int    // tasks that run at once

	Certificate    string // file of the API's certificate; empty: it has none
	OwnCertificate bool   // the node makes it itself

	Servers []Server // that a node without a store works for; none: it has a store
}

// Server is one that a node works for.
type Server struct {
	Address string
	Ask     func(context.Context) error // reports whether it answers, and is the one that is meant
}

// Level says how bad a finding is.
type Level string

const (
	OK   Level = "ok"
	Warn Level = "warn" // a node runs, but something is worse than it could be
	Fail Level = "fail" // a node does not run, or not for long
)

// Finding is the result of one check.
type Finding struct {
	Name  string // of the check
	Level Level
	Text  string // a sentence: what was found
	Fix   string // what mends it, a command where there is one; set for Warn and Fail
}

// check is one thing to look at. It may take as long as it wants: see patience.
type check struct {
	name    string
	examine func(context.Context, Place) Finding
}

// checks are all that is looked at, in the order in which it is told.
var checks = []check{
	{"folder", checkFolder},
	{"file-system", checkFileSystem},
	{"free-space", checkSpace},
	{"inodes", checkInodes},
	{"fsync", checkFsync},
	{"socket", checkSocket},
	{"port", checkPort},
	{"certificate", checkCertificate},
	{"servers", checkServers},
	{"open-files", checkOpenFiles},
	{"processes", checkProcesses},
	{"clock", checkClock},
	{"clock-sync", checkClockSync},
	{"time-zones", checkZones},
	{"cgroups", checkCgroups},
	{"limits", checkLimits},
	{"shell", checkShell},
}

// patience is how long a check may take. A disk or a network file system that hangs does so for ever.
const patience = 10 * time.Second

// Examine makes all checks, one after the other, and returns one finding for each. When ctx ends it returns those
// that it has.
func Examine(ctx context.Context, p Place) []Finding {
	return examine(ctx, p, checks, patience)
}

func examine(ctx context.Context, p Place, checks []check, patience time.Duration) []Finding {
	var found []Finding
	for _, c := range checks {
		f, done := c.within(ctx, p, patience)
		if !done {
			break
		}
		f.Name = c.name
		found = append(found, f)
	}
	return found
}

// within makes a check, and stops waiting for it when it takes too long. It is not done when ctx ended meanwhile.
func (c check) within(ctx context.Context, p Place, patience time.Duration) (f Finding, done bool) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	result := make(chan Finding, 1)
	go func() { result <- c.examine(limited, p) }()
	select {
	case f = <-result:
	case <-limited.Done():
		f = fail("see what hangs: dmesg | tail, and df on the data folder", "no answer within %v", patience)
	}
	return f, ctx.Err() == nil
}

func ok(format string, args ...any) Finding {
	return Finding{Level: OK, Text: fmt.Sprintf(format, args...)}
}

func warn(fix, format string, args ...any) Finding {
	return Finding{Level: Warn, Text: fmt.Sprintf(format, args...), Fix: fix}
}

func fail(fix, format string, args ...any) Finding {
	return Finding{Level: Fail, Text: fmt.Sprintf(format, args...), Fix: fix}
}
