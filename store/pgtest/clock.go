package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// NewWithClock is a server as New makes one, with a clock of its own, which SetClock sets. It goes by a library that
// comes between PostgreSQL and the system (libfaketime); what PostgreSQL waits for by elapsed time goes on at its pace.
func NewWithClock(t testing.TB, settings ...string) *Server {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/*/faketime/libfaketime.so.1") // where Debian has it
	if len(found) == 0 {
		t.Skip("libfaketime is not installed: apt-get install libfaketime")
	}
	s := create(t, settings...)
	t.Cleanup(func() { s.end(t) })
	s.env = []string{"LD_PRELOAD=" + found[0], "FAKETIME_TIMESTAMP_FILE=" + s.clock(), "FAKETIME_NO_CACHE=1",
		"FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_DISABLE_SHM=1"}
	s.SetClock(t, 0)
	s.begin(t)
	return s
}

func (s *Server) clock() string { return filepath.Join(s.folder, "clock") }

// SetClock sets the server's clock ahead of the machine's, or behind it: at once, also for who is connected.
func (s *Server) SetClock(t testing.TB, ahead time.Duration) {
	t.Helper()
	next := s.clock() + ".next"
	err := os.WriteFile(next, []byte(fmt.Sprintf("%+d", int64(ahead.Seconds()))), 0o644)
	if err == nil {
		err = os.Rename(next, s.clock()) // nobody reads half of it
	}
	if err != nil {
		t.Fatalf("set the clock of the PostgreSQL server: %v", err)
	}
}
