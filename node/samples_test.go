package node

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// measuring has the keeper measure what runs, each time a little more.
func (w *world) measuring() {
	n := int64(0)
	w.k.measure = func() (all []executor.Sample) {
		n++
		w.k.look(func() {
			for t := range w.k.running {
				all = append(all, executor.Sample{Try: t, Sample: rota.Sample{Memory: n, CPU: rota.Duration(n), Processes: 1}})
			}
		})
		return all
	}
}

// told are the renewals with samples of attempts, and those of the machine, with when they came.
func (w *world) told() (attempts, machine []rota.Renewal) {
	w.m.look(func() {
		for _, r := range w.m.renewals {
			if len(r.Samples) > 0 {
				attempts = append(attempts, r)
			}
			if r.Machine != nil {
				machine = append(machine, r)
			}
		}
	})
	return attempts, machine
}

func takes(d time.Duration) func(executor.Process) play {
	return func(executor.Process) play { return play{takes: d} }
}

func TestD6_AnIdleNodeTellsOfItselfOnceAMinute(t *testing.T) {
	measured := 0
	in(t, 3, func(w *world) {
		w.k.measure = func() []executor.Sample { t.Error("the keeper was asked though nothing runs"); return nil }
		w.after(10*time.Minute + time.Second)
		attempts, machine := w.told()
		if len(attempts) != 0 || len(machine) != 10 || measured != 10 {
			t.Fatalf("%d with samples, %d with the machine of %d measured", len(attempts), len(machine), measured)
		}
		want := rota.NodeSample{Load1: 0.5, CPUs: 8, MemoryUsed: 1, MemoryTotal: 2, DiskFree: 3, DiskTotal: 4, Slots: 3}
		if got := *machine[3].Machine; got != want {
			t.Errorf("told %+v, want %+v", got, want)
		}
		if w.m.calls["renew"] != 60 {
			t.Errorf("%d renewals in ten minutes", w.m.calls["renew"])
		}
	}, func(o *Options) {
		o.Machine = func() rota.NodeSample {
			measured++
			return rota.NodeSample{Load1: 0.5, CPUs: 8, MemoryUsed: 1, MemoryTotal: 2, DiskFree: 3, DiskTotal: 4}
		}
	})
}

func TestD6_WhatRunsIsToldWithEachRenewal(t *testing.T) {
	in(t, 2, func(w *world) {
		w.measuring()
		w.k.script = takes(95 * time.Second)
		w.m.submit(1, 2, rota.Spec{})
		w.after(2 * time.Minute)
		attempts, machine := w.told()
		if len(attempts) != 8 || len(machine) < 9 { // of nine measurements the first tells nothing yet
			t.Fatalf("%d with samples, %d with the machine", len(attempts), len(machine))
		}
		for i, r := range attempts {
			var tries []rota.Try
			for _, s := range r.Samples {
				tries = append(tries, s.Try)
				if s.Memory != int64(i+2) || s.CPU != rota.Duration(i+2) || s.Processes != 1 {
					t.Errorf("renewal %d: %+v", i, s)
				}
			}
			slices.SortFunc(tries, compareTries)
			if !slices.Equal(tries, []rota.Try{{Task: rota.Element(1, 1), Attempt: 1}, {Task: rota.Element(1, 2), Attempt: 1}}) {
				t.Errorf("renewal %d tells of %v", i, tries)
			}
		}
		if m := machine[2].Machine; m.Slots != 2 || m.Running != 2 {
			t.Errorf("machine %+v", m)
		}
	})
}

func TestD6_OfShortAttemptsNothingIsTold(t *testing.T) {
	in(t, 2, func(w *world) {
		w.measuring()
		w.k.script = takes(9900 * time.Millisecond)
		w.m.submit(1, 40, rota.Spec{})
		w.after(5 * time.Minute)
		w.want(rota.Succeeded, 40)
		if attempts, _ := w.told(); len(attempts) != 0 {
			t.Errorf("told of %+v", attempts[0].Samples)
		}
	})
}

func TestD6_ShortLeasesDoNotMeasureMore(t *testing.T) {
	in(t, 1, func(w *world) {
		w.measuring()
		w.k.script = takes(10 * time.Minute)
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Minute + time.Second)
		attempts, machine := w.told()
		if len(attempts) < 4 || len(attempts) > 6 || len(machine) > 7 || w.m.calls["renew"] < 50 {
			t.Errorf("%d with samples, %d with the machine, of %d renewals", len(attempts), len(machine), w.m.calls["renew"])
		}
	}, func(o *Options) { o.TTL = 3 * time.Second })
}

func TestD6_ALostRenewalLosesItsSamplesAndNothingElse(t *testing.T) {
	in(t, 1, func(w *world) {
		w.measuring()
		w.k.script = takes(3 * time.Minute)
		w.m.submit(1, 1, rota.Spec{})
		w.after(25 * time.Second)
		w.m.look(func() {
			w.m.fault = func(call string) (before, after error) {
				if call == "renew" {
					return rota.ErrUnavailable, nil
				}
				return nil, nil
			}
		})
		w.after(time.Minute)
		before, _ := w.told()
		w.m.look(func() { w.m.fault = nil })
		w.after(2 * time.Minute)
		attempts, _ := w.told()
		if len(before) != 1 || len(attempts) < 9 || attempts[1].Samples[0].Memory < attempts[0].Samples[0].Memory+5 {
			t.Errorf("%d told before, %d after: %+v", len(before), len(attempts), attempts)
		}
		w.want(rota.Succeeded, 1)
	})
}

func TestD6_AKeeperThatHangsDoesNotHoldUpTheLease(t *testing.T) {
	in(t, 1, func(w *world) {
		hang, asked := make(chan struct{}), 0
		w.k.measure = func() []executor.Sample { asked++; <-hang; return nil }
		w.k.script = takes(2 * time.Minute)
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Minute + 5*time.Second)
		if n := w.m.calls["renew"]; n != 6 || asked != 1 {
			t.Errorf("%d renewals, the keeper asked %d times", n, asked)
		}
		close(hang)
		w.k.look(func() { w.measuring() })
		w.after(2 * time.Minute)
		w.want(rota.Succeeded, 1)
		if attempts, _ := w.told(); len(attempts) == 0 {
			t.Error("nothing is told any more")
		}
	})
}

func TestD6_MoreAttemptsThanARenewalTellsOfTakeTurns(t *testing.T) {
	var all []rota.TrySample
	for i := range rota.MaxSamples + 1 {
		all = append(all, rota.TrySample{Try: try(i + 1)})
	}
	s := sampler{}
	if some := s.portion(slices.Clone(all)); len(some) != 0 {
		t.Errorf("told of %d at first sight", len(some))
	}
	told := map[rota.Try]int{}
	for range 3 {
		some := s.portion(slices.Clone(all))
		if len(some) != rota.MaxSamples {
			t.Errorf("told of %d", len(some))
		}
		for _, x := range some {
			told[x.Try]++
		}
	}
	if len(told) != len(all) {
		t.Errorf("of %d attempts, %d were ever told", len(all), len(told))
	}
	if some := s.portion(all[:2]); len(some) != 2 {
		t.Errorf("told of %d of the two that are left", len(some))
	}
}

func TestD6_TheMachineIsMeasured(t *testing.T) {
	s := machineOf(t.TempDir())
	if s.CPUs < 1 || s.DiskTotal < 1 || s.DiskFree < 0 || s.DiskFree > s.DiskTotal || s.MemoryUsed < 0 || s.MemoryUsed > s.MemoryTotal || s.Load1 < 0 {
		t.Errorf("measured %+v", s)
	}
	if s := machineOf("/nowhere/at/all"); s.DiskTotal != 0 || s.CPUs < 1 {
		t.Errorf("without the folder: %s", fmt.Sprintf("%+v", s))
	}
}
