package rota

import "testing"

func TestInQueues(t *testing.T) {
	for _, c := range []struct {
		patterns, queue string
		want            bool
	}{
		{"", "any", true}, {"gpu", "gpu", true}, {"gpu", "cpu", false}, {"gpu,cpu", "cpu", true}, {"g*", "gpu", true}, {"g*", "agpu", false},
		{"*,!slow", "slow", false}, {"*,!slow", "fast", true}, {"!slow", "fast", true}, {"!slow", "slow", false}, {"gpu, cpu", "cpu", true},
		{"*", "@node", true}, {"[", "x", false},
	} {
		if got := InQueues(c.patterns, c.queue); got != c.want {
			t.Errorf("%q among %q: %v", c.queue, c.patterns, got)
		}
	}
	for patterns, ok := range map[string]bool{"": true, "a,b*,!c": true, "a,,b": false, "!": false, "a b": false, "[": false, "a/b": false} {
		if err := CheckQueues(patterns); (err == nil) != ok {
			t.Errorf("%q: %v", patterns, err)
		}
	}
}
