package doctor

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// What runs at once: a node's threads, and of each slot a few processes with their threads.
const (
	nodeThreads    = 256
	threadsPerSlot = 16
)

// bound is one of the limits to the number of processes and threads.
type bound struct {
	most uint64
	what string
	fix  string // with %d for what is needed
}

// checkProcesses asks whether the slots can have the processes that they need, by the tightest of all limits.
func checkProcesses(_ context.Context, p Place) Finding {
	bounds := systemBounds()
	var own unix.Rlimit
	// Root is not bound by its own.
	if unix.Getrlimit(unix.RLIMIT_NPROC, &own) == nil && os.Geteuid() != 0 {
		bounds = append(bounds, bound{uint64(own.Cur), "ulimit -u", "ulimit -u %d before the node starts (in a systemd unit: LimitNPROC=%[1]d)"})
	}
	return judgeProcesses(bounds, p.Slots)
}

func judgeProcesses(bounds []bound, slots int) Finding {
	if len(bounds) == 0 {
		return ok("no limit to the number of processes is known on this system")
	}
	tight := bounds[0]
	for _, b := range bounds[1:] {
		if b.most < tight.most {
			tight = b
		}
	}
	need := nodeThreads + threadsPerSlot*uint64(max(slots, 1))
	fix := fmt.Sprintf(tight.fix, need) + ", or fewer slots"
	switch {
	case tight.most < need/8:
		return fail(fix, "%d processes and threads may run (%s), and %d slots need about %d", tight.most, tight.what, slots, need)
	case tight.most < need:
		return warn(fix, "%d processes and threads may run (%s), and %d slots may need up to %d", tight.most, tight.what, slots, need)
	}
	return ok("%s processes and threads may run (%s); %d slots may need up to %d", count(tight.most), tight.what, slots, need)
}
