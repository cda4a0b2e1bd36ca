package keeper

import (
	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// attempt is what the keeper knows of one process that it was given. Its fields belong to the keeper's lock, but for
// process, which its slot reads while it runs, and watch and gauge, which have locks of their own.
type attempt struct {
	process  executor.Process // nothing but its Try and Note once it has ended
	state    State
	streams  [2]string // the files of its output while it runs: from its process's start until they are settled
	unleased bool      // it is being ended because its lease is over
	failures int       // how often it could not be started for a reason of ours
	exit     executor.Exit
	watch    watch
	gauge    gauge
}

// State is how far a keeper is with an attempt.
type State string

const (
	Waiting State = "waiting"
	Running State = "running"
	Ended   State = "ended"
)

// Held is an attempt that a keeper has, as it tells it to a daemon that did not give it.
type Held struct {
	rota.Try
	State State
	Note  []byte // as it came with the process
}
