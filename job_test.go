package rota_test

import (
	"testing"

	"github.com/rotaqueue/rota"
)

func TestProgressState(t *testing.T) {
	for _, c := range []struct {
		p     rota.Progress
		state rota.State
		left  int
		ended bool
	}{
		{rota.Progress{Tasks: 1, Sealed: true, Ready: 1}, rota.Ready, 1, false},
		{rota.Progress{Tasks: 9, Sealed: true, Running: 1, Ready: 3, Failed: 5}, rota.Running, 4, false},
		{rota.Progress{Tasks: 3, Sealed: true, Scheduled: 1, Failed: 2}, rota.Scheduled, 1, false},
		{rota.Progress{Tasks: 2, Sealed: true, Held: 1, Blocked: 1}, rota.Held, 2, false},
		{rota.Progress{Tasks: 1, Sealed: true, Blocked: 1}, rota.Blocked, 1, false},
		{rota.Progress{Tasks: 3, Sealed: true, Succeeded: 1, Failed: 1, Cancelled: 1}, rota.Failed, 0, true},
		{rota.Progress{Tasks: 2, Sealed: true, Succeeded: 1, Cancelled: 1}, rota.Cancelled, 0, true},
		{rota.Progress{Tasks: 2, Sealed: true, Succeeded: 2}, rota.Succeeded, 0, true},
		{rota.Progress{}, rota.Blocked, 0, false}, // nothing uploaded yet
	} {
		if got := c.p.State(); got != c.state || c.p.Left() != c.left || c.p.Ended() != c.ended {
			t.Errorf("%+v: %v, %d left, ended %v; want %v, %d, %v", c.p, got, c.p.Left(), c.p.Ended(), c.state, c.left, c.ended)
		}
	}
}

func TestMatchName(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{{"train*", "train-3", true}, {"train*", "xtrain", false}, {"t?", "t1", true}, {"t?", "t", false}, {"*", "", true}, {"a", "a", true}, {"", "a", false}} {
		if got := rota.MatchName(c.pattern, c.name); got != c.want {
			t.Errorf("MatchName(%q, %q) = %v", c.pattern, c.name, got)
		}
	}
}

func TestFilterEmpty(t *testing.T) {
	if !(&rota.Filter{}).Empty() {
		t.Error("the zero filter selects everything")
	}
	for name, f := range map[string]rota.Filter{"tasks": {Tasks: []rota.Span{rota.SpanOf(1)}}, "states": {States: []rota.State{rota.Failed}},
		"queue": {Queue: "q"}, "name": {Name: "n"}, "labels": {Labels: map[string]string{"a": ""}}, "submitter": {Submitter: "s"},
		"schedule": {Schedule: "s"}, "parent": {Parent: 1}} {
		if f.Empty() {
			t.Errorf("a filter by %s selects everything", name)
		}
	}
}
