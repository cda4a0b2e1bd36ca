package server

import (
	"testing"

	"github.com/rotaqueue/rota"
)

func TestP27TransientServerClaimsItsOwnJobs(t *testing.T) {
	store := openStore(t, nil)
	whole, transient := New(store, Options{}), New(store, Options{Transient: true, Home: "home"})
	submit := func(s *Server, name string) rota.JobID {
		t.Helper()
		got, err := s.Submit(admin, plain(name))
		if err != nil {
			t.Fatal(err)
		}
		return got.Job
	}
	submit(whole, "other")
	submit(whole, "another")
	mine := submit(transient, "mine")
	if _, err := transient.OpenSession(admin, rota.Opening{Session: "home", Key: "k", Sole: true, Node: rota.Node{Name: "n", Slots: 4, Transient: true}}); err != nil {
		t.Fatal(err)
	}
	got, err := transient.Exchange(admin, rota.Exchange{Session: "home", Seq: 1, Claim: rota.Claim{Max: 5}})
	if err != nil || len(got.Claimed) != 1 || got.Claimed[0].Task.Job() != mine {
		t.Errorf("claimed %+v, error %v; want job %v alone", got.Claimed, err, mine)
	}
	submit(transient, "waits")
	st, err := transient.Status(admin)
	if err != nil || !st.Transient || st.Waiting != 3 || st.Others != 2 || st.Running != 1 {
		t.Errorf("status: %+v, error %v; want 3 waiting, of them 2 others, and 1 running", st, err)
	}
	if st, err := whole.Status(admin); err != nil || st.Transient || st.Others != 0 {
		t.Errorf("status of a whole node: %+v, error %v", st, err)
	}
}

func TestP27TransientServerFiresNothing(t *testing.T) {
	s := New(nil, Options{Transient: true})
	for _, l := range s.loops.all(true) {
		if l == s.loops.firing {
			t.Error("a transient server fires schedules")
		}
	}
	for _, l := range s.loops.all(false) {
		if l == s.loops.firing {
			return
		}
	}
	t.Error("a whole server fires no schedules")
}
