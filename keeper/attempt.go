package keeper

import (
	"github.com/rotaqueue/rota/executor"
)

// attempt is what the keeper knows of one process that it was given. Its fields belong to the keeper's lock, but for
// process, which its slot reads while it runs, and watch, which has a lock of its own.
type attempt struct {
	process  executor.Process // nothing but its Try once it has ended
	state    state
	slot     *slot // where its output is now; nil when that is over
	failures int   // how often it could not be started for a reason of ours
	exit     executor.Exit
	watch    watch
}

type state uint8

const (
	stateWaiting state = iota
	stateRunning
	stateEnded
)
