package doctor

import (
	"context"
	"os"
	"slices"
	"time"
)

const (
	slowFsync = 20 * time.Millisecond
	fsyncs    = 20
	fsyncTime = 2 * time.Second // on a slow disk fewer must do
)

// checkFsync measures how long the disk takes to keep a page: every commit of the store waits that long.
func checkFsync(ctx context.Context, p Place) Finding {
	base, err := ground(p.Data)
	if err != nil {
		return fail(elsewhere, "not measured: %v", err)
	}
	var took []time.Duration
	err = withOwnFile(base, func(f *os.File) (err error) {
		took, err = measureFsync(ctx, f)
		return err
	})
	if err != nil {
		return fail(mendWrite(base, err), "not measured: %s: %v", base, err)
	}
	return judgeFsync(base, took)
}

// measureFsync appends a page as often as is asked, and times how long each takes to be on disk.
func measureFsync(ctx context.Context, f *os.File) ([]time.Duration, error) {
	page := make([]byte, 4096)
	took := make([]time.Duration, 0, fsyncs)
	for start := time.Now(); len(took) < fsyncs && (len(took) < 3 || time.Since(start) < fsyncTime); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if _, err := f.Write(page); err != nil {
			return nil, err
		}
		before := time.Now()
		if err := fdatasync(f); err != nil {
			return nil, err
		}
		took = append(took, time.Since(before))
	}
	return took, nil
}

func judgeFsync(dir string, took []time.Duration) Finding {
	slices.Sort(took)
	median := took[len(took)/2]
	ms := float64(median) / float64(time.Millisecond)
	if median > slowFsync {
		return warn("put the data folder on a faster local disk with --data DIR",
			"a commit waits %.1f ms for the disk of %s (median of %d): short jobs will wait for it", ms, dir, len(took))
	}
	return ok("a commit waits %.2f ms for the disk of %s (median of %d)", ms, dir, len(took))
}
