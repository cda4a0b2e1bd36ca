package server

import (
	"context"
	"time"

	"github.com/rotaqueue/rota"
)

// endingPoll is how often a node that runs something is looked after for attempts that another server was asked to
// end (P9), or to show. Those that this server was asked to end are told at once.
const endingPoll = time.Second

// Await returns when the session may find work that it was not told of since it last looked, when an attempt of it
// was asked to end or to be shown, when its node was asked to drain, to pause or to go on, or when the wait is over. Each of these is told
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
	look := time.NewTimer(n.poll())
	defer look.Stop()
	ask := false
	for {
		claimable, more := s.hub.claimable.now()
		asked, ending := s.hub.endings.now()
		looks, looked := s.hub.looks.now()
		_, wished := s.hub.asked.now()
		news := rota.News{Ready: n.hear(claimable)}
		if err := s.lookAfter(ctx, id, n, asked, looks, ask, &news); err != nil {
			return news, s.outward(err)
		}
		news.Drain, news.Pause = n.wishes()
		if news.Ready || len(news.Ending) > 0 || len(news.Looks) > 0 || news.Drain || news.Pause != nil || wait <= 0 {
			return news, nil
		}
		ask = false
		select {
		case <-more:
		case <-ending:
		case <-looked:
		case <-wished:
		case <-look.C:
			ask = n.works() // it may have claimed something meanwhile
			look.Reset(n.poll())
		case <-over.C:
			return rota.News{}, nil
		case <-ctx.Done():
			return rota.News{}, ctx.Err()
		}
	}
}

// lookAfter finds which attempts of a session were asked to end or to be shown, if there may be any, or anyhow.
func (s *Server) lookAfter(ctx context.Context, id rota.SessionID, n *session, asked, looks uint64, anyhow bool, news *rota.News) error {
	ended, looked := n.heard(asked, looks)
	if ended || anyhow {
		all, err := s.store.Endings(ctx, id)
		if err != nil {
			return err
		}
		news.Ending = n.tell(asked, all)
	}
	if looked || anyhow {
		all, err := s.store.Looks(ctx, id)
		if err != nil {
			return err
		}
		news.Looks = n.tellLooks(looks, all)
	}
	return nil
}

// hear takes note of what is claimable, and reports whether that is news.
func (n *session) hear(claimable uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	news := n.hungry || n.seen != claimable
	n.hungry, n.seen = false, claimable
	return news
}

// heard reports whether attempts may have been asked to end, or to be shown, since the session was last looked after.
func (n *session) heard(ends, looks uint64) (ended, looked bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ends != ends, n.looked != looks
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
