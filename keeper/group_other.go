//go:build !linux

package keeper

import (
	"errors"
	"syscall"
)

// groups are control groups, which Linux alone has.
type groups struct{}

func openGroups(string) (groups, error) {
	return groups{}, errors.New("control groups are Linux's alone")
}

func removeGroups(string) error { return nil }

func (groups) remove() error { return nil }

func (groups) slot(string) (*group, error) { return &group{attr: &apart}, nil }

type group struct{ attr *syscall.SysProcAttr }

func (*group) starved() bool       { return false }
func (*group) folder() string      { return "" }
func (*group) kill() (bool, error) { return false, nil }
func (*group) close()              {}

func (s *group) discard() {}
