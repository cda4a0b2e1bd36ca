package join

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

const anHour = time.Hour // a lease that no test waits for

func TestP29AnyServerWillDo(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.servers[0], c.servers[1]
	job := c.submit(rota.Spec{Argv: []string{"true"}})
	s := c.join(anHour, a.address, b.address)
	if _, err := s.OpenSession(t.Context(), opening("n")); err != nil {
		t.Fatal(err)
	}
	id := opening("n").Session
	// The reply to a claim is lost; the other server answers under the same number.
	a.breaks(func(r *http.Request) fault {
		if strings.HasSuffix(r.URL.Path, "/exchanges") {
			return replyOut
		}
		return none
	})
	got, err := s.Exchange(t.Context(), rota.Exchange{Session: id, Seq: 1, Claim: rota.Claim{Max: 5}})
	if err != nil || len(got.Claimed) != 1 || got.Claimed[0].Attempt != 1 || got.Claimed[0].Task.Job() != job || a.faults(replyOut) != 1 {
		t.Fatalf("claimed %+v, %v; %d replies were lost", got.Claimed, err, a.faults(replyOut))
	}
	a.away()
	try := got.Claimed[0].Try
	if r, err := s.Renew(t.Context(), rota.Renewal{Session: id, Seq: 1, Held: []rota.Try{try}}); err != nil || len(r.Gone)+len(r.Strays) > 0 {
		t.Errorf("renewed: %+v, %v", r, err)
	}
	if _, err := s.Await(t.Context(), id, 0); err != nil {
		t.Errorf("await: %v", err)
	}
	if err := s.KeepOutput(t.Context(), try, []rota.Chunk{{Stream: rota.Stdout, Total: 1, Data: []byte("x")}}); err != nil {
		t.Errorf("output: %v", err)
	}
	if _, _, err := s.Input(t.Context(), job, 0, 1); err != nil {
		t.Errorf("input: %v", err)
	}
	if s.Addresses()[0] != b.address {
		t.Errorf("asked first: %v", s.Addresses())
	}
	// Then the other one goes, and the first is back.
	a.breaks(nil)
	b.away()
	exit := 0
	done, err := s.Exchange(t.Context(), rota.Exchange{Session: id, Seq: 2, Finished: []rota.Finish{{Try: try, Outcome: rota.OutcomeSucceeded, Exit: &exit}}})
	if err != nil || len(done.Refused) > 0 {
		t.Errorf("finish: %+v, %v", done, err)
	}
	if err := s.CloseSession(t.Context(), id); err != nil {
		t.Errorf("close: %v", err)
	}
	a.away()
	_, err = s.Renew(t.Context(), rota.Renewal{Session: id})
	if !errors.Is(err, rota.ErrUnavailable) {
		t.Errorf("when none answers: %v", err)
	}
}

// TestP29ASilentServerHoldsUpNoRenewal: the first is asked, and while it is silent the next.
func TestP29ASilentServerHoldsUpNoRenewal(t *testing.T) {
	c := newCluster(t, 1)
	if _, err := c.join(anHour, c.servers[0].address).OpenSession(t.Context(), opening("n")); err != nil {
		t.Fatal(err)
	}
	s := c.join(12*time.Second, silent(t), silent(t), c.servers[0].address)
	if _, err := s.Renew(t.Context(), rota.Renewal{Session: opening("n").Session}); err != nil {
		t.Errorf("renewed: %v", err)
	}
	if s.Addresses()[0] != c.servers[0].address {
		t.Errorf("asked first the next time: %v", s.Addresses())
	}
}

func TestP29WhatAServerSaysIsTheStoresWord(t *testing.T) {
	c := newCluster(t, 2)
	s := c.join(anHour, c.servers[0].address, c.servers[1].address)
	_, err := s.Renew(t.Context(), rota.Renewal{Session: "nobody-knows"})
	if !errors.Is(err, rota.ErrLeaseLost) || c.servers[1].faults(none) != 0 {
		t.Errorf("%v; the other was asked %d times", err, c.servers[1].faults(none))
	}
}

func TestP29AServerOfAnotherStoreIsPassedOver(t *testing.T) {
	c, stranger := newCluster(t, 1), newCluster(t, 1)
	s := c.join(anHour, stranger.servers[0].address, c.servers[0].address)
	if _, err := s.OpenSession(t.Context(), opening("n")); err != nil {
		t.Errorf("one of them knows the token: %v", err)
	}
	c.servers[0].away()
	if _, err := s.Renew(t.Context(), rota.Renewal{Session: opening("n").Session}); !errors.Is(err, rota.ErrUnavailable) {
		t.Errorf("the one that does is away: %v", err)
	}
	lone := c.join(anHour, stranger.servers[0].address)
	if _, err := lone.OpenSession(t.Context(), opening("n")); !errors.Is(err, rota.ErrUnauthenticated) {
		t.Errorf("none of them knows the token: %v", err)
	}
}

// TestP29ServersTellOfEachOther: who was told of a server finds it when the one that was named goes, also after a start.
func TestP29ServersTellOfEachOther(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.servers[0], c.servers[1]
	for name, f := range map[string]*far{"a": a, "b": b} {
		o := opening(name)
		o.Node.API = f.address
		if _, err := f.OpenSession(c.ctx, o); err != nil {
			t.Fatal(err)
		}
	}
	var told []string
	s, err := New([]string{a.address}, nil, Options{Token: c.token, TTL: anHour, Learned: func(now []string) { told = now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.OpenSession(t.Context(), opening("n")); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(told, []string{b.address}) {
		t.Errorf("told of %v", told)
	}
	told = nil
	a.away()
	if _, err := s.Renew(t.Context(), rota.Renewal{Session: opening("n").Session}); err != nil {
		t.Errorf("renewed at the other: %v", err)
	}
	if told != nil {
		t.Errorf("told again of the same: %v", told)
	}
	again, err := New([]string{a.address}, []string{b.address, "no address"}, s.opts)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := again.OpenSession(t.Context(), opening("n")); err != nil {
		t.Errorf("after a start: %v", err)
	}
}

// TestP29AnAddressOfAnotherMachinesOwnIsNotTaken: to who came from elsewhere 127.0.0.1 is another machine.
func TestP29AnAddressOfAnotherMachinesOwnIsNotTaken(t *testing.T) {
	pin := "#" + strings.Repeat("1", 64)
	var told []string
	s, err := New([]string{"https://192.0.2.1:2691"}, nil, Options{Token: "t", TTL: anHour, Learned: func(now []string) { told = now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.learn(s.front, []string{"https://127.0.0.1:2691" + pin, "https://[::1]:2691", "http://192.0.2.3:2691", "nonsense", "https://192.0.2.1:2691", "https://192.0.2.2:2691" + pin})
	if !slices.Equal(told, []string{"https://192.0.2.2:2691" + pin}) {
		t.Errorf("told of %v", told)
	}
	var many []string
	for i := range 2 * mostTold {
		many = append(many, "https://192.0.2."+string(rune('0'+i/10))+string(rune('0'+i%10))+"9.example.org")
	}
	s.learn(s.front, many)
	if len(s.told) != mostTold || !slices.Equal(told, many[:mostTold]) {
		t.Errorf("%d are known: %v", len(s.told), told)
	}
}

func TestNoServerIsNamed(t *testing.T) {
	for _, named := range [][]string{nil, {"nonsense"}, {"http://192.0.2.1:2691"}} {
		if _, err := New(named, nil, Options{Token: "t"}); !errors.Is(err, rota.ErrInvalid) || rota.FixOf(err) == "" {
			t.Errorf("%v: %v", named, err)
		}
	}
}
