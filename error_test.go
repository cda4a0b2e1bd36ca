package rota_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/rotaqueue/rota"
)

func TestKinds(t *testing.T) {
	names := map[string]bool{}
	for _, k := range rota.Kinds {
		if names[k.Name] || k.Name == "" {
			t.Errorf("kind %q stands twice or has no name", k.Name)
		}
		names[k.Name] = true
		if k.Status < 400 || k.Status > 599 || k.Exit < 1 || k.Exit > 5 {
			t.Errorf("kind %s: status %d, exit %d", k.Name, k.Status, k.Exit)
		}
		wrapped := fmt.Errorf("finish task 42: %w", rota.Errorf(k.Err, "what"))
		if rota.KindOf(wrapped) != k || !errors.Is(wrapped, k.Err) {
			t.Errorf("kind of a wrapped %s is %s", k.Name, rota.KindOf(wrapped).Name)
		}
	}
	if got := rota.KindOf(errors.New("x")); got.Err != rota.ErrInternal {
		t.Errorf("kind of an unknown error is %s", got.Name)
	}
}

func TestErrorFix(t *testing.T) {
	err := fmt.Errorf("submit: %w", rota.Invalid("queue %q", "x").WithFix("write %s", "y"))
	if err.Error() != `submit: queue "x"` || rota.FixOf(err) != "write y" || rota.FixOf(errors.New("x")) != "" {
		t.Errorf("%q, fix %q", err, rota.FixOf(err))
	}
}
