//go:build !linux

package keeper

import (
	"errors"
	"log/slog"
)

// orphans come to the keeper on Linux alone.
type orphans struct{}

type run struct{}

func adopt(string, *slog.Logger) (*orphans, error) {
	return nil, errors.New("child subreapers are Linux's alone")
}

func (*orphans) begin(birth, *gauge) *run { return nil }
func (*orphans) started(*run, int)        {}
func (*orphans) end(*run)                 {}
func (*orphans) reap() int                { return 0 }
func (*orphans) close()                   {}

// onMainThread need not be known here.
func onMainThread() bool { return false }
