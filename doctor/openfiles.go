package doctor

import (
	"context"
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// What a node holds open: its store's connections and its clients', and of each slot output files and the process.
const (
	nodeFiles    = 256
	filesPerSlot = 16
	fewestFiles  = 64 // below, not even a few clients
)

// checkOpenFiles asks whether the process may open as many files as its slots need.
func checkOpenFiles(_ context.Context, p Place) Finding {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return ok("the limit of open files is not known: %v", err)
	}
	// A node raises its own limit as far as it may, as every Go program does, this one too.
	return judgeOpenFiles(uint64(limit.Max), p.Slots)
}

func judgeOpenFiles(limit uint64, slots int) Finding {
	need := nodeFiles + filesPerSlot*uint64(max(slots, 1))
	fix := fmt.Sprintf("ulimit -n %d before the node starts (in a systemd unit: LimitNOFILE=%d), or fewer slots", need, need)
	switch {
	case limit < fewestFiles+need/4:
		return fail(fix, "a node may open %d files, and with %d slots needs about %d", limit, slots, need)
	case limit < need:
		return warn(fix, "a node may open %d files, and with %d slots may need up to %d", limit, slots, need)
	}
	return ok("a node may open %s files; with %d slots it needs up to %d", count(limit), slots, need)
}

// count writes a limit; what is beyond all counting is how systems write that there is none.
func count(limit uint64) string {
	if limit >= math.MaxInt64 {
		return "any number of"
	}
	return fmt.Sprint(limit)
}
