package keeper

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	// keptDescriptors are left to what watches and ends attempts, by what starts them: a quarter of all, if those are few.
	keptDescriptors = 64
	// slotDescriptors are more than a slot has, with an attempt in it.
	slotDescriptors = 16
)

// descriptors is how many there may be, and how many of them are for what starts attempts.
func descriptors() (all, free int, err error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, 0, err
	}
	all = int(min(uint64(l.Cur), 1<<30))
	return all, all - min(keptDescriptors, all/4), nil
}

// mayHave fails when descriptors that were just opened are not for what starts attempts. The system gives the lowest that
// is free: when it gives one of the last, all others are in use.
func mayHave(opened ...int) error {
	all, free, err := descriptors()
	for _, fd := range opened {
		if err == nil && fd >= free {
			err = tooFew(all, free)
		}
	}
	return err
}

// forSlot fails when there are too few for one more slot.
func forSlot() error {
	all, free, err := descriptors()
	if err != nil || all > 1<<16 {
		return err // so many are never in use
	}
	names, err := os.ReadDir("/dev/fd")
	if err == nil && len(names)+slotDescriptors > free {
		err = tooFew(all, free)
	}
	return err
}

// closeOnExec keeps from attempts what this process was given by who started it.
func closeOnExec() {
	names, _ := os.ReadDir("/dev/fd")
	for _, d := range names {
		if fd, err := strconv.Atoi(d.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}

func tooFew(all, free int) error {
	return fmt.Errorf("%w: the last %d of %d are for what runs", unix.EMFILE, all-free, all)
}
