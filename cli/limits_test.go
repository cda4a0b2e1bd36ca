package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func specOf(t *testing.T, text string) (s rota.Spec) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatalf("%v: %q", err, text)
	}
	return s
}

// TestD6LimitsAsFlags: on the command line, in a script, and over those of a script or of the job before.
func TestD6LimitsAsFlags(t *testing.T) {
	w := newWorld(t)
	want := rota.Limits{Memory: 2 << 30, CPUs: 1.5, PIDs: 200, Nice: 10}
	got := specOf(t, w.ok("submit", "--dry-run", "--mem", "2G", "--cpus", "1.5", "--pids", "200", "--nice", "10", "--on-store-loss", "90s", "true"))
	if got.Limits != want || got.OnStoreLoss != "1m30s" {
		t.Errorf("%+v, on store loss %q", got.Limits, got.OnStoreLoss)
	}
	w.write("job", "#!/bin/sh\n#ROTA --mem 2GiB --cpus 1.5 --pids 200 --nice 10 --on-store-loss run\ntrue\n")
	if got := specOf(t, w.ok("submit", "--dry-run", "-f", "job")); got.Limits != want || got.OnStoreLoss != "run" {
		t.Errorf("of a script: %+v, on store loss %q", got.Limits, got.OnStoreLoss)
	}
	want.Memory, want.Nice = 0, -5
	if got := specOf(t, w.ok("submit", "--dry-run", "--mem", "none", "--nice", "-5", "-f", "job")); got.Limits != want {
		t.Errorf("over a script's: %+v", got.Limits)
	}
	w.ok("submit", "-f", "job")
	want = rota.Limits{Memory: 500e6, PIDs: 200, Nice: 10}
	if got := specOf(t, w.ok("again", "1", "--dry-run", "--mem", "500MB", "--cpus", "none", "--on-store-loss", "kill")); got.Limits != want || got.OnStoreLoss != "kill" {
		t.Errorf("again: %+v, on store loss %q", got.Limits, got.OnStoreLoss)
	}
	w.ok("cron", "add", "nightly", "@daily", "--mem", "1G", "--nice", "19", "--", "true")
	var all []rota.Schedule
	if err := json.Unmarshal([]byte(w.ok("cron", "ls", "-o", "json")), &all); err != nil || len(all) != 1 || all[0].Spec.Limits != (rota.Limits{Memory: 1 << 30, Nice: 19}) {
		t.Errorf("a schedule: %+v, %v", all, err)
	}
	for says, args := range map[string][]string{
		`--mem "2.5G"`:                {"--mem", "2.5G"},
		`no limit that can be kept`:   {"--mem", "0"},
		"mem 1KiB: a process needs":   {"--mem", "1K"},
		`--cpus "NaN"`:                {"--cpus", "NaN"},
		"cpus 5000: from 0.01":        {"--cpus", "5000"},
		`--pids "0"`:                  {"--pids", "0"},
		`--pids "many": not a number`: {"--pids", "many"},
		`--nice "20"`:                 {"--nice", "20"},
		`on store loss "maybe"`:       {"--on-store-loss", "maybe"},
	} {
		w.fails(2, says, append(append([]string{"submit"}, args...), "true")...)
	}
}

func TestD6QueueSetAndShow(t *testing.T) {
	w := newWorld(t)
	r := w.run("queue", "set", "gpu", "--mem", "1G", "--cpus", "1", "--max-mem", "4G", "--max-pids", "1", "--max-nice", "0")
	if r.code != 0 || r.out != "" || r.err != "queue gpu: limits mem 1 GiB, 1 CPU; at most mem 4 GiB, 1 process, nice no lower than 0\n" {
		t.Errorf("%+v", r)
	}
	w.ok("submit", "-Q", "gpu", "--mem", "3G", "--nice", "4", "true")
	if out := w.ok("show", "1"); !strings.Contains(out, "\nlimits:       mem 3 GiB, nice 4\n") || !strings.Contains(out, "\nin its queue: mem 3 GiB, 1 CPU, 1 process, nice 4\n") {
		t.Errorf("show: %s", out)
	}
	w.ok("queue", "set", "gpu", "--max-mem", "2G", "--cpus", "none", "--max-pids", "none", "--max-nice", "none")
	out := w.ok("show", "1")
	if !strings.Contains(out, "\nin its queue: mem 2 GiB, nice 4\n") {
		t.Errorf("show, when its queue allows less: %s", out)
	}
	if out := w.ok("show", "1", "-o", "json"); !strings.Contains(out, `"limits_in_queue": {`) {
		t.Errorf("show as JSON: %s", out)
	}
	if out := w.ok("queue", "show", "gpu", "default"); out != `queue:   gpu
order:   priority
limits:  mem 1 GiB
at most: mem 2 GiB
tasks:   1: 1 ready

queue:   default
order:   priority
limits:  none
at most: no bounds
tasks:   0
` {
		t.Errorf("queue show: %q", out)
	}
	var q rota.Queue
	if err := json.Unmarshal([]byte(w.ok("queue", "show", "gpu", "-o", "json")), &q); err != nil || q.Limits.Default.Memory != 1<<30 || q.Limits.Max.Nice != nil {
		t.Errorf("queue show as JSON: %+v, %v", q, err)
	}
	w.fails(2, "mem 3GiB: beyond what the queue gpu allows, 2GiB", "submit", "-Q", "gpu", "--mem", "3G", "true")
	w.fails(2, "--mem 2GiB, or another queue", "submit", "-Q", "gpu", "--mem", "3G", "true")
	w.fails(2, "queue gpu: mem 8GiB: the default is beyond max-mem, 2GiB", "queue", "set", "gpu", "--mem", "8G")
	w.fails(2, "no flag says what is to change", "queue", "set", "gpu")
	w.fails(2, "missing argument QUEUE", "queue", "set", "--mem", "1G")
	w.fails(2, `queue "a b"`, "queue", "set", "a b", "--mem", "1G")
	w.fails(3, `queue "none"`, "queue", "show", "none")
}

// TestD6WhatAnAttemptUsed: all its processes together before the largest of them, and its end in words.
func TestD6WhatAnAttemptUsed(t *testing.T) {
	a := newApp(Deps{}, nil, newTap(), newTap())
	exit := 0
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	earlier := rota.Attempt{Number: 1, Outcome: rota.OutcomeOutOfMemory, Signal: 9, Node: "n", Started: start, Ended: start.Add(time.Second),
		Usage: rota.Usage{CPUUser: rota.Duration(time.Second), MaxRSS: 1 << 20, Memory: 2 << 20, IORead: 3 << 20, IOWrite: 4 << 20}}
	last := rota.Attempt{Number: 2, Outcome: rota.OutcomeSucceeded, Exit: &exit, Node: "n", Started: start, Ended: start.Add(time.Second), Usage: rota.Usage{MaxRSS: 5 << 20}}
	lines := strings.Split(a.attempts(&rota.Task{Attempt: last}, []rota.Attempt{earlier}), "\n")
	for i, want := range [][]string{{"MEMORY", "READ", "WRITTEN", "STDOUT"}, {"out of memory", "SIGKILL", "1.0s", "2.0 MiB", "3.0 MiB", "4.0 MiB"}, {"succeeded", "5.0 MiB"}} {
		for _, text := range want {
			if !strings.Contains(lines[i], text) {
				t.Errorf("line %d, %q, has no %q", i, lines[i], text)
			}
		}
	}
	if out := a.attempts(&rota.Task{Attempt: last}, nil); strings.Contains(out, "READ") {
		t.Errorf("nothing is known of reads: %s", out)
	}
	if got := ending(&earlier); got != "out of memory" {
		t.Errorf("it ended so: %q", got)
	}
}
