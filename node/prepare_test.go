package node

import (
	"os/user"
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func assignment(task rota.TaskID, attempt int, spec rota.Spec) *rota.Assignment {
	if spec.Executor == "" {
		spec.Executor = rota.ExecutorExec
	}
	return &rota.Assignment{Try: rota.Try{Task: task, Attempt: attempt}, Spec: &spec, Queue: "night", Token: "secret"}
}

func TestPlaceholdersInOutputFiles(t *testing.T) {
	element, whole := rota.Try{Task: rota.Element(43, 17), Attempt: 2}, rota.Try{Task: rota.PlainTask(43), Attempt: 1}
	for _, c := range []struct {
		path string
		try  rota.Try
		want string
		ok   bool
	}{
		{"", element, "", true},
		{"/o/plain", element, "/o/plain", true},
		{"/o/%j.%a.%n", element, "/o/43.17.2", true},
		{"/o/%j.%a.%n", whole, "/o/43.0.1", true},
		{"100%%/%j%j", element, "100%/4343", true},
		{"%%j", element, "%j", true},
		{"/o/%x", element, "", false},
		{"/o/%J", element, "", false},
		{"/o/%", element, "", false},
		{"/o/%%%", element, "", false},
	} {
		got, err := expand(c.path, c.try)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%q: %q, %v; want %q", c.path, got, err, c.want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	clean := []string{"PATH=/bin", "LANG=C.UTF-8"}
	own := []string{"PATH=/opt/bin", "A=1"}
	a := assignment(rota.Element(43, 17), 2, rota.Spec{Name: "sweep", Lines: true, Env: own})
	a.Line = "a line = it"
	for _, c := range []struct {
		what   string
		a      *rota.Assignment
		socket string
		want   []string
	}{
		{"a line with its own environment", a, "/run/rota.sock", []string{"PATH=/opt/bin", "A=1", "ROTA_JOB=43",
			"ROTA_TASK=43.17", "ROTA_ATTEMPT=2", "ROTA_QUEUE=night", "ROTA_NODE=n1", "ROTA_NAME=sweep",
			"ROTA_TASK_INDEX=17", "ROTA_LINE=a line = it", "ROTA_SOCKET=/run/rota.sock"}},
		{"an element", assignment(rota.Element(43, 0), 1, rota.Spec{Array: &rota.Array{}}), "", []string{"PATH=/bin",
			"LANG=C.UTF-8", "ROTA_JOB=43", "ROTA_TASK=43.0", "ROTA_ATTEMPT=1", "ROTA_QUEUE=night", "ROTA_NODE=n1",
			"ROTA_NAME=", "ROTA_TASK_INDEX=0"}},
		{"a plain job", assignment(rota.PlainTask(43), 1, rota.Spec{}), "", []string{"PATH=/bin", "LANG=C.UTF-8",
			"ROTA_JOB=43", "ROTA_TASK=43", "ROTA_ATTEMPT=1", "ROTA_QUEUE=night", "ROTA_NODE=n1", "ROTA_NAME="}},
	} {
		if got := environment(c.a, runner{}.environment(c.a, clean), "n1", c.socket); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	if !slices.Equal(clean, []string{"PATH=/bin", "LANG=C.UTF-8"}) || len(own) != 2 {
		t.Error("the shared slices were written to")
	}
}

func TestZ9_TheCleanEnvironmentInheritsNothing(t *testing.T) {
	t.Setenv("LD_PRELOAD", "/tmp/evil.so")
	t.Setenv("PATH", "/tmp")
	u, err := user.Current()
	if err != nil {
		t.Skip("the user has no name here:", err)
	}
	want := []string{"HOME=" + u.HomeDir, "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"SHELL=/bin/sh", "USER=" + u.Username}
	got := cleanEnv()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("clean environment %q, want %q", got, want)
	}
}

func TestWhatTheKeeperIsGiven(t *testing.T) {
	n := New(nil, nil, nil, Options{Name: "n1", Dir: t.TempDir()})
	n.executors["exec"] = plain{}
	prepare := n.preparer()
	spec := rota.Spec{Argv: []string{"a", "b"}, Dir: "/w", Stdin: "/in", Out: "/o.%n", Err: "/e.%n",
		Timeout: rota.Duration(time.Minute), Grace: rota.Duration(time.Second)}
	p, err := prepare(assignment(rota.PlainTask(1), 2, spec), "/uploaded")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Argv, spec.Argv) || p.Dir != "/w" || p.Stdin != "/in" || p.Out != "/o.2" || p.Err != "/e.2" ||
		!p.Append || p.Timeout != spec.Timeout || p.Grace != spec.Grace || p.Token != "secret" || p.Attempt != 2 {
		t.Errorf("process %+v", p)
	}
	if p.Limits != (rota.Limits{}) || p.Tolerance >= 0 {
		t.Errorf("nobody limits it: %+v, tolerance %v", p.Limits, p.Tolerance)
	}
	n.opts.OnStoreLoss = "2m" // the session's, and so what the store has (P8)
	if p, err := prepare(assignment(rota.PlainTask(1), 2, spec), ""); err != nil || p.Tolerance.D() != 2*time.Minute {
		t.Errorf("the node's own rule: tolerance %v, %v", p.Tolerance, err)
	}
	p, err = prepare(assignment(rota.PlainTask(1), 1, rota.Spec{}), "/uploaded")
	if err != nil || p.Input != "/uploaded" || p.Append || p.Grace != rota.DefaultGrace || p.Timeout != 0 || p.Out != "" {
		t.Errorf("process %+v, %v", p, err)
	}
}

// TestD6_TheKeeperIsGivenTheLimitsThatHold: of the job, its queue and this node.
func TestD6_TheKeeperIsGivenTheLimitsThatHold(t *testing.T) {
	n := New(nil, nil, nil, Options{Name: "n1", Dir: t.TempDir(),
		Limits: rota.Allowance{Default: rota.Limits{CPUs: 1, PIDs: 300}, Max: rota.Maxima{Memory: 2 << 30, PIDs: 200}}})
	n.executors["exec"] = plain{}
	a := assignment(rota.PlainTask(1), 1, rota.Spec{Limits: rota.Limits{Memory: 8 << 30, Nice: 10}, OnStoreLoss: "10m"})
	a.Allowance = &rota.Allowance{Default: rota.Limits{Memory: 1 << 30, CPUs: 3}, Max: rota.Maxima{Memory: 4 << 30, CPUs: 2.5}}
	p, err := n.preparer()(a, "")
	want := rota.Limits{Memory: 2 << 30, CPUs: 2.5, PIDs: 200, Nice: 10}
	if err != nil || p.Limits != want || p.Tolerance.D() != 10*time.Minute {
		t.Errorf("limits %+v, tolerance %v, %v; want %+v", p.Limits, p.Tolerance, err, want)
	}
	a.Allowance, a.Spec.OnStoreLoss = nil, rota.StoreLossKill
	p, err = n.preparer()(a, "")
	if want.CPUs = 1; err != nil || p.Limits != want || p.Tolerance != 0 {
		t.Errorf("without the queue's: limits %+v, tolerance %v, %v; want %+v", p.Limits, p.Tolerance, err, want)
	}
}
