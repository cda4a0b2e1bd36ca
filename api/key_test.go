package api

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestKeysAreUniqueAndInTheOrderOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var keys []string
		for range 100 {
			keys = append(keys, NewKey())
			<-time.After(time.Millisecond)
		}
		if !slices.IsSorted(keys) {
			t.Errorf("not in order: %q", keys)
		}
		if a, b := NewKey(), NewKey(); a == b || len(a) != len(b) {
			t.Errorf("%q and %q", a, b)
		}
	})
}
