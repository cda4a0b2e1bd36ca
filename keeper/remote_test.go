package keeper

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// contract are the tests that hold for a keeper wherever it lives. A rig of theirs is of the kind under test.
var contract = []func(*testing.T){
	TestI8OutputIsExact,
	TestI8AnEscapedProcessDoesNotReachTheNextAttemptsOutput,
	TestI8AReaderDoesNotReadOnIntoTheNextAttempt,
	TestOutputThatCannotBeMovedStaysWhole,
	TestOwnFilesTakeTheOutput,
	TestNamedPipesDoNotHoldASlot,
	TestInputIsTheFileOrNothing,
	TestFileIsWhereTheStreamGoes,
	TestJ2EachAttemptFindsItsScratchFolderEmpty,
	TestScratchFolderThatIsLeftEmptyIsTheSame,
	TestEnvironmentHasWhatTheSlotKnows,
	TestS1TheTokenIsTheAttemptsOwnAndItsModeIs0400,
	TestBodyIsRunAsAFile,
	TestP7OutcomesAndTheirReasons,
	TestP7WhatCanNeverRunIsRefused,
	TestP7AProgramThatIsBeingWrittenFailsAndMayBeTriedAgain,
	TestP7OurOwnFailureIsWaitedOutAndNotTheJobs,
	TestP7OurOwnFailureThatLastsGivesBackOneAndNotTheQueue,
	TestP7WhatKeepsEverythingFromStartingIsTold,
	TestP7AfterAFailureOfOursThatAllSlotsMetAllAreUsedAgain,
	TestUsageIsTheProcesssOwn,
	TestI6TimeoutEndsTheGroupWithTerm,
	TestI6TimeoutKillsTheGroupThatIgnoresTerm,
	TestI6TimeoutKillsWhatOutlivesItsLeader,
	TestTimeoutStandsThoughTheJobEndsWell,
	TestStopGivesGraceToAllOfTheGroup,
	TestStopReachesAProcessThatStandsStill,
	TestStopNowKills,
	TestStopAtAnyMomentGivesOneEnd,
	TestI6WhatASuccessLeavesRunningIsKilledAndDoesNotDelayIt,
	TestP10AnAttemptRunsOnceAndItsEndIsRemembered,
	TestP10WhatHasNotEndedIsNotForgotten,
	TestSlotsTakeInOrder,
	TestP5WhatWaitsIsReturnedWithoutHavingStarted,
	TestSlotsCanBeMoreAndFewer,
	TestNoSlotsStartNothing,
	TestI12DescriptorsDoNotGrow,
	TestP2WhenTheLeaseIsOverEverythingEndsAndNothingStarts,
	TestP2ALeaseThatIsRenewedEndsNothing,
	TestP8EachAttemptGoesOnAsLongAsItTolerates,
}

// TestContractOverTheSocket runs the contract, which the tests as they stand run on a Local, on a Remote.
func TestContractOverTheSocket(t *testing.T) {
	kindOfRig = func(t *testing.T, dir string, slots int) *rig { return serve(t, dir, slots).rig(t) }
	defer func() { kindOfRig = rigIn }()
	for _, test := range contract {
		name := runtime.FuncForPC(reflect.ValueOf(test).Pointer()).Name()
		t.Run(name[strings.LastIndex(name, ".Test")+len(".Test"):], test)
	}
}

// served is a keeper that is served.
type served struct {
	local *Local
	path  string
	end   chan error // what Serve returns
}

func serve(t *testing.T, dir string, slots int) *served {
	t.Helper()
	k, err := New(Options{Dir: dir, Slots: slots})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "private", "keeper.sock")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &served{k, path, make(chan error, 1)}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		s.end <- Serve(l, k)
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-gone
	})
	return s
}

// dial is a daemon that connects.
func (s *served) dial(t *testing.T) *Remote {
	t.Helper()
	r, err := Dial(t.Context(), s.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func (s *served) rig(t *testing.T) *rig {
	t.Helper()
	return &rig{T: t, keeper: s.dial(t), local: s.local, ends: map[rota.Try][]executor.Exit{}}
}

// remote is the rig's side of the connection.
func (r *rig) remote() *Remote { return r.keeper.(*Remote) }

// isLost holds a daemon's side to what it promises when the connection is.
func isLost(t *testing.T, r *Remote) {
	t.Helper()
	for range r.Exits() { // ends when it is closed
	}
	if err := r.Start([]executor.Process{command(99, "true")}); rota.KindOf(err).Err != rota.ErrUnavailable {
		t.Errorf("start without a keeper: %v", err)
	}
	r.Stop(try(1), true)
	r.Return()
	r.Forget([]rota.Try{try(1)})
	r.Lease(0)
	if held, file, samples := r.Held(), r.File(try(1), rota.Stdout), r.Samples(); len(held) != 0 || file != "" || len(samples) != 0 {
		t.Errorf("held %v, file %q, samples %v without a keeper", held, file, samples)
	}
	if err := r.End(); rota.KindOf(err).Err != rota.ErrUnavailable {
		t.Errorf("end without a keeper: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestP10AnotherDaemonGoesOn(t *testing.T) {
	s := serve(t, t.TempDir(), 1)
	first := s.rig(t)
	gate := filepath.Join(t.TempDir(), "gate")
	note := func(p executor.Process, text string) executor.Process {
		p.Note = []byte(text)
		return p
	}
	forgotten, ended := first.run(command(1, "/bin/true")), first.run(note(sh(2, "echo two; exit 2"), "two"))
	first.Forget([]rota.Try{forgotten.Try})
	first.start(note(sh(3, "echo up; while [ ! -e "+gate+" ]; do sleep 0.01; done; echo on"), "three"), note(sh(4, "true"), ""))
	first.says(try(3), rota.Stdout, "up")
	if len(first.remote().Resumed()) != 0 {
		t.Errorf("the first daemon found %v", first.remote().Resumed())
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	isLost(t, first.remote())

	second := s.rig(t)
	want := []Held{{try(2), Ended, []byte("two")}, {try(3), Running, []byte("three")}, {try(4), Waiting, nil}}
	if got := second.remote().Resumed(); !reflect.DeepEqual(got, want) {
		t.Errorf("found %v", got)
	}
	if was, is := first.remote().Hello(), second.remote().Hello(); was != is || is.Version != rota.Version || len(is.Session) != 32 || len(is.Secret) != 64 || is.PID == 0 {
		t.Errorf("%+v, then %+v", was, is)
	}
	if again := second.await(try(2)); !reflect.DeepEqual(again, ended) {
		t.Errorf("the end was %+v, and then %+v", ended, again)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if e := second.await(try(3)); second.output(e, rota.Stdout) != "up\non\n" {
		t.Errorf("%+v with %q", e, second.output(e, rota.Stdout))
	}
	if e := second.await(try(4)); e.Outcome != rota.OutcomeSucceeded {
		t.Errorf("%+v", e)
	}
	second.Forget([]rota.Try{try(2), try(3)})
	third := s.rig(t)
	if held := third.Held(); !slices.Equal(held, []rota.Try{try(4)}) {
		t.Errorf("held %v in the end", held)
	}
	third.await(try(4))
	for try, more := range third.ends {
		if len(more) > 0 {
			t.Errorf("%v ended again: %+v", try, more)
		}
	}
}

func TestANewDaemonTakesOver(t *testing.T) {
	s := serve(t, t.TempDir(), 2)
	first := s.rig(t)
	first.start(sh(1, "echo up; exec sleep 1000"))
	first.says(try(1), rota.Stdout, "up")
	second := s.rig(t)
	isLost(t, first.remote())
	second.says(try(1), rota.Stdout, "up")
	second.Stop(try(1), true)
	if e := second.await(try(1)); e.Outcome != rota.OutcomeEnded {
		t.Errorf("%+v", e)
	}
}

// Daemons come at the same time while processes are started and end: there is one in the end, and it misses nothing.
func TestP10DaemonsThatRaceLoseNoEnd(t *testing.T) {
	const daemons, each = 8, 25
	s := serve(t, t.TempDir(), 2)
	var all sync.WaitGroup
	for n := range daemons {
		r := s.dial(t)
		all.Go(func() {
			for i := range each {
				_ = r.Start([]executor.Process{command(1+n*each+i, "/bin/true")}) // or another has taken over
			}
		})
	}
	all.Wait()
	r := s.rig(t)
	for _, try := range r.Held() {
		if e := r.await(try); e.Outcome != rota.OutcomeSucceeded {
			t.Errorf("%+v", e)
		}
	}
	for try, more := range r.ends {
		if len(more) > 0 {
			t.Errorf("%v ended again: %+v", try, more)
		}
	}
}

func TestEndKillsAndMakesTheKeeperGo(t *testing.T) {
	s := serve(t, t.TempDir(), 1)
	r := s.rig(t)
	r.start(sh(1, "trap '' TERM; sleep 1000 & echo $!; wait"), sh(2, "true"))
	child := pidIn(t, r.says(try(1), rota.Stdout, "\n"))
	if err := r.remote().End(); err != nil {
		t.Fatal(err)
	}
	if isAlive(child) {
		t.Errorf("process %d is alive after End", child)
	}
	if err := <-s.end; err != nil {
		t.Errorf("served: %v", err)
	}
	isLost(t, r.remote())
	if _, err := Dial(t.Context(), s.path); !errors.Is(err, ErrDead) {
		t.Errorf("dialled: %v", err)
	}
}

func TestAKeeperWhoseListenerFailsEndsEverything(t *testing.T) {
	k, err := New(Options{Dir: t.TempDir(), Slots: 1})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "private", "keeper.sock")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &served{k, path, make(chan error, 1)}
	go func() { s.end <- Serve(l, k) }()
	r := s.rig(t)
	r.start(sh(1, "echo $$; exec sleep 1000"))
	pid := pidIn(t, r.says(try(1), rota.Stdout, "\n"))
	_ = l.Close()
	if err := <-s.end; rota.KindOf(err).Err != rota.ErrUnavailable {
		t.Errorf("served: %v", err)
	}
	if isAlive(pid) {
		t.Errorf("process %d is alive", pid)
	}
	isLost(t, r.remote())
}

func TestP26ASocketWhosePathIsTooLongForTheSystemServes(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has a way around the limit of a socket's path")
	}
	path := filepath.Join(t.TempDir(), strings.Repeat("long/", 30), "keeper.sock")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	k, err := New(Options{Dir: t.TempDir(), Slots: 1})
	if err != nil {
		t.Fatal(err)
	}
	end := make(chan error, 1)
	go func() { end <- Serve(l, k) }()
	r, err := Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.End(), <-end); err != nil {
		t.Error(err)
	}
	if _, err := Dial(t.Context(), path); !errors.Is(err, ErrDead) {
		t.Errorf("dialled: %v", err)
	}
}

func TestTheSocketIsPrivate(t *testing.T) {
	s := serve(t, t.TempDir(), 0)
	if _, err := Dial(t.Context(), s.path+"x"); !errors.Is(err, ErrDead) {
		t.Errorf("dialled where nobody is: %v", err)
	}
	for path, want := range map[string]fs.FileMode{s.path: 0o600, filepath.Dir(s.path): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	open := t.TempDir()
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(filepath.Join(open, "keeper.sock")); rota.KindOf(err).Err != rota.ErrDenied {
		t.Errorf("in a folder that others may enter: %v", err)
	}
}

func TestI12ConnectionsLeaveNothingBehind(t *testing.T) {
	s := serve(t, t.TempDir(), 1)
	s.rig(t).run(command(1, "/bin/true")) // the slot's thread
	before := runtime.NumGoroutine()
	for range 50 {
		r := s.rig(t)
		r.await(try(1))
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
}

func TestDialGivesUpOnAKeeperThatSaysNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		c, err := l.Accept()
		cancel()
		if err == nil {
			defer c.Close()
			_, _ = io.Copy(io.Discard, c) // until the other end goes
		}
	}()
	if _, err := Dial(ctx, path); rota.KindOf(err).Err != rota.ErrUnavailable {
		t.Error(err)
	}
}
