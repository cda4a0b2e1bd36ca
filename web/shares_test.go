package web

import (
	"slices"
	"testing"

	"github.com/rotaqueue/rota"
)

// TestD13SharesOfAQueueAreShown: whose tasks run, and what their weights would give them.
func TestD13SharesOfAQueueAreShown(t *testing.T) {
	fair := &rota.Queue{QueueSettings: rota.QueueSettings{Discipline: "sfq", Flow: "label:team", Weights: map[string]float64{"web": 3}}}
	s := sharesAmong(fair, map[string]int{"web": 5, "ops": 2, "": 1})
	want := []share{{"web", 5, 63, "3", 60}, {"ops", 2, 25, "1", 20}, {"", 1, 13, "1", 20}}
	if s.By != "team" || s.Of != 8 || !slices.Equal(s.Rows, want) {
		t.Errorf("a queue that shares: %+v", s)
	}
	s = sharesAmong(&rota.Queue{QueueSettings: rota.QueueSettings{Discipline: "fifo"}}, map[string]int{"ann": 1, "bob": 1})
	if want := []share{{"ann", 1, 50, "", 0}, {"bob", 1, 50, "", 0}}; s.By != "user" || !slices.Equal(s.Rows, want) {
		t.Errorf("one that does not: %+v", s)
	}
	rows := queueRows([]rota.Queue{{Name: "b", Counts: map[rota.State]int{rota.Running: 1}}, {Name: "a", Counts: map[rota.State]int{rota.Running: 3}}, {Name: "c"}})
	if rows[0].Share != 75 || rows[1].Share != 25 || rows[2].Share != 0 {
		t.Errorf("queues: %+v", rows)
	}
}
