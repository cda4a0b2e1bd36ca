package cli

import "github.com/rotaqueue/rota"

// changeTo is the change that makes one queue's settings another's: all are named, and what the other does not say is taken
// away.
func changeTo(is, want *rota.Queue) rota.QueueChange {
	shell := want.AllowsShell()
	c := rota.QueueChange{Paused: &want.Paused, Draining: &want.Draining, Description: &want.Description, Discipline: &want.Discipline, Flow: &want.Flow,
		Slots: &want.Slots, Running: &want.Running, FlowRunning: &want.FlowRunning, Starts: &want.Starts, Pin: orNone(want.Pin), Ignore: orNone(want.Ignore),
		Executor: &want.Executor, Shell: &shell, Wrap: orNone(want.Wrap), Retry: retryTo(want.Retry), Keep: &want.Keep,
		Dedupe: rota.DedupeChange{Window: &want.Dedupe.Window, Then: &want.Dedupe.Then}, Limits: limitsTo(&want.Limits)}
	c.Weights = map[string]float64{}
	for flow := range is.Weights {
		c.Weights[flow] = 0
	}
	for flow, weight := range want.Weights {
		c.Weights[flow] = weight
	}
	return c
}

func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func retryTo(r *rota.Retry) rota.RetryChange {
	none, noPart := -1, -1.0
	if r == nil {
		r = &rota.Retry{}
	}
	c := rota.RetryChange{Count: r.Count, First: &r.First, Cap: &r.Cap, Jitter: r.Jitter, OnLost: &r.OnLost, MaxLost: r.MaxLost}
	if c.Count == nil {
		c.Count = &none
	}
	if c.Jitter == nil {
		c.Jitter = &noPart
	}
	if c.MaxLost == nil {
		c.MaxLost = &none
	}
	return c
}

func limitsTo(a *rota.Allowance) rota.AllowanceChange {
	any := rota.MinNice
	c := rota.AllowanceChange{
		Default: rota.LimitsChange{Memory: &a.Default.Memory, CPUs: &a.Default.CPUs, PIDs: &a.Default.PIDs, Nice: &a.Default.Nice},
		Max:     rota.LimitsChange{Memory: &a.Max.Memory, CPUs: &a.Max.CPUs, PIDs: &a.Max.PIDs, Nice: a.Max.Nice},
	}
	if c.Max.Nice == nil {
		c.Max.Nice = &any
	}
	return c
}
