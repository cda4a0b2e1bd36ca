package keeper

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestJ5ClearEndsWhatHidOutsideItsGroup: what carries the mark of a dead keeper's slot is ended although it is in another
// session and its leader is dead, also when the folder is gone; a process that carries another folder's goes on.
func TestJ5ClearEndsWhatHidOutsideItsGroup(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keeper")
	leaders, children := killANode(t, dir)
	hidden := sleeper(t, scratchMark+filepath.Join(dir, "slots", "1", "scratch"))
	other := sleeper(t, scratchMark+filepath.Join(dir+"2", "slots", "1", "scratch"))
	if err := Clear(dir, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	for _, pid := range append(leaders, children...) {
		if look(pid) != nil {
			t.Errorf("process %d still runs", pid)
		}
	}
	if look(hidden.Process.Pid) != nil {
		t.Error("what hid in another session still runs")
	}
	if look(other.Process.Pid) == nil {
		t.Error("a process of another folder was ended")
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	late := sleeper(t, scratchMark+filepath.Join(dir, "slots", "0", "scratch"))
	if err := Clear(dir, nil); err != nil {
		t.Fatal(err)
	}
	if look(late.Process.Pid) != nil {
		t.Error("with the folder gone, what carries its mark still runs")
	}
}

// sleeper is a process in a session of its own with an entry in its environment.
func sleeper(t *testing.T, entry string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "1000")
	cmd.Env = []string{entry}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}
