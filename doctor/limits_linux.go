package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rotaqueue/rota/cgroup"
)

// limited are the limits of jobs and the controllers that hold them.
var limited = []struct{ what, controller string }{{"memory", "memory"}, {"CPUs", "cpu"}, {"processes", "pids"}}

// means is how a limit would be held by a node that is started as this process was.
type means struct {
	what    string
	version int   // of the control groups; 0: none can
	why     error // of 0
}

// checkLimits asks by which means limits of jobs are held.
func checkLimits(context.Context, Place) Finding {
	return judgeLimits(findMeans("/proc/self"))
}

// findMeans looks where the keeper looks, and changes nothing.
func findMeans(proc string) []means {
	parent := cgroup.Parent{}
	own, err := cgroup.Unified(proc)
	if err == nil {
		wanted := make([]string, len(limited))
		for i, l := range limited {
			wanted[i] = l.controller
		}
		parent = cgroup.Find(own, wanted)
		err = parent.Err
	}
	var all []means
	for _, l := range limited {
		m := means{what: l.what}
		_, older := cgroup.FindLegacy(proc, l.controller)
		switch {
		case slices.Contains(parent.Controllers, l.controller):
			m.version = 2
		case older == nil:
			m.version = 1
		default:
			m.why = errors.Join(err, older)
		}
		all = append(all, m)
	}
	return all
}

func judgeLimits(all []means) Finding {
	var said []string
	var why error
	for _, m := range all {
		switch {
		case m.version > 0:
			said = append(said, fmt.Sprintf("%s by control group (v%d)", m.what, m.version))
			continue
		case m.what == "CPUs":
			said = append(said, "CPUs not at all: jobs run without that limit")
		default:
			said = append(said, m.what+" by a look each second")
		}
		why = m.why
	}
	text := "limits of jobs hold: " + strings.Join(said, ", ")
	if why == nil {
		return ok("%s", text)
	}
	return warn(delegate(), "%s (%s)", text, strings.ReplaceAll(why.Error(), "\n", "; "))
}
