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
		first, err := discipline.Rank(tt.discipline, &rota.Spec{Priority: tt.first})
		if err != nil {
			t.Fatal(err)
		}
		then, err := discipline.Rank(tt.discipline, &rota.Spec{Priority: tt.then})
		if err != nil {
			t.Fatal(err)
		}
		if tt.differs && first >= then || tt.equals && first != then {
			t.Errorf("%s: priority %d has rank %d, priority %d has rank %d", tt.discipline, tt.first, first, tt.then, then)
		}
	}
}

func TestRankUnknown(t *testing.T) {
	if _, err := discipline.Rank("lottery", &rota.Spec{}); !errors.Is(err, rota.ErrInvalid) {
		t.Errorf("a discipline that is not there: got %v", err)
	}
}

func TestDefaultIsOneOfTheNames(t *testing.T) {
	if !slices.Contains(discipline.Names(), discipline.Default) {
		t.Errorf("%q is not among %q", discipline.Default, discipline.Names())
	}
}
