package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/rotaqueue/rota"
)

// outward makes an error of the store fit to leave the Service: of one of the kinds, or the caller's own context
// error. A store that is not durable any more is told to Run.
func (s *Server) outward(err error) error {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, rota.ErrBroken):
		select {
		case s.broken <- err:
		default: // told already
		}
		return err
	case !expected(err):
		return fmt.Errorf("%w: %w", rota.ErrInternal, err)
	}
	return err
}

// expected reports whether an error is of a kind.
func expected(err error) bool {
	for _, k := range rota.Kinds {
		if errors.Is(err, k.Err) {
			return true
		}
	}
	return false
}
