//go:build !linux

package doctor

import "context"

// checkCgroups: other systems have none, and jobs are ended by process group there.
func checkCgroups(context.Context, Place) Finding {
	return ok("control groups are Linux's alone; jobs are ended by process group")
}
