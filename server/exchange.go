package server

import (
	"context"
	"errors"
	"time"

	"github.com/rotaqueue/rota"
)

// maxExchange bounds one exchange, so that its transaction stays short (P18).
const maxExchange = 1_000

// dependentsSoon is how soon after a finish the operations are looked at that the store may have made of it. It
// gathers the finishes of a busy node.
const dependentsSoon = 20 * time.Millisecond

// Exchange finishes what ended and claims what fits, and gives each claimed attempt the token that lets its job
// submit.
func (s *Server) Exchange(ctx context.Context, x rota.Exchange) (rota.Exchanged, error) {
	p, err := s.allow(ctx, "exchange")
	if err == nil {
		err = checkExchange(&x)
	}
	if err == nil {
		err = s.ownSession(ctx, p, x.Session)
	}
	if err != nil {
		return rota.Exchanged{}, err
	}
	if p.Role == rota.RoleNode {
		x.Claim.Queues = ownQueues(p.Node, x.Claim.Queues)
	}
	mac, err := s.signer.mac(ctx, s.store)
	if err != nil {
		return rota.Exchanged{}, s.outward(err)
	}
	x.Claim.Home = s.opts.Home
	n := s.sessions.get(x.Session)
	first := n.sends(x.Seq)
	before, begun := s.hub.claimable.counted(), time.Now()
	done, err := s.store.Exchange(ctx, x)
	if err != nil {
		return rota.Exchanged{}, s.outward(err)
	}
	s.meters.exchanged(&x, &done, time.Since(begun))
	for i := range done.Claimed {
		done.Claimed[i].Token = jobToken(mac, done.Claimed[i].Try)
	}
	if err := s.disclose(ctx, done.Claimed); err != nil {
		return rota.Exchanged{}, s.outward(err)
	}
	s.exchanged(&x, &done)
	s.looked(n, &x, &done, first, before)
	return done, nil
}

func checkExchange(x *rota.Exchange) error {
	if x.Claim.Max < 0 || x.Claim.Max > maxExchange || len(x.Finished) > maxExchange {
		return rota.Errorf(rota.ErrTooLarge, "exchange: finishes %d and claims %d, and %d of each is the limit", len(x.Finished), x.Claim.Max, maxExchange)
	}
	for i := range x.Finished {
		kept := 0
		for _, c := range x.Finished[i].Output {
			kept += len(c.Data)
		}
		if kept > 2*rota.InlineOutput {
			return rota.Errorf(rota.ErrTooLarge, "finish %v: carries %d bytes of output, and %d is the limit", x.Finished[i].Try, kept, 2*rota.InlineOutput)
		}
	}
	return nil
}

// exchanged wakes whom an exchange concerns.
func (s *Server) exchanged(x *rota.Exchange, done *rota.Exchanged) {
	for i := range x.Finished {
		f := &x.Finished[i]
		s.hub.changed(f.Task.Job())
		if f.Outcome.IsRetried() {
			s.loops.promoting.within(f.RetryIn.D())
		}
	}
	for i := range done.Claimed {
		s.hub.changed(done.Claimed[i].Task.Job())
	}
	if len(x.Finished) > 0 {
		s.loops.operating.within(dependentsSoon)
		s.loops.telling.within(tellSoon)
	}
}

// looked says what may have become claimable by the finishes, to all but the session itself if that has just looked
// and left nothing: its claim did not come back full, and is not the answer of an earlier time.
func (s *Server) looked(n *session, x *rota.Exchange, done *rota.Exchanged, first bool, before uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	knows := before
	if done.Freed {
		s.store.Notify(rota.NoticeReady)
	}
	if len(x.Finished) > 0 {
		if raised := s.hub.claimable.raise(); raised == before+1 {
			knows = raised // nobody else had news meanwhile
		}
	}
	n.busy += len(done.Claimed) - len(x.Finished)
	switch {
	case x.Claim.Max == 0:
	case first && len(done.Claimed) < x.Claim.Max:
		n.hungry, n.seen = false, knows
	default:
		n.hungry = true
	}
}

// KeepOutput keeps pieces of a running attempt's output before its finish (P14).
func (s *Server) KeepOutput(ctx context.Context, try rota.Try, chunks []rota.Chunk) error {
	p, err := s.allow(ctx, "keep output")
	if err == nil {
		err = s.ownAttempt(ctx, p, try)
	}
	if errors.Is(err, rota.ErrLeaseLost) && s.hasEnded(ctx, try) {
		err = nil // the store knows whether it keeps that already
	}
	if err != nil {
		return err
	}
	kept := 0
	for _, c := range chunks {
		kept += len(c.Data)
	}
	if kept > rota.MaxPartBytes {
		return rota.Errorf(rota.ErrTooLarge, "output of %v: %d bytes at once, and %d is the limit", try, kept, rota.MaxPartBytes)
	}
	return s.outward(s.store.KeepOutput(ctx, try, chunks))
}

// Input is a piece of a job's uploaded standard input, and its whole length.
func (s *Server) Input(ctx context.Context, job rota.JobID, offset int64, most int) ([]byte, int64, error) {
	p, err := s.allow(ctx, "input")
	if err == nil {
		err = s.ownInput(ctx, p, job)
	}
	if err != nil {
		return nil, 0, err
	}
	if offset < 0 || most < 0 {
		return nil, 0, rota.Invalid("input of job %v: %d bytes from %d: not a piece of it", job, most, offset)
	}
	piece, size, err := s.store.Input(ctx, job, offset, min(most, rota.MaxPartBytes))
	return piece, size, s.outward(err)
}
