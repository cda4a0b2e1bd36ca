package keeper

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// apartIn names the folder in which the test binary plays a keeper that is a process of its own; apartNoGroups makes it
// one without control groups.
const (
	apartIn       = "KEEPER_TEST_APART"
	apartNoGroups = "KEEPER_TEST_APART_NO_GROUPS"
)

func runApart(dir string) error {
	k, err := New(Options{Dir: dir, Slots: 4, NoGroups: os.Getenv(apartNoGroups) != "", Subreaper: true,
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	l, err := Listen(filepath.Join(dir, "keeper.sock"))
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return Serve(l, k)
}

// startApart starts a keeper in a process of its own, and connects to it.
func startApart(t *testing.T, dir string, env ...string) (*exec.Cmd, *rig) {
	t.Helper()
	process := exec.Command(os.Args[0])
	process.Env = append(append(os.Environ(), apartIn+"="+dir), env...)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	process.Stderr = log
	t.Cleanup(func() {
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("the keeper's log:\n%s", text)
		}
		_ = log.Close()
	})
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill() })
	if lines := bufio.NewScanner(out); !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("the keeper says %q", lines.Text())
	}
	r, err := Dial(t.Context(), filepath.Join(dir, "keeper.sock"))
	if err != nil {
		t.Fatal(err)
	}
	if pid := r.Hello().PID; pid != process.Process.Pid {
		t.Errorf("process %d says that it is %d", process.Process.Pid, pid)
	}
	return process, &rig{T: t, keeper: r, ends: map[rota.Try][]executor.Exit{}}
}

func TestP11WithTheKeeperDiesWhatItRanAndTheDaemonHearsOfIt(t *testing.T) {
	dir := privateDir(t)
	process, r := startApart(t, dir)
	r.start(sh(1, "echo $$; exec sleep 1000"))
	pid := pidIn(t, r.says(try(1), rota.Stdout, "\n"))
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := r.remote().End(); rota.KindOf(err).Err != rota.ErrUnavailable {
		t.Errorf("end: %v", err)
	}
	isLost(t, r.remote())
	until(t, "the main process dies with the keeper", func() bool { return look(pid) == nil })

	_, next := startApart(t, dir)
	if found := next.remote().Resumed(); len(found) != 0 {
		t.Errorf("another life found %v", found)
	}
	if is, was := next.remote().Hello(), r.remote().Hello(); is.Session == was.Session || is.Secret == was.Secret {
		t.Errorf("%+v has the session or the secret of %+v (P4)", is, was)
	}
	if err := next.remote().End(); err != nil {
		t.Error(err)
	}
}

func TestAKeeperThatIsAProcessEndsWhenItIsTold(t *testing.T) {
	process, r := startApart(t, privateDir(t))
	if e := r.run(sh(1, "echo text")); r.output(e, rota.Stdout) != "text\n" {
		t.Errorf("%+v", e)
	}
	if err := r.remote().End(); err != nil {
		t.Fatal(err)
	}
	until(t, "the process is gone", func() bool { return look(process.Process.Pid) == nil })
}

func privateDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keeper")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}
