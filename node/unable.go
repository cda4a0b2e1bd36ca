package node

import (
	"time"

	"github.com/rotaqueue/rota"
)

// inability is that of a node whose keeper could not start a task, for want of processes, memory, descriptors or space.
// It would befall the whole queue, and use up how often tasks may be given back: nothing is claimed until the keeper,
// asked after pauses that grow, says that it could start something.
type inability struct {
	is     bool
	since  rota.Elapsed // when it was last met: what had been started before proves nothing
	pauses pauses
	lookAt rota.Elapsed // when the keeper is asked
	asking bool
}

func newInability() inability {
	return inability{pauses: pauses{first: time.Second, cap: 30 * time.Second}}
}

// balk is told that a task could not be started.
func (r *reactor) balk(now rota.Elapsed) {
	r.unable.since = now
	if !r.unable.is {
		r.unable.is, r.renewAt = true, now
		r.unable.lookAt = now + rota.Elapsed(r.unable.pauses.more())
	}
}

// started is told when a task was started that has ended. It may have had what another lacks.
func (r *reactor) started(at, now rota.Elapsed) {
	switch u := &r.unable; {
	case u.is:
		u.lookAt = min(u.lookAt, now+rota.Elapsed(u.pauses.first))
	case at > u.since:
		u.pauses.reset()
	}
}

// decideCheck asks the keeper whether it could start something.
func (r *reactor) decideCheck(now rota.Elapsed) {
	if u := &r.unable; r.mode == up && u.is && !u.asking && r.due(u.lookAt, now) {
		u.asking, r.todo.check = true, true
	}
}

// couldStart is told what the keeper said: why it could not, or nil.
func (r *reactor) couldStart(err error, now rota.Elapsed) {
	u := &r.unable
	u.asking = false
	if err != nil {
		r.log.Warn("nothing is claimed: no task could be started", "err", err)
		u.lookAt = now + rota.Elapsed(u.pauses.more())
		return
	}
	r.log.Info("tasks are claimed again")
	u.is, r.hungry, r.renewAt = false, true, now
}
