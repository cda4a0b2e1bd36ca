package keeper

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// alarm rings at a reading of clock.Elapsed: at once when the machine wakes, if that came while it slept (P2).
type alarm struct {
	fd   int
	file *os.File
}

// newAlarm makes one that calls ring, from a goroutine of its own.
func newAlarm(ring func()) (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	a := &alarm{fd: fd, file: os.NewFile(uintptr(fd), "alarm")}
	go func() {
		var times [8]byte
		for {
			if _, err := a.file.Read(times[:]); err != nil {
				return
			}
			ring()
		}
	}()
	return a, nil
}

// set says when; never stops it.
func (a *alarm) set(at rota.Elapsed) {
	var spec unix.ItimerSpec
	if at != never {
		spec.Value = unix.NsecToTimespec(max(int64(at), 1))
	}
	_ = unix.TimerfdSettime(a.fd, unix.TFD_TIMER_ABSTIME, &spec, nil) // it cannot fail with such arguments
}

func (a *alarm) close() { _ = a.file.Close() }
