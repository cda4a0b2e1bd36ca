package server

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/storetest"
)

// flaky is a courier that fails so often before each success, and sometimes after one: whoever was told does not know that
// we know.
type flaky struct {
	mu     sync.Mutex
	fails  int
	tries  map[string]int
	came   map[string]int // events by id
	mails  int
	places map[string]bool
	alarms map[string]rota.Event // by place
}

func (f *flaky) Deliver(_ context.Context, place string, events []rota.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tries[events[0].ID]++; f.tries[events[0].ID] <= f.fails {
		return errors.New("try again")
	}
	for _, e := range events {
		f.came[e.ID]++
	}
	if strings.HasPrefix(place, rota.MailPlace) {
		f.mails++
	}
	f.places[place] = true
	for _, e := range events {
		if e.Kind == rota.EventAlarm {
			f.alarms[place] = e
		}
	}
	return nil
}

// TestZ5_WhoIsToldOfAnEnd: by the job, else by who submitted it, else by its queue, else by the node; with the reason; each failure is tried again
// until it comes, and a burst to one address is one letter.
func TestZ5_WhoIsToldOfAnEnd(t *testing.T) {
	c := &flaky{fails: 2, tries: map[string]int{}, came: map[string]int{}, places: map[string]bool{}}
	clock := storetest.NewClock()
	store := openStore(t, clock.Now)
	s := New(store, Options{Courier: c, Tell: rota.Tell{MailTo: []string{"node@example.org"}}, Link: "https://rota.example.org"})
	ctx := rota.WithPrincipal(t.Context(), rota.Principal{Name: "ada", Role: rota.RoleAdmin})
	open(t, s, "n")
	if _, err := s.ChangeQueue(ctx, "told", rota.QueueChange{Notify: []string{"https://queue.example.org"}}); err != nil {
		t.Fatal(err)
	}
	role := rota.RoleSubmitter
	if _, err := s.PutUser(ctx, "uma", rota.UserChange{Role: &role, MailTo: []string{"uma@example.org"}}); err != nil {
		t.Fatal(err)
	}
	submitAs := func(ctx context.Context, spec rota.Spec) {
		if _, err := s.Submit(ctx, rota.Submission{Spec: spec}); err != nil {
			t.Fatal(err)
		}
	}
	submit := func(spec rota.Spec) { submitAs(ctx, spec) }
	uma := rota.WithPrincipal(t.Context(), rota.Principal{Name: "uma", Role: role})
	submitAs(uma, rota.Spec{Argv: []string{"false"}, Queue: "told"}) // her address, and the queue's URL
	submitAs(uma, rota.Spec{Argv: []string{"false"}, Tell: rota.Tell{MailTo: []string{"ann@example.org"}, Notify: []string{rota.NoMail}}})
	const burst = 30
	for range burst {
		submit(rota.Spec{Argv: []string{"false"}, Tell: rota.Tell{MailTo: []string{"ann@example.org"}, Notify: []string{rota.NoMail}}})
	}
	submit(rota.Spec{Argv: []string{"false"}, Queue: "told"})
	submit(rota.Spec{Argv: []string{"true"}, Queue: "told"})
	claimed, err := s.Exchange(ctx, rota.Exchange{Session: "n", Seq: 1, Claim: rota.Claim{Max: 100}})
	if err != nil || len(claimed.Claimed) != burst+4 {
		t.Fatalf("claimed %d, %v", len(claimed.Claimed), err)
	}
	var ends []rota.Finish
	for _, a := range claimed.Claimed {
		code, outcome := 3, rota.OutcomeRefused
		if a.Spec.Argv[0] == "true" {
			code, outcome = 0, rota.OutcomeSucceeded
		}
		f := rota.Finish{Try: a.Try, Outcome: outcome, Exit: &code}
		if code > 0 {
			f.Reason = "exit code 3"
		}
		ends = append(ends, f)
	}
	if _, err := s.Exchange(ctx, rota.Exchange{Session: "n", Seq: 2, Finished: ends}); err != nil {
		t.Fatal(err)
	}
	for range 40 {
		if _, err := s.deliver(ctx); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Minute)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	want := []string{"https://queue.example.org", "mail:ann@example.org", "mail:node@example.org", "mail:uma@example.org"}
	if got := slices.Sorted(maps.Keys(c.places)); !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	if len(c.came) != burst+6 { // of the three in the queue each URL, and the node's address, or hers, of the failures; of hers that says so, ann
		t.Errorf("%d events came: %v", len(c.came), c.came)
	}
	if c.mails > 4 {
		t.Errorf("%d letters for a burst of %d", c.mails, burst)
	}
	if left, err := store.Letters(ctx, 10); err != nil || len(left) > 0 {
		t.Errorf("left %+v, %v", left, err)
	}
}

// TestD16_AlarmsAreTold: to whom the schedule names for that, else to whom its jobs' ends are told: by whose it is, else by its
// queue, else by the node; with what the job said, once for as long as the alarm holds.
func TestD16_AlarmsAreTold(t *testing.T) {
	c := &flaky{fails: 1, tries: map[string]int{}, came: map[string]int{}, places: map[string]bool{}, alarms: map[string]rota.Event{}}
	clock := storetest.NewClock()
	store := openStore(t, clock.Now)
	s := New(store, Options{Courier: c, Tell: rota.Tell{MailTo: []string{"node@example.org"}}, Link: "https://rota.example.org/"})
	ctx := rota.WithPrincipal(t.Context(), rota.Principal{Name: "ada", Role: rota.RoleAdmin})
	open(t, s, "n")
	if _, err := s.ChangeQueue(ctx, "told", rota.QueueChange{MailTo: []string{"queue@example.org"}}); err != nil {
		t.Fatal(err)
	}
	quiet := rota.Tell{MailTo: []string{rota.NoMail}, Notify: []string{rota.NoMail}}
	alarm := rota.Alarm{Fails: 2}
	for _, sch := range []rota.Schedule{
		{Name: "own", Alarm: rota.Alarm{Fails: 2, To: []string{"pager@example.org", "https://pager.example.org/x"}}, Spec: rota.Spec{Tell: quiet}},
		{Name: "job", Alarm: alarm, Spec: rota.Spec{Tell: rota.Tell{MailTo: []string{"job@example.org"}}}},
		{Name: "queue", Alarm: alarm, Spec: rota.Spec{Queue: "told"}},
		{Name: "node", Alarm: alarm},
		{Name: "nobody", Alarm: alarm, Spec: rota.Spec{Tell: quiet}},
		{Name: "hushed", Alarm: rota.Alarm{Fails: 2, To: []string{rota.NoMail}}, Spec: rota.Spec{Tell: quiet}},
		{Name: "none", Spec: rota.Spec{Tell: quiet}},
	} {
		sch.Expr, sch.Spec.Argv = "@yearly", []string{"false"}
		if _, err := s.PutSchedule(ctx, sch); err != nil {
			t.Fatal(err)
		}
	}
	for seq := 1; seq < 7; seq += 2 { // each fails three times
		failAll(t, s, ctx, seq)
		clock.Advance(time.Minute)
		if _, err := s.loops.following.step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 40 {
		if _, err := s.deliver(ctx); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Minute)
	}
	alarms := map[string]string{}
	for place, e := range c.alarms {
		alarms[place] = e.Schedule
	}
	want := map[string]string{"mail:pager@example.org": "own", "https://pager.example.org/x": "own", "mail:job@example.org": "job",
		"mail:queue@example.org": "queue", "mail:node@example.org": "node"}
	if !maps.Equal(alarms, want) {
		t.Errorf("alarms by place %v, want %v", alarms, want)
	}
	e := c.alarms["https://pager.example.org/x"]
	if e.Text != "it has failed 2 times in a row, the last time as job "+e.Job.String() || e.Reason != "exit code 3" || e.Errors != "no space" ||
		e.Link != "https://rota.example.org/cron/own" || e.ID == "" || e.At.IsZero() || e.Submit != "ada" {
		t.Errorf("told: %+v", e)
	}
	if len(c.came) != 5+3*3 { // the alarms, and three ends to three addresses
		t.Errorf("%d events came: %v", len(c.came), c.came)
	}
}

// failAll fires each schedule and has its job fail.
func failAll(t *testing.T, s *Server, ctx context.Context, seq int) {
	t.Helper()
	all, err := s.Schedules(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if _, err := s.FireSchedule(ctx, all[i].Name); err != nil {
			t.Fatal(err)
		}
	}
	claimed, err := s.Exchange(ctx, rota.Exchange{Session: "n", Seq: int64(seq), Claim: rota.Claim{Max: 100}})
	if err != nil || len(claimed.Claimed) != len(all) {
		t.Fatalf("claimed %d, %v", len(claimed.Claimed), err)
	}
	var ends []rota.Finish
	code := 3
	for _, a := range claimed.Claimed {
		ends = append(ends, rota.Finish{Try: a.Try, Outcome: rota.OutcomeRefused, Exit: &code, Reason: "exit code 3",
			Output: []rota.Chunk{{Stream: rota.Stderr, Data: []byte("no space\n")}}})
	}
	if _, err := s.Exchange(ctx, rota.Exchange{Session: "n", Seq: int64(seq + 1), Finished: ends}); err != nil {
		t.Fatal(err)
	}
}
