package server

import (
	"context"
	"time"

	"github.com/rotaqueue/rota"
)

// endingPoll is how often a node that runs something is looked after for attempts that another server was asked to
// end (P9). Those that this server was asked to end are told at once.
const endingPoll = time.Second

// Await returns when the session may find work that it was not told of since it last looked, when an attempt of it
// was asked to end, when its node was asked to drain, to pause or to go on, or when the wait is over. Each of these is told
// here once: renewals repeat it.
func (s *Server) Await(ctx context.Context, id rota.SessionID, wait time.Duration) (rota.News, error) {
	p, err := s.allow(ctx, "await")
	if err == nil {
		err = s.ownSession(ctx, p, id)
	}
	if err != nil {
		return rota.News{}, err
	}
	n := s.sessions.get(id)
	over := time.NewTimer(max(min(wait, rota.MaxWait), 0))
	defer over.Stop()
	look := time.NewTicker(endingPoll)
	defer look.Stop()
	ask := false
	for {
		claimable, more := s.hub.claimable.now()
		asked, ending := s.hub.endings.now()
		_, wished := s.hub.asked.now()
		news := rota.News{Ready: n.hear(claimable)}
		if n.heard(asked) || ask {
			endings, err := s.store.Endings(ctx, id)
			if err != nil {
				return news, s.outward(err)
			}
			news.Ending = n.tell(asked, endings)
		}
		news.Drain, news.Pause = n.wishes()
		if news.Ready || len(news.Ending) > 0 || news.Drain || news.Pause != nil || wait <= 0 {
			return news, nil
		}
		tick := look.C
		if !n.works() {
			tick = nil
		}
		ask = false
		select {
		case <-more:
		case <-ending:
		case <-wished:
		case <-tick:
			ask = true
		case <-over.C:
			return rota.News{}, nil
		case <-ctx.Done():
			return rota.News{}, ctx.Err()
		}
	}
}

// hear takes note of what is claimable, and reports whether that is news.
func (n *session) hear(claimable uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	news := n.hungry || n.seen != claimable
	n.hungry, n.seen = false, claimable
	return news
}

// heard reports whether attempts may have been asked to end since the session was last looked after.
func (n *session) heard(ends uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ends != ends
}

// wishes are whether the node was asked to drain, and to pause or go on, since the session was last told.
func (n *session) wishes() (drain bool, pause *bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	drain, pause = n.drain, n.pause
	n.drain, n.pause = false, nil
	return drain, pause
}

// works reports whether the session may hold attempts.
func (n *session) works() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.busy > 0
}

// tell is those of the endings that the session was not told before.
func (n *session) tell(ends uint64, endings []rota.EndingTry) []rota.EndingTry {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ends = ends
	told := make(map[rota.EndingTry]bool, len(endings))
	var news []rota.EndingTry
	for _, e := range endings {
		if !n.told[e] {
			news = append(news, e)
		}
		told[e] = true
	}
	n.told = told
	return news
}
