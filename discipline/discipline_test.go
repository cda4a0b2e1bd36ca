package discipline_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/discipline"
)

func TestRank(t *testing.T) {
	tests := []struct {
		discipline      string
		first, then     int // priorities
		differs, equals bool
	}{
		{discipline: "fifo", first: 0, then: 0, equals: true},
		{discipline: "fifo", first: 0, then: rota.MaxPriority, equals: true},
		{discipline: "priority", first: 1, then: 0, differs: true},
		{discipline: "priority", first: 0, then: -1, differs: true},
		{discipline: "priority", first: rota.MaxPriority, then: -rota.MaxPriority, differs: true},
		{discipline: "priority", first: 7, then: 7, equals: true},
	}
	for _, tt := range tests {
		d, err := discipline.Of(tt.discipline)
		if err != nil {
			t.Fatal(err)
		}
		first, step := d.Ranks(discipline.Arrival{Priority: tt.first}, 3)
		then, _ := d.Ranks(discipline.Arrival{Priority: tt.then}, 1)
		if tt.differs && first >= then || tt.equals && first != then || step != 0 {
			t.Errorf("%s: priority %d has rank %d, priority %d has rank %d; step %d", tt.discipline, tt.first, first, tt.then, then, step)
		}
	}
}

func TestRankUnknown(t *testing.T) {
	if _, err := discipline.Of("lottery"); !errors.Is(err, rota.ErrInvalid) {
		t.Errorf("a discipline that is not there: got %v", err)
	}
}

func TestDefaultIsOneOfTheNames(t *testing.T) {
	if !slices.Contains(discipline.Names(), discipline.Default) {
		t.Errorf("%q is not among %q", discipline.Default, discipline.Names())
	}
}
