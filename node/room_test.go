package node

import (
	"testing"

	"github.com/rotaqueue/rota"
)

// TestJ13RoomCountsEachTaskOnce: what comes and is not held yet takes a slot, and so does what is held, whether it was
// announced or not; there is no room in a node that claims nothing.
func TestJ13RoomCountsEachTaskOnce(t *testing.T) {
	for name, c := range map[string]struct {
		held, coming []rota.JobID
		taken        int
		paused       bool
		want         int
	}{
		"nothing":                   {want: 4},
		"held":                      {held: []rota.JobID{1, 2}, want: 2},
		"coming":                    {coming: []rota.JobID{1, 2}, want: 2},
		"came":                      {held: []rota.JobID{1, 2}, coming: []rota.JobID{1, 2}, want: 2},
		"one came, one is to come":  {held: []rota.JobID{1, 9}, coming: []rota.JobID{1, 2}, want: 1},
		"not submitted yet":         {coming: []rota.JobID{0, 0, 3}, want: 1},
		"used by an older keeper":   {held: []rota.JobID{1}, taken: 2, want: 1},
		"more than there are slots": {held: []rota.JobID{1, 2, 3}, coming: []rota.JobID{4, 5}, want: 0},
		"claims nothing at present": {paused: true, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := &reactor{held: map[rota.Try]*attempt{}, paused: c.paused, opts: Options{Slots: 4, Taken: func() int { return c.taken }}}
			for _, job := range c.held {
				r.held[rota.Try{Task: rota.PlainTask(job), Attempt: 1}] = &attempt{}
			}
			if got := r.roomBeside(c.coming); got != c.want {
				t.Errorf("room for %d, want %d", got, c.want)
			}
		})
	}
}
