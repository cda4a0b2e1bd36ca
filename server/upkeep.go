package server

import (
	"context"
	"time"

	"github.com/rotaqueue/rota"
)

// loops is all background work of a server.
type loops struct {
	making     *loop // tasks of arrays and lines
	operating  *loop // operations that are not done
	promoting  *loop // scheduled tasks whose time has come
	observing  *loop // sessions that stand still
	rescuing   *loop // running tasks whose session is gone
	pruning    *loop // history past its retention
	firing     *loop // schedules
	forgetting *loop // blobs that are to go
	following  *loop // fires whose jobs have not ended, and alarms
	others     *loop // what other servers of the store made claimable
	telling    *loop // what people and programs are told
	measuring  *loop // what the queues hold
}

// A step of upkeep holds the store's writer for some 50 ms at most; the breath after it lets others in. What nobody
// waits for takes longer ones.
const (
	shortBreath = 500 * time.Microsecond
	longBreath  = 20 * time.Millisecond
)

func (s *Server) newLoops() loops {
	return loops{
		making:     newLoop("make", 30*time.Second, s.sweep(rota.SweepMake, shortBreath)),
		operating:  newLoop("operate", 30*time.Second, s.sweep(rota.SweepOperate, shortBreath)),
		promoting:  newLoop("promote", 5*time.Second, s.sweep(rota.SweepPromote, shortBreath)),
		observing:  newLoop("observe", observeEvery, s.observe),
		rescuing:   newLoop("rescue", 10*time.Second, s.sweep(rota.SweepRescue, shortBreath)),
		pruning:    newLoop("prune", time.Minute, s.sweep(rota.SweepPrune, longBreath)),
		firing:     newLoop("fire", 5*time.Second, s.fire),
		forgetting: newLoop("forget blobs", time.Minute, s.forgetBlobs),
		following:  newLoop("follow", 30*time.Second, s.sweep(rota.SweepFires, longBreath)),
		others:     newLoop("look", time.Hour, s.lookAtOthers),
		telling:    newLoop("tell", time.Minute, s.deliver),
		measuring:  newLoop("measure", rota.StoreSampleEvery, s.measure),
	}
}

// all are the loops that this server runs. A transient node leaves schedules to the next whole one: what it would
// fire, it could not run (P27).
func (l *loops) all(transient bool) []*loop {
	all := []*loop{l.making, l.operating, l.promoting, l.observing, l.rescuing, l.pruning, l.forgetting, l.others, l.telling}
	if !transient {
		all = append(all, l.firing, l.following, l.measuring)
	}
	return all
}

// sweep is a loop's step: one step of the store's upkeep.
func (s *Server) sweep(what rota.Upkeep, breath time.Duration) func(context.Context) (time.Duration, error) {
	order := rota.Sweep{What: what}
	if what == rota.SweepPrune {
		order.Retention = s.opts.Retention
	}
	return func(ctx context.Context) (time.Duration, error) {
		swept, err := s.store.Sweep(ctx, order)
		if err != nil {
			return 0, err
		}
		for _, id := range swept.Jobs {
			s.hub.changed(id)
		}
		if swept.Ready {
			s.ready()
		}
		if swept.Moved > 0 && (what == rota.SweepFires || what == rota.SweepOperate) {
			s.loops.telling.within(tellSoon)
		}
		switch {
		case swept.More:
			return breath, nil
		case swept.Next.IsZero():
			return never, nil
		}
		return max(swept.Next.Sub(swept.Now), time.Millisecond), nil
	}
}

// now is the time by the store's clock, which decides what is due (P1).
func (s *Server) now(ctx context.Context) (time.Time, error) {
	id, err := s.store.Identity(ctx)
	return id.Now, err
}
