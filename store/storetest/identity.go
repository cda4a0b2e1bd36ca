package storetest

import (
	"bytes"
	"testing"
	"time"
)

func testIdentity(s suite) {
	s.test("P24_a_store_is_the_same_after_a_restart", identityStable)
	s.test("P1_the_time_of_the_store_is_its_clock", identityClock)
}

func identityStable(t *testing.T, w *world) {
	first, err := w.Identity(w.ctx)
	if err != nil || first.ID == "" || first.Engine == "" || first.Schema < 1 || len(first.Secret) < 16 || first.Bytes < 1 {
		t.Fatalf("%+v, %v", first, err)
	}
	w.reopen(t)
	second, err := w.Identity(w.ctx)
	if err != nil || second.ID != first.ID || second.Incarnation != first.Incarnation || second.Engine != first.Engine ||
		second.Schema != first.Schema || !bytes.Equal(second.Secret, first.Secret) {
		t.Errorf("%+v, %v; was %+v", second, err, first)
	}
}

func identityClock(t *testing.T, w *world) {
	for range 2 {
		w.clock.Advance(1234567 * time.Microsecond)
		if got, err := w.Identity(w.ctx); err != nil || !got.Now.Equal(w.clock.Now()) {
			t.Errorf("at %v, %v; the clock is at %v", got.Now, err, w.clock.Now())
		}
	}
}
