package sqlstore

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/pgtest"
)

// TestP5TheAnswerOfEveryCallIsLost loses the answer of the commit of each call that writes, once: each is told as done,
// and is done once.
func TestP5TheAnswerOfEveryCallIsLost(t *testing.T) {
	server := pgtest.Shared(t)
	proxy := pgtest.NewProxy(t, server.Address())
	s, err := Open(t.Context(), pgtest.At(server.Database(t), proxy.Address()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := t.Context()
	lost := 0
	call := func(what string, do func() error) {
		t.Helper()
		once := false
		proxy.Lose(func(r pgtest.Reply) bool {
			if once || !slices.Contains(r.Tags, "COMMIT") {
				return false
			}
			once = true
			return true
		})
		err := do()
		proxy.Lose(nil)
		if err != nil || proxy.Lost() != lost+1 {
			t.Errorf("%s: %v, %d answers lost", what, err, proxy.Lost()-lost)
		}
		lost = proxy.Lost()
	}
	count := func(what string, want int, query string) {
		t.Helper()
		n := -1
		if err := s.engine.(*postgres).db.QueryRow(query).Scan(&n); err != nil || n != want {
			t.Errorf("%s: %d, %v; want %d", what, n, err, want)
		}
	}
	call("open session", func() error {
		_, err := s.OpenSession(ctx, rota.Opening{Session: "s", Key: "k", Node: rota.Node{Name: "n", Slots: 9}, TTL: rota.Duration(time.Minute)})
		return err
	})
	var got rota.Exchanged
	call("submit", func() error { _, err := s.Submit(ctx, named("one")); return err })
	count("jobs", 1, `SELECT count(*) FROM job`)
	call("claim", func() (err error) {
		got, err = s.Exchange(ctx, rota.Exchange{Session: "s", Seq: 1, Claim: rota.Claim{Max: 9}})
		return err
	})
	if len(got.Claimed) != 1 {
		t.Fatalf("claimed %+v", got)
	}
	try := got.Claimed[0].Try
	call("renew", func() error {
		rs, err := s.Renew(ctx, []rota.Renewal{{Session: "s", Seq: 1, Held: []rota.Try{try}, State: rota.NodeUp}})
		if err == nil && (rs[0].Err != nil || len(rs[0].Strays)+len(rs[0].Gone) > 0) {
			err = fmt.Errorf("%+v", rs)
		}
		return err
	})
	call("keep output", func() error {
		return s.KeepOutput(ctx, try, []rota.Chunk{{Stream: rota.Stdout, Data: []byte("text")}})
	})
	call("finish", func() error {
		x, err := s.Exchange(ctx, rota.Exchange{Session: "s", Seq: 2, Finished: []rota.Finish{{Try: try, Outcome: rota.OutcomeSucceeded, Exit: new(int)}}})
		if err == nil && len(x.Refused) > 0 {
			err = fmt.Errorf("%+v", x)
		}
		return err
	})
	count("succeeded", 1, `SELECT count(*) FROM task WHERE state = 6 AND attempt = 1`)
	call("hold", func() error {
		_, err := s.Operate(ctx, rota.Operation{Act: rota.ActHold, By: "me", Filter: rota.Filter{States: []rota.State{rota.Ready}}})
		return err
	})
	call("put schedule", func() error {
		_, err := s.PutSchedule(ctx, rota.Schedule{Name: "daily", Spec: named("x")[0].Spec})
		return err
	})
	call("drop schedule", func() error { return s.DropSchedule(ctx, "daily") })
	call("token", func() error {
		_, err := s.PutToken(ctx, rota.Token{Name: "t", Hash: "h", Role: rota.RoleAdmin})
		return err
	})
	count("tokens", 1, `SELECT count(*) FROM token`)
	call("change queue", func() error { _, err := s.ChangeQueue(ctx, "other", rota.QueueChange{}); return err })
	call("drain", func() error { _, err := s.DrainNode(ctx, "n"); return err })
	sessions, err := s.Sessions(ctx)
	if err != nil || len(sessions) != 1 {
		t.Fatalf("%+v, %v", sessions, err)
	}
	call("lose session", func() error {
		changed, err := s.LoseSession(ctx, "s", sessions[0].Beat, 0)
		if err == nil && !changed {
			err = fmt.Errorf("it is said that nothing changed")
		}
		return err
	})
	call("sweep", func() error { _, err := s.Sweep(ctx, rota.Sweep{What: rota.SweepRescue}); return err })
	call("close session", func() error { return s.CloseSession(ctx, "s") })
	if wrong, err := s.Verify(ctx); err != nil || len(wrong) > 0 {
		t.Errorf("the store is not sound: %v, %v", wrong, err)
	}
}
