// Package discipline says in which order the tasks of one queue are claimed. A discipline gives each task a rank when
// it becomes ready; within a queue the lowest rank goes first, and of equal ranks the older task. One index over
// (rank, id) therefore serves every discipline there is: who is first is decided when a task comes, and who may
// start at all when it is claimed (PIFO, Sivaraman et al. 2016; PIEO, Shrivastav 2019).
//
// It touches values only. A new discipline is a file with its rule and a line in the table below.
package discipline

import (
	"maps"
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
)

// Default is the discipline of a queue that was given none. As long as nobody sets a priority it is first in,
// first out.
const Default = "priority"

var disciplines = map[string]Discipline{
	"fifo":     fifo,
	"priority": priority,
	"sfq":      sfq,
}

// Discipline is a rule of order.
type Discipline struct {
	// Flows says that ranks depend on what came before of the same flow, so that Turn and Flow are to be kept.
	Flows bool
	// ranks are those of n tasks of one job that become ready one after another: the first, and how much more each next has.
	ranks func(a Arrival, n int) (first, step int64)
}

// Arrival is what a discipline is told of tasks that become ready.
type Arrival struct {
	Priority int
	Turn     *Turn // of the queue; nil unless the discipline has flows
	Flow     *Flow // likewise
}

// Of is the named discipline. One that is not there is ErrInvalid.
func Of(name string) (Discipline, error) {
	d, ok := disciplines[name]
	if !ok {
		return d, rota.Invalid("discipline %q: the disciplines are %s", name, strings.Join(Names(), ", "))
	}
	return d, nil
}

// Ranks are the ranks of n tasks of one job that become ready one after another: the first, and how much more each next
// has. Lower goes first. It moves Turn and Flow on.
func (d Discipline) Ranks(a Arrival, n int) (first, step int64) { return d.ranks(a, n) }

// Across is a rank as it counts beside those of other queues: ranks of flows say nothing outside of their queue.
func (d Discipline) Across(rank int64) int64 {
	if d.Flows {
		return 0
	}
	return rank
}

// Names are the names of all disciplines, sorted.
func Names() []string { return slices.Sorted(maps.Keys(disciplines)) }
