package rota_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

func TestServedQueues(t *testing.T) {
	for _, tt := range []struct{ list, want string }{
		{"", "@n * default"},
		{"gpu fast", "@n gpu fast default"},
		{"gpu default fast", "@n gpu default fast"},
		{"* !default", "@n * !default default"},
		{"gpu @n", "gpu @n default"},
	} {
		if got := strings.Join(rota.ServedQueues("n", strings.Fields(tt.list)), " "); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.list, got, tt.want)
		}
	}
}

// J3 D10: the order in which a node serves queues.
func TestPlaceOf(t *testing.T) {
	all := []string{"@n", "@m", "default", "gpu", "gpu-slow", "fast", "web"}
	for _, tt := range []struct{ list, want string }{
		{"", "@n gpu gpu-slow fast web default"},
		{"gpu,fast,*,!*slow", "@n gpu fast web default"},
		{"web,gpu*", "@n web gpu gpu-slow default"},
		{"!default", "@n"},
		{"*,!default", "@n gpu gpu-slow fast web"},
		{"default,fast", "@n default fast"},
		{"*,fast", "@n gpu gpu-slow web fast default"},
	} {
		patterns := rota.ServedQueues("n", slices.DeleteFunc(strings.Split(tt.list, ","), func(s string) bool { return s == "" }))
		var got []string
		for i := range patterns {
			for _, q := range all {
				if rota.PlaceOf(q, patterns) == i {
					got = append(got, q)
				}
			}
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%q: %q, want %q", tt.list, s, tt.want)
		}
	}
}
