package keeper

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/executor"
)

// doomed names the folder in which the test binary plays a node that is going to be killed.
const doomed = "KEEPER_TEST_DOOMED"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == StagesCommand {
		os.Exit(RunStages(os.Args[2:]))
	}
	if dir := os.Getenv(doomed); dir != "" {
		if err := runDoomed(dir); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	if dir := os.Getenv(apartIn); dir != "" {
		if err := runApart(dir); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if job := os.Getenv(jobOfTest); job != "" {
		runJob(job)
	}
	os.Exit(m.Run())
}

// runDoomed starts jobs whose children outlive them, says each pid in a line, and waits for the end.
func runDoomed(dir string) error {
	k, err := New(Options{Dir: dir, Slots: 3})
	if err != nil {
		return err
	}
	for n, text := range []string{
		"sleep 1000 & echo $$ $!; exec sleep 1000",
		"trap '' TERM HUP; sleep 1000 & echo $$ $!; wait",
		"(exec env -i /bin/sh -c 'sleep 1000; true') & sleep 1000 & echo $$ $!; exec sleep 1000", // one does not carry the mark
	} {
		p := executor.Process{Try: try(n + 1), Env: []string{"PATH=" + os.Getenv("PATH")}}
		p.Argv = []string{"/bin/sh", "-c", text}
		p.Out = filepath.Join(dir, "out"+strconv.Itoa(n))
		if err := k.Start([]executor.Process{p}); err != nil {
			return err
		}
		for text := ""; !strings.HasSuffix(text, "\n"); {
			b, _ := os.ReadFile(p.Out)
			text = string(b)
			if text != "" && strings.HasSuffix(text, "\n") {
				fmt.Print("pids ", text)
			}
		}
	}
	fmt.Println("ready")
	select {}
}

// killANode runs a doomed node in a folder, kills it, and returns the main processes of its jobs and their children.
func killANode(t *testing.T, dir string) (leaders, children []int) {
	t.Helper()
	node := exec.Command(os.Args[0])
	node.Env = append(os.Environ(), doomed+"="+dir)
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "ready"; {
		var leader, child int
		if _, err := fmt.Sscanf(lines.Text(), "pids %d %d", &leader, &child); err != nil {
			t.Fatalf("the node says %q", lines.Text())
		}
		leaders, children = append(leaders, leader), append(children, child)
	}
	if err := node.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = node.Wait()
	if len(leaders) != 3 {
		t.Fatalf("the node started %v", leaders)
	}
	return leaders, children
}

func TestP11I6AKilledNodesProcessesAreEndedByTheNext(t *testing.T) {
	dir := t.TempDir()
	leaders, children := killANode(t, dir)
	for _, pid := range leaders {
		until(t, "the main process dies with the node", func() bool { return look(pid) == nil })
	}
	for _, pid := range children {
		if look(pid) == nil {
			t.Errorf("process %d has died as well: nothing is left to be ended", pid)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "output", "1.1.stdout"), []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := rigIn(t, dir, 1)
	all, err := running()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		for i := range leaders {
			if p.group == leaders[i] || p.pid == children[i] {
				t.Errorf("process %d of group %d lives", p.pid, p.group)
			}
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "output", "1.1.stdout")); string(text) != "kept" {
		t.Errorf("what was kept of the output: %q, %v", text, err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "slots")); len(left) != 0 {
		t.Errorf("left of the slots: %v", left)
	}
	if e := r.run(sh(1, "echo again")); r.output(e, rota.Stdout) != "again\n" {
		t.Errorf("%+v", e)
	}
}

// strange is a process in a group of its own that no keeper has started. As an orphan it is the child of the group's
// leader, which is dead.
type strange struct {
	marked, orphan, session bool
}

func (s strange) start(t *testing.T, mark string) (group, pid int) {
	t.Helper()
	text := "echo $$; exec sleep 1000"
	if s.orphan {
		text = "sleep 1000 >/dev/null & echo $!"
	}
	c := exec.Command("/bin/sh", "-c", text)
	if c.Env = os.Environ(); s.marked {
		c.Env = append(c.Env, mark)
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: !s.session, Setsid: s.session}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if s.orphan {
		_ = c.Wait()
	}
	t.Cleanup(func() {
		_ = unix.Kill(-c.Process.Pid, unix.SIGKILL)
		_ = c.Wait()
	})
	return c.Process.Pid, pidIn(t, line)
}

func TestP11AForeignProcessIsNeverKilled(t *testing.T) {
	const older, younger = rota.Elapsed(-1e9), rota.Elapsed(1e9) // than the attempt of the journal
	for _, c := range []struct {
		name    string
		process strange
		age     rota.Elapsed
		numbers bool // the journal has its number
		boot    string
		dies    bool
	}{
		{"the number of an older process", strange{}, older, true, boot(), false},
		{"the number of a younger process", strange{}, younger, true, boot(), false},
		{"a younger one that even carries the mark", strange{marked: true}, younger, true, boot(), false},
		{"the number of a group", strange{orphan: true}, 0, true, boot(), false},
		{"an older group, marked", strange{orphan: true, marked: true}, older, true, boot(), false},
		{"another boot", strange{marked: true}, 0, true, "another", false},
		{"no number, an older process, marked", strange{marked: true}, older, false, boot(), false},
		{"no number, another session, marked", strange{marked: true, session: true}, 0, false, boot(), false},
		{"no number, no mark", strange{}, 0, false, boot(), false},
		{"ours, by its leader", strange{}, 0, true, boot(), true},
		{"ours, by a member", strange{orphan: true, marked: true}, 0, true, boot(), true},
		{"ours, without a number", strange{marked: true}, 0, false, boot(), true},
		{"ours, without a number or a leader", strange{orphan: true, marked: true}, 0, false, boot(), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			before := clock.Elapsed()
			group, pid := c.process.start(t, scratchMark+filepath.Join(dir, "slots", "7", "scratch"))
			b := birth{Try: try(1), slot: 7, before: before - c.age, pid: group, after: clock.Elapsed() - c.age}
			session, err := unix.Getsid(0)
			if err != nil {
				t.Fatal(err)
			}
			text := b.try(fmt.Appendf(nil, "life %s %d %q\n", c.boot, session, dir))
			if c.numbers {
				text = b.start(text)
			}
			text = fmt.Appendf(text, "try 8 17 1 0\nstart 8 %d", pid) // cut short
			if err := os.WriteFile(filepath.Join(dir, "journal"), text, 0o600); err != nil {
				t.Fatal(err)
			}
			rigIn(t, dir, 1)
			if lives := isAlive(pid); lives == c.dies {
				t.Errorf("lives: %v", lives)
			}
		})
	}
}

func TestP10TheJournalSaysWhatTheKernelSays(t *testing.T) {
	r := newRig(t, 2)
	path := filepath.Join(r.local.dir, "journal")
	p := sh(1, "echo $$; exec sleep 1000")
	r.start(p)
	pid := pidIn(t, r.says(p.Try, rota.Stdout, "\n"))
	var l life
	until(t, "the start is in the journal", func() bool {
		var err error
		if l, err = readJournal(path); err != nil {
			t.Fatal(err)
		}
		return len(l.runs) == 1 && l.runs[0].pid != 0
	})
	b, found := l.runs[0], look(pid)
	if b.pid != pid || found == nil || found.group != pid || found.started < tick(b.before) || found.started > tick(b.after) {
		t.Errorf("journal %+v, kernel %+v", b, found)
	}
	if l.boot != boot() || l.dir != r.local.dir {
		t.Errorf("journal of boot %s, folder %s", l.boot, l.dir)
	}
	r.Stop(p.Try, true)
	r.await(p.Try)
	if l, _ := readJournal(path); len(l.runs) != 0 {
		t.Errorf("ended, and in the journal as %v", l.runs)
	}
}

func TestI12TheJournalStaysSmallAndForgetsNothingThatRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	r := newRig(t, 0)
	j, err := newJournal(path, r.local.dir, r.local.log)
	if err != nil {
		t.Fatal(err)
	}
	runs, tried := birth{try(1), 3, 1, 4711, 2}, birth{Try: try(2), slot: 4, before: 3}
	j.try(runs)
	j.start(runs)
	j.try(tried)
	const last = 20_000
	for n := 3; n <= last; n++ {
		j.try(birth{Try: try(n), before: 1})
		j.start(birth{try(n), 0, 1, n, 2})
		j.end(0, executor.Exit{Try: try(n), Outcome: rota.OutcomeSucceeded})
		if n%1000 != 0 {
			j.forget([]rota.Try{try(n)})
		}
	}
	if st, err := os.Stat(path); err != nil || st.Size() > journalLimit+1000 {
		t.Errorf("%v, %v", st.Size(), err)
	}
	l, err := readJournal(path)
	if err != nil || len(l.runs) != 2 || l.runs[3] != runs || l.runs[4] != tried || l.boot != boot() {
		t.Errorf("%+v, %v", l, err)
	}
	for n := 1000; n <= last; n += 1000 {
		if !slices.Contains(l.done, try(n)) {
			t.Errorf("%v has ended, was not forgotten, and is not in the journal", try(n))
		}
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
}

func TestP10WhatWasStartedIsKnownToTheNextLife(t *testing.T) {
	dir := t.TempDir()
	if tries, err := Recover(dir, slog.Default()); len(tries) != 0 || err != nil {
		t.Errorf("%v, %v in a new folder", tries, err)
	}
	r := rigIn(t, dir, 1)
	r.run(sh(1, "exit 3"))
	r.run(command(2, "no-such-program"))
	runs := sh(3, "echo up; exec sleep 1000")
	r.start(runs, sh(4, "true"))
	r.says(runs.Try, rota.Stdout, "up")
	tries, err := Recover(dir, slog.Default())
	if !slices.Equal(tries, []rota.Try{try(1), try(3)}) || err != nil {
		t.Errorf("%v, %v", tries, err)
	}
}
