package server

import (
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// D16: on any node, on one, on those with a label, or on each that is up.
func TestD16WhereASchedulesJobsRun(t *testing.T) {
	nodes := []rota.Node{{Name: "a", State: rota.NodeUp, Slots: 2}, {Name: "b", State: rota.NodeDown, Slots: 2}, {Name: "c", State: rota.NodeUp, Slots: 1},
		{Name: "page", State: rota.NodeUp}}
	s := New(nil, Options{Transient: true, Home: "home"})
	for on, want := range map[string][]string{"": {""}, "any": {""}, "b": {"b"}, "gpu=big": {"gpu=big"}, "all": {"a", "c"}} {
		sch := &rota.Schedule{Name: "s", Expr: "@daily", Zone: "UTC", On: on, Spec: rota.Spec{Argv: []string{"true"}}, Next: time.Unix(0, 0)}
		if err := checkSchedule(sch); err != nil {
			t.Fatal(err)
		}
		f := s.firing(sch, time.Unix(0, 0), nodes)
		var got []string
		for _, j := range f.Jobs {
			got = append(got, j.Spec.On)
		}
		if !slices.Equal(got, want) {
			t.Errorf("on %q: %q, want %q", on, got, want)
		}
	}
	if jobs, why := placed(rota.OnAll, rota.NewJob{}, nodes[1:2]); len(jobs) != 0 || why == "" {
		t.Errorf("no node is up: %v, %q", jobs, why)
	}
	for _, on := range []string{"a b", "=", "gpu=", "../x"} {
		sch := &rota.Schedule{Name: "s", Expr: "@daily", On: on, Spec: rota.Spec{Argv: []string{"true"}}}
		if err := checkSchedule(sch); err == nil && on != "gpu=" {
			t.Errorf("on %q is taken", on)
		}
	}
}
