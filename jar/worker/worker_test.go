package worker_test

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
	"github.com/rotaqueue/rota/jar"
	"github.com/rotaqueue/rota/jar/worker"
	"github.com/rotaqueue/rota/keeper"
)

// world is a jar with a worker and a real keeper.
type world struct {
	*testing.T
	jar.Jar
	opts worker.Options
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, Jar: jar.At(t.TempDir())}
	w.must(w.Make())
	me, err := w.Register(jar.Here("here"), "")
	w.must(err)
	k, err := keeper.New(keeper.Options{Dir: me.Life().Keeper, Slots: 1, NoGroups: true})
	w.must(err)
	t.Cleanup(func() { k.Close() })
	w.opts = worker.Options{Worker: me, Keeper: k, Pause: 5 * time.Millisecond, Scratch: me.Life().Scratch,
		Env: []string{"PATH=" + os.Getenv("PATH")}, Log: slog.New(slog.DiscardHandler)}
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// submit puts a script into the jar; the last one has the lowest priority, and ends the worker.
func (w *world) submit(text string, priority int) string {
	name, err := w.Submit(jar.Submission{Text: "#!/bin/sh\n" + text + "\n", Priority: priority})
	w.must(err)
	return name
}

func (w *world) submitLast() { w.submit(": > $JJ_WORKER_HOME/STOP_ALL", -1000) }

func (w *world) run() {
	w.Helper()
	w.submitLast()
	w.must(worker.Run(w.Context(), w.opts))
}

func (w *world) kept(name, kind string) string {
	text, _ := os.ReadFile(filepath.Join(w.Completed(), "."+name+"."+kind))
	return string(text)
}

// TestJ2EachJobFindsAFreshFolder: under a name of its own, empty, and gone when the job is, whatever the job did to it.
func TestJ2EachJobFindsAFreshFolder(t *testing.T) {
	w := newWorld(t)
	var names []string
	for i, text := range []string{"true", "mkdir a; touch a/b; chmod 500 a", "chmod 555 .", "touch x; rm x", "touch -d @0 y; touch -d @0 .", "rm -rf $PWD", "true", ": > .hidden", "true"} {
		names = append(names, w.submit("pwd; echo \"$JJ_SCRATCH_DIR\"; ls -A; stat -c %a .; "+text, 100-i))
	}
	w.run()
	seen := map[string]bool{}
	for _, name := range names {
		lines := strings.Fields(w.kept(name, "out"))
		if len(lines) != 3 || lines[0] != lines[1] || lines[2] != "700" || seen[lines[0]] {
			t.Errorf("%s: %q", name, lines)
			continue
		}
		seen[lines[0]] = true
		if _, err := os.Stat(lines[0]); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", lines[0], err)
		}
	}
}

// TestJ9ALongJobIsShown: in a row of short jobs the link in claimed is made for a job that is not one, and is gone after it.
func TestJ9ALongJobIsShown(t *testing.T) {
	w := newWorld(t)
	for range 20 {
		w.submit("true", 10)
	}
	// It ends when it has seen its own link.
	name := w.submit("until test -L $JJ_HOME/claimed/$JJ_JOB -a $JJ_HOME/claimed/$JJ_JOB -ef $0; do sleep 0.01; done; echo seen", 0)
	w.run()
	if got := w.kept(name, "out"); got != "seen\n" {
		t.Errorf("%q", got)
	}
	if links, err := os.ReadDir(w.Claimed()); err != nil || len(links) != 0 {
		t.Errorf("links that are left: %v, %v", links, err)
	}
}

// TestJ9TheFirstJobSeesItsLink: the link is there before the job begins.
func TestJ9TheFirstJobSeesItsLink(t *testing.T) {
	w := newWorld(t)
	name := w.submit("readlink $JJ_HOME/claimed/$JJ_JOB", 0)
	w.run()
	if got := w.kept(name, "out"); !strings.HasSuffix(got, "/"+name+"\n") {
		t.Errorf("%q", got)
	}
}

// refusing is a keeper that cannot start anything for the first few times, for reasons of its own.
type refusing struct {
	executor.Keeper
	left  int
	exits chan []executor.Exit
}

func (k *refusing) Start(ps []executor.Process) error {
	if k.left--; k.left < 0 {
		go func() { k.exits <- <-k.Keeper.Exits() }()
		return k.Keeper.Start(ps)
	}
	go func() {
		k.exits <- []executor.Exit{{Try: ps[0].Try, Outcome: rota.OutcomeReturned, Reason: "no more processes can be had"}}
	}()
	return nil
}

func (k *refusing) Exits() <-chan []executor.Exit { return k.exits }

// TestP7AJobThatCouldNotBeStartedGoesBack: for a reason that is not its own, it is not the worse for it.
func TestP7AJobThatCouldNotBeStartedGoesBack(t *testing.T) {
	w := newWorld(t)
	name := w.submit("echo ran", 5)
	w.opts.Keeper = &refusing{Keeper: w.opts.Keeper, left: 3, exits: make(chan []executor.Exit)}
	w.run()
	if out, code := w.kept(name, "out"), w.kept(name, "exit"); out != "ran\n" || code != "0\n" {
		t.Errorf("output %q, code %q", out, code)
	}
}

// TestAFullDiskLosesNoJob: what cannot be moved stays the worker's until it can be, and nothing else is claimed meanwhile.
func TestAFullDiskLosesNoJob(t *testing.T) {
	w := newWorld(t)
	first := w.submit("rmdir $JJ_HOME/completed; : > $JJ_HOME/completed", 9)
	second := w.submit("echo second", 8)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	w.submitLast()
	go func() { ended <- worker.Run(ctx, w.opts) }()
	defer stop()
	exit := filepath.Join(w.opts.Worker.Dir(), "."+first+".exit")
	late := time.After(time.Minute)
	for tick := time.NewTicker(time.Millisecond); ; {
		if _, err := os.Stat(exit); err == nil {
			break
		}
		select {
		case <-late:
			t.Fatal("its end is not kept")
		case <-tick.C:
		}
	}
	if _, err := os.Stat(filepath.Join(w.Unclaimed(), second)); err != nil {
		t.Errorf("the next one was claimed: %v", err)
	}
	w.must(os.Remove(w.Completed()))
	w.must(os.Mkdir(w.Completed(), 0o755))
	w.must(<-ended)
	for _, name := range []string{first, second} {
		if w.kept(name, "exit") != "0\n" {
			t.Errorf("%s: code %q", name, w.kept(name, "exit"))
		}
	}
	left := 0
	w.must(filepath.WalkDir(w.Unclaimed(), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			left++
		}
		return err
	}))
	if left != 0 {
		t.Errorf("%d jobs are left", left)
	}
}
