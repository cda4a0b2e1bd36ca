package sqlstore

import (
	"reflect"
	"testing"

	"github.com/rotaqueue/rota"
)

// TestFiguresOfEarlierVersions reads what was recorded before attempts said how much they wrote, and before all their
// processes were measured together.
func TestFiguresOfEarlierVersions(t *testing.T) {
	size := int64(6000)
	for text, want := range map[string]rota.Written{
		"[1000,2000,3000,4000,5000]":         {},
		"[1000,2000,3000,4000,5000,-1,6000]": {Stderr: &size},
	} {
		f := attemptFields{ended: 10_000_000, took: text}
		var a rota.Attempt
		if err := f.fill(&a); err != nil {
			t.Fatal(err)
		}
		usage := rota.Usage{CPUUser: duration(3000), CPUSystem: duration(4000), MaxRSS: 5000}
		if a.Usage != usage || !reflect.DeepEqual(a.Written, want) {
			t.Errorf("%s: %+v", text, a)
		}
	}
}
