//go:build !linux

package doctor

import "context"

// checkLimits: what cannot be held is refused.
func checkLimits(context.Context, Place) Finding {
	return ok("jobs with a limit of memory, CPUs or processes are refused on this system; nice holds")
}
