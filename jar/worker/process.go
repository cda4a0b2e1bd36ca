package worker

import (
	"io"
	"os"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
	"github.com/rotaqueue/rota/jar"
)

// process is a job as the keeper runs it.
func (w *worker) process(c *jar.Claim, scratch string) executor.Process {
	p := executor.Process{Try: rota.Try{Task: rota.TaskID(w.jobs), Attempt: 1}, Dir: scratch, Timeout: w.Timeout, Grace: w.Grace, Limits: w.Limits}
	p.Argv = []string{c.Path()}
	if p.Grace == 0 {
		p.Grace = rota.DefaultGrace
	}
	p.Env = append(append([]string{}, w.Env...), jar.Env(w.Worker.Jar(), w.Worker.Life().Node, c, scratch)...)
	return p
}

// needsShell reports whether a job was refused because it is a text that does not say what runs it. Most do, so that is
// asked when the system has refused one, and not of all before.
func needsShell(x executor.Exit, c *jar.Claim) bool {
	if x.Spawned || x.Outcome != rota.OutcomeRefused {
		return false
	}
	f, err := os.Open(c.Path())
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, jar.HeadSize)
	n, _ := io.ReadFull(f, head)
	return jar.NeedsShell(head[:n])
}

// endOf is what an exit means for the jar.
func endOf(x executor.Exit) jar.End {
	e := jar.End{Code: codeOf(x)}
	plain := x.Outcome == rota.OutcomeSucceeded || x.Outcome == rota.OutcomeFailed && x.Code != nil
	if !plain && !(x.Outcome == rota.OutcomeRefused && x.Spawned) {
		e.Note = x.Reason
	}
	return e
}

const (
	signalled = 128 // and the signal's number, as shells have it
	unknown   = 125 // it did not run to an end, and nothing tells how it would have ended
)

func codeOf(x executor.Exit) int {
	switch {
	case x.Code != nil:
		return *x.Code
	case x.Signal != 0:
		return signalled + x.Signal
	}
	return unknown
}
