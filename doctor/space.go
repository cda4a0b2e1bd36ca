package doctor

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

const (
	littleSpace = 1 << 30   // bytes: below, history should not grow for long
	noSpace     = 100 << 20 // bytes: below, a backlog of output fills the rest in no time
)

// checkSpace asks how much an ordinary user can still write where the data folder lies.
func checkSpace(_ context.Context, p Place) Finding {
	base, st, err := statfs(p.Data)
	if err != nil {
		return fail(elsewhere, "the free space of %s is not known: %v", p.Data, err)
	}
	return judgeSpace(base, uint64(max(int64(st.Bavail), 0))*uint64(st.Bsize))
}

func statfs(dir string) (base string, st unix.Statfs_t, err error) {
	if base, err = ground(dir); err == nil {
		err = unix.Statfs(base, &st)
	}
	return base, st, err
}

func judgeSpace(dir string, free uint64) Finding {
	fix := "free some space (df -h " + quote(dir) + "), or " + elsewhere
	switch {
	case free < noSpace:
		return fail(fix, "%s left where %s lies: too little for a node", bytes(free), dir)
	case free < littleSpace:
		return warn(fix, "%s left where %s lies", bytes(free), dir)
	}
	return ok("%s left where %s lies", bytes(free), dir)
}

func bytes(n uint64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}
