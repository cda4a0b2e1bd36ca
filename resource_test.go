package rota_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

func ptr[T any](v T) *T { return &v }

// TestD6_WhichLimitsHold: the job's own, else the queue's default, else the node's; of all no more than both maxima.
func TestD6_WhichLimitsHold(t *testing.T) {
	const gib = 1 << 30
	mem := func(n int64) rota.Limits { return rota.Limits{Memory: n * gib} }
	most := func(n int64) rota.Maxima { return rota.Maxima{Memory: n * gib} }
	nice := func(n int) rota.Limits { return rota.Limits{Nice: n} }
	least := func(n int) rota.Maxima { return rota.Maxima{Nice: &n} }
	for name, c := range map[string]struct {
		own         rota.Limits
		queue, node rota.Allowance
		want        rota.Limits
	}{
		"nobody says anything":           {},
		"the job's own":                  {own: mem(3), queue: rota.Allowance{Default: mem(2)}, node: rota.Allowance{Default: mem(1)}, want: mem(3)},
		"the queue's":                    {queue: rota.Allowance{Default: mem(2)}, node: rota.Allowance{Default: mem(1)}, want: mem(2)},
		"the node's":                     {node: rota.Allowance{Default: mem(1)}, want: mem(1)},
		"the node's below the queue's":   {queue: rota.Allowance{Max: most(4)}, node: rota.Allowance{Default: mem(1)}, want: mem(1)},
		"no more than the queue's":       {own: mem(9), queue: rota.Allowance{Max: most(4)}, want: mem(4)},
		"no more than the node's":        {own: mem(9), queue: rota.Allowance{Max: most(4)}, node: rota.Allowance{Max: most(2)}, want: mem(2)},
		"a maximum without a value":      {queue: rota.Allowance{Max: most(4)}, want: mem(4)},
		"both without a value":           {queue: rota.Allowance{Max: most(4)}, node: rota.Allowance{Max: most(8)}, want: mem(4)},
		"each by itself":                 {own: rota.Limits{CPUs: 8}, queue: rota.Allowance{Default: rota.Limits{CPUs: 1, PIDs: 5}}, node: rota.Allowance{Max: rota.Maxima{CPUs: 2, PIDs: 3}}, want: rota.Limits{CPUs: 2, PIDs: 3}},
		"niceness, the job's own":        {own: nice(5), queue: rota.Allowance{Default: nice(10)}, want: nice(5)},
		"niceness, no less":              {own: nice(-5), queue: rota.Allowance{Max: least(0)}, want: nice(0)},
		"niceness, no less than nothing": {queue: rota.Allowance{Max: least(7)}, want: nice(7)},
		"niceness below what is asked":   {own: nice(12), queue: rota.Allowance{Max: least(7)}, node: rota.Allowance{Max: least(9)}, want: nice(12)},
		"niceness below zero allowed":    {queue: rota.Allowance{Max: least(-5)}, want: nice(0)},
	} {
		if got := rota.LimitsOf(c.own, c.queue, c.node); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestD6_AnAllowanceIsChangedWhereTheChangeSaysSo(t *testing.T) {
	var a rota.Allowance
	if !a.IsZero() {
		t.Error("nothing said is something")
	}
	a = a.Changed(rota.AllowanceChange{Default: rota.LimitsChange{Memory: ptr(int64(5)), CPUs: ptr(1.5), PIDs: ptr(7), Nice: ptr(3)},
		Max: rota.LimitsChange{Memory: ptr(int64(6)), CPUs: ptr(2.5), PIDs: ptr(8), Nice: ptr(0)}})
	want := rota.Allowance{Default: rota.Limits{Memory: 5, CPUs: 1.5, PIDs: 7, Nice: 3}, Max: rota.Maxima{Memory: 6, CPUs: 2.5, PIDs: 8}}
	if a.Max.Nice == nil || *a.Max.Nice != 0 {
		t.Errorf("the least niceness is %v, want 0", a.Max.Nice)
	}
	if a.Max.Nice = nil; a != want {
		t.Errorf("all changed: %+v", a)
	}
	if got := a.Changed(rota.AllowanceChange{}); got != want {
		t.Errorf("nothing changed: %+v", got)
	}
	a.Max.Nice = ptr(4)
	a = a.Changed(rota.AllowanceChange{Default: rota.LimitsChange{Memory: ptr(int64(0))}, Max: rota.LimitsChange{Nice: ptr(rota.MinNice)}})
	if want.Default.Memory = 0; a != want {
		t.Errorf("taken away: %+v", a)
	}
}

func TestD6_AllowancesThatCannotBe(t *testing.T) {
	for want, a := range map[string]rota.Allowance{
		"":                        {Default: rota.Limits{Memory: 1 << 30, Nice: 4}, Max: rota.Maxima{Memory: 1 << 30, Nice: ptr(4)}},
		"mem 1KiB: a process":     {Default: rota.Limits{Memory: 1024}},
		"max-mem -1: a process":   {Max: rota.Maxima{Memory: -1}},
		"max-cpus NaN: from":      {Max: rota.Maxima{CPUs: math.NaN()}},
		"max-nice 20: from":       {Max: rota.Maxima{Nice: ptr(20)}},
		"pids 9: the default is":  {Default: rota.Limits{PIDs: 9}, Max: rota.Maxima{PIDs: 8}},
		"nice -1: the default is": {Default: rota.Limits{Nice: -1}, Max: rota.Maxima{Nice: ptr(0)}},
	} {
		err := a.Check()
		if (err == nil) != (want == "") || err != nil && (!errors.Is(err, rota.ErrInvalid) || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%+v: %v, want %q", a, err, want)
		}
	}
}

func TestD6_WhatIsBeyondAQueueIsRefusedWithTheMaximum(t *testing.T) {
	a := rota.Allowance{Max: rota.Maxima{Memory: 2 << 30, CPUs: 1.5, PIDs: 100, Nice: ptr(0)}}
	for want, l := range map[string]rota.Limits{
		"": {Memory: 2 << 30, CPUs: 1.5, PIDs: 100, Nice: 1},
		"mem 4GiB: beyond what the queue gpu allows, 2GiB": {Memory: 4 << 30},
		"cpus 2: beyond what the queue gpu allows, 1.5":    {CPUs: 2},
		"pids 101: beyond what the queue gpu allows, 100":  {PIDs: 101},
		"nice -5: beyond what the queue gpu allows, 0":     {Nice: -5},
	} {
		err := a.Refuse(&rota.Spec{Queue: "gpu", Limits: l})
		if (err == nil) != (want == "") || err != nil && (!errors.Is(err, rota.ErrTooLarge) || err.Error() != want || rota.FixOf(err) == "") {
			t.Errorf("%+v: %v (%s), want %q", l, err, rota.FixOf(err), want)
		}
	}
	if err := a.Refuse(&rota.Spec{}); err != nil {
		t.Errorf("a job that asks for nothing: %v", err)
	}
}

func TestP8_OnStoreLoss(t *testing.T) {
	for text, want := range map[string]struct {
		is        rota.OnStoreLoss
		tolerance rota.Duration
	}{"kill": {"kill", 0}, "run": {"run", -1}, "90s": {"1m30s", 90e9}, "10m": {"10m", 600e9}, "0": {"kill", 0}, "0s": {"kill", 0}} {
		got, err := rota.ParseOnStoreLoss(text)
		if err != nil || got != want.is || got.Tolerance() != want.tolerance {
			t.Errorf("%q: %q, tolerance %v, %v; want %+v", text, got, got.Tolerance(), err, want)
		}
	}
	for _, text := range []string{"", "panic", "-1s", "Run"} {
		if got, err := rota.ParseOnStoreLoss(text); !errors.Is(err, rota.ErrInvalid) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if got := rota.OnStoreLoss("").Tolerance(); got >= 0 {
		t.Errorf("nothing said: %v", got)
	}
}

func TestD6_NumbersOfLimitsAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]float64{"2": 2, "0.5": 0.5, "1e2": 100, "0": 0} {
		if got, err := rota.ParseCPUs(text); err != nil || got != want {
			t.Errorf("CPUs %q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-1", "NaN", "Inf", "two", "1,5"} {
		if got, err := rota.ParseCPUs(text); !errors.Is(err, rota.ErrInvalid) {
			t.Errorf("CPUs %q: %v, %v", text, got, err)
		}
	}
	for text, ok := range map[string]bool{"-20": true, "0": true, "19": true, "-21": false, "20": false, "1.5": false, "": false} {
		if _, err := rota.ParseNice(text); (err == nil) != ok {
			t.Errorf("niceness %q: %v", text, err)
		}
	}
}
