package join

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/rotaqueue/rota"
)

// How long one server may take to answer before the next is asked. Nothing is lost by a wrong guess: what the first one
// does all the same, the store does once (P5).
const (
	briefly = 10 * time.Second // for a call that carries little
	long    = time.Minute      // for a piece of output or input, over a slow line
	margin  = 10 * time.Second // for an answer that is waited for, beyond that wait
)

var _ rota.NodeService = (*Servers)(nil)

// OpenSession registers the node and opens its session.
func (s *Servers) OpenSession(ctx context.Context, o rota.Opening) (rota.Opened, error) {
	return ask(ctx, s, briefly, func(ctx context.Context, srv *server) (rota.Opened, error) {
		got, err := srv.calls.OpenSession(ctx, o)
		if err == nil {
			s.learn(srv, got.Servers)
		}
		return got, err
	})
}

// Await returns when the session may find work, when one of its attempts is asked to end, when its node is asked to
// drain, or when the wait is over. It waits at the server that the other calls go to.
func (s *Servers) Await(ctx context.Context, id rota.SessionID, wait time.Duration) (rota.News, error) {
	return ask(ctx, s, wait+margin, func(ctx context.Context, srv *server) (rota.News, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		front, moved := s.atFront()
		if front == srv {
			go func() {
				select {
				case <-moved:
					cancel()
				case <-ctx.Done():
				}
			}()
		}
		news, err := srv.calls.Await(ctx, id, wait)
		if err == nil || errors.Is(err, rota.ErrLeaseLost) {
			return news, err
		}
		select {
		case <-moved: // what happens is told at another one now
			return rota.News{Ready: true}, nil
		default:
			return news, err
		}
	})
}

// Exchange finishes what ended and claims what fits. A server that does not answer may have done it: the next one is
// asked under the same number, and answers as the first would have (P5).
func (s *Servers) Exchange(ctx context.Context, x rota.Exchange) (rota.Exchanged, error) {
	return ask(ctx, s, s.opts.TTL/3, func(ctx context.Context, srv *server) (rota.Exchanged, error) { return srv.calls.Exchange(ctx, x) })
}

// KeepOutput keeps pieces of a running attempt's output before its finish.
func (s *Servers) KeepOutput(ctx context.Context, try rota.Try, chunks []rota.Chunk) error {
	_, err := ask(ctx, s, long, func(ctx context.Context, srv *server) (struct{}, error) {
		return struct{}{}, srv.calls.KeepOutput(ctx, try, chunks)
	})
	return err
}

// KeepArtifact keeps a file that an attempt has left. A body that can be read again (io.Seeker) is sent to the next server
// when one does not answer.
func (s *Servers) KeepArtifact(ctx context.Context, a rota.Artifact, body io.Reader) error {
	patience := long + briefly*time.Duration(a.Size/rota.MaxPartBytes)
	_, err := ask(ctx, s, patience, func(ctx context.Context, srv *server) (struct{}, error) {
		return struct{}{}, srv.calls.KeepArtifact(ctx, a, body)
	})
	return err
}

// ShowOutput shows a piece of a running attempt's output to who looks at a server.
func (s *Servers) ShowOutput(ctx context.Context, l rota.Look, out rota.Output) error {
	_, err := ask(ctx, s, briefly, func(ctx context.Context, srv *server) (struct{}, error) {
		return struct{}{}, srv.calls.ShowOutput(ctx, l, out)
	})
	return err
}

// Input is a piece of a job's uploaded standard input, and its whole length.
func (s *Servers) Input(ctx context.Context, job rota.JobID, offset int64, max int) ([]byte, int64, error) {
	return s.piece(ctx, func(ctx context.Context, srv *server) ([]byte, int64, error) {
		return srv.calls.Input(ctx, job, offset, max)
	})
}

// Program is a piece of the blob that a job runs, and its whole length.
func (s *Servers) Program(ctx context.Context, job rota.JobID, offset int64, max int) ([]byte, int64, error) {
	return s.piece(ctx, func(ctx context.Context, srv *server) ([]byte, int64, error) {
		return srv.calls.Program(ctx, job, offset, max)
	})
}

// piece asks for a piece of something.
func (s *Servers) piece(ctx context.Context, call func(context.Context, *server) ([]byte, int64, error)) ([]byte, int64, error) {
	type piece struct {
		data []byte
		size int64
	}
	got, err := ask(ctx, s, long, func(ctx context.Context, srv *server) (p piece, err error) {
		p.data, p.size, err = call(ctx, srv)
		return p, err
	})
	return got.data, got.size, err
}

// CloseSession ends a session cleanly.
func (s *Servers) CloseSession(ctx context.Context, id rota.SessionID) error {
	_, err := ask(ctx, s, briefly, func(ctx context.Context, srv *server) (struct{}, error) {
		return struct{}{}, srv.calls.CloseSession(ctx, id)
	})
	return err
}

// ask asks one server after the other, each for so long, until one has a word of the store's. When none has, the error
// is one that waiting may mend, if there is such a one.
func ask[T any](ctx context.Context, s *Servers, patience time.Duration, call func(context.Context, *server) (T, error)) (T, error) {
	var none T
	var failed error
	all := s.all()
	for _, srv := range all {
		try, cancel := context.WithTimeout(ctx, patience)
		got, err := call(try, srv)
		cancel()
		if ctx.Err() != nil && err != nil {
			return none, err
		}
		away := elsewhere(srv, err, patience)
		if away == nil {
			s.answered(srv, all[0])
			return got, err
		}
		failed = worse(failed, away)
	}
	return none, failed
}

// elsewhere is why another server may answer what this one did not; nil: it has said what there is to say.
func elsewhere(srv *server, err error, patience time.Duration) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return rota.Errorf(rota.ErrUnavailable, "%v does not answer within %v", srv.address, patience)
	case errors.Is(err, rota.ErrBroken): // it is about to end; the store may go on
		return rota.Errorf(rota.ErrUnavailable, "%v: %v", srv.address, err)
	case errors.Is(err, rota.ErrUnavailable), errors.Is(err, rota.ErrUnauthenticated), errors.Is(err, rota.ErrInternal):
		return err
	}
	return nil
}

// worse is the one of two errors that is told: what waiting may mend goes first, for then it is to be tried again.
func worse(a, b error) error {
	if a == nil || errors.Is(b, rota.ErrUnavailable) && !errors.Is(a, rota.ErrUnavailable) {
		return b
	}
	return a
}
