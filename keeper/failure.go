package keeper

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// failure is why there is no process: refused when there will never be one, failed when there may be one at another
// try of the job's, returned when it is our own trouble and not the job's (P7).
type failure struct {
	outcome rota.Outcome
	reason  string
	code    int // of a refusal: what a shell would have ended with
}

func refused(code int, reason string) *failure {
	return &failure{rota.OutcomeRefused, reason, code}
}

func returned(reason string) *failure {
	return &failure{outcome: rota.OutcomeReturned, reason: reason}
}

// isOurs reports whether the next attempt would fail likewise.
func (f *failure) isOurs() bool { return f.outcome == rota.OutcomeReturned && f.reason != takenBack }

var (
	ours = []unix.Errno{unix.EAGAIN, unix.ENOMEM, unix.EMFILE, unix.ENFILE}
	// Of the files and programs that a job names.
	forGood = []unix.Errno{unix.ENOENT, unix.EACCES, unix.EPERM, unix.ENOEXEC, unix.E2BIG, unix.ENOTDIR, unix.EISDIR,
		unix.ELOOP, unix.ENAMETOOLONG, unix.EROFS, unix.ENXIO, unix.EINVAL}
)

// fail is the failure of something that the job asked for.
func fail(err error, reason string) *failure {
	var errno unix.Errno
	switch errors.As(err, &errno); {
	case slices.Contains(ours, errno):
		return returned("could not be started: " + reason)
	case slices.Contains(forGood, errno):
		return refused(notExecutable, reason)
	}
	return &failure{outcome: rota.OutcomeFailed, reason: reason}
}

// failOurs is the failure of something in our own folder.
func failOurs(err error) *failure {
	return returned("could not be started: " + err.Error())
}
