// Package discipline says in which order the tasks of one queue are claimed. A discipline gives each job a rank
// when it is submitted; within a queue the lowest rank goes first, and of equal ranks the older task. One index
// over (rank, id) therefore serves every discipline there is.
//
// It touches values only. A new discipline is a file with its function and a line in the table below.
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

var disciplines = map[string]func(*rota.Spec) int64{
	"fifo":     fifo,
	"priority": priority,
}

// Rank is a job's place in its queue under the named discipline: lower goes first. A discipline that is not there
// is ErrInvalid.
func Rank(name string, s *rota.Spec) (int64, error) {
	rank, ok := disciplines[name]
	if !ok {
		return 0, rota.Invalid("discipline %q: the disciplines are %s", name, strings.Join(Names(), ", "))
	}
	return rank(s), nil
}

// Names are the names of all disciplines, sorted.
func Names() []string { return slices.Sorted(maps.Keys(disciplines)) }
