package sqlstore

import (
	"testing"

	"github.com/rotaqueue/rota"
)

// TestFiguresWithoutBytes reads what was recorded before attempts said how much they wrote.
func TestFiguresWithoutBytes(t *testing.T) {
	f := attemptFields{ended: 10_000_000, took: "[1000,2000,3000,4000,5000]"}
	var a rota.Attempt
	if err := f.fill(&a); err != nil {
		t.Fatal(err)
	}
	if a.MaxRSS != 5000 || a.CPUSystem.Micros() != 4000 || a.Written != (rota.Written{}) {
		t.Errorf("%+v", a)
	}
}
