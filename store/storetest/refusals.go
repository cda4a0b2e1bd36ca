package storetest

import (
	"context"
	"testing"

	"github.com/rotaqueue/rota"
)

func testRefusals(s suite) {
	s.test("a_closed_store_is_unavailable", refusedClosed)
	s.test("P6_a_call_that_was_cancelled_before_changes_nothing", refusedCancelled)
}

// calls are one call of every method, each of which changes something if it can.
func calls(s rota.Store, session *session, try rota.Try, schedule rota.Schedule) map[string]func(context.Context) error {
	id := try.Task.Job()
	return map[string]func(context.Context) error{
		"Submit":  func(ctx context.Context) error { _, err := s.Submit(ctx, []rota.NewJob{job()}); return err },
		"AddPart": func(ctx context.Context) error { _, err := s.AddPart(ctx, id, rota.Part{Number: 1}); return err },
		"Input":   func(ctx context.Context) error { _, _, err := s.Input(ctx, id, 0, 1); return err },
		"Job":     func(ctx context.Context) error { _, err := s.Job(ctx, id); return err },
		"Jobs":    func(ctx context.Context) error { _, err := s.Jobs(ctx, rota.JobQuery{}); return err },
		"Task":    func(ctx context.Context) error { _, _, err := s.Task(ctx, try.Task); return err },
		"Tasks":   func(ctx context.Context) error { _, err := s.Tasks(ctx, rota.TaskQuery{}); return err },
		"Exchange": func(ctx context.Context) error {
			_, err := s.Exchange(ctx, rota.Exchange{Session: session.id, Seq: 2, Finished: []rota.Finish{end(try, rota.OutcomeSucceeded)}, Claim: rota.Claim{Max: 1}})
			return err
		},
		"OpenSession": func(ctx context.Context) error {
			_, err := s.OpenSession(ctx, rota.Opening{Session: "new", Key: "k", Node: rota.Node{Name: "new", State: rota.NodeUp}})
			return err
		},
		"Renew": func(ctx context.Context) error {
			_, err := s.Renew(ctx, []rota.Renewal{{Session: session.id, State: rota.NodeDraining}})
			return err
		},
		"Sessions": func(ctx context.Context) error { _, err := s.Sessions(ctx); return err },
		"LoseSession": func(ctx context.Context) error {
			_, err := s.LoseSession(ctx, session.id, 0, 0)
			return err
		},
		"Endings":      func(ctx context.Context) error { _, err := s.Endings(ctx, session.id); return err },
		"CloseSession": func(ctx context.Context) error { return s.CloseSession(ctx, session.id) },
		"Owner":        func(ctx context.Context) error { _, err := s.Owner(ctx, session.id); return err },
		"Runs":         func(ctx context.Context) error { _, err := s.Runs(ctx, session.node, id); return err },
		"Operate": func(ctx context.Context) error {
			_, err := s.Operate(ctx, rota.Operation{Act: rota.ActCancel})
			return err
		},
		"Operation": func(ctx context.Context) error { _, err := s.Operation(ctx, 1); return err },
		"KeepOutput": func(ctx context.Context) error {
			return s.KeepOutput(ctx, try, []rota.Chunk{{Stream: rota.Stdout, Total: 1, Data: []byte("x")}})
		},
		"Output": func(ctx context.Context) error {
			_, err := s.Output(ctx, rota.OutputQuery{Task: try.Task, Stream: rota.Stdout})
			return err
		},
		"KeepArtifact": func(ctx context.Context) error { return s.KeepArtifact(ctx, rota.Artifact{Try: try, Name: "new"}) },
		"Artifact":     func(ctx context.Context) error { _, err := s.Artifact(ctx, try, "new"); return err },
		"Artifacts":    func(ctx context.Context) error { _, err := s.Artifacts(ctx, rota.ArtifactQuery{Job: id}); return err },
		"Look": func(ctx context.Context) error {
			_, err := s.Look(ctx, rota.Look{Try: try, Stream: rota.Stdout, Max: 1})
			return err
		},
		"Looks": func(ctx context.Context) error { _, err := s.Looks(ctx, session.id); return err },
		"ShowOutput": func(ctx context.Context) error {
			return s.ShowOutput(ctx, rota.Look{Try: try, Stream: rota.Stdout, Number: 1}, rota.Output{})
		},
		"Shown": func(ctx context.Context) error {
			_, err := s.Shown(ctx, rota.Look{Try: try, Stream: rota.Stdout, Number: 1})
			return err
		},
		"PutSchedule": func(ctx context.Context) error {
			_, err := s.PutSchedule(ctx, rota.Schedule{Name: "new", Expr: "@daily", Zone: "UTC", Spec: job().Spec})
			return err
		},
		"Schedules":    func(ctx context.Context) error { _, err := s.Schedules(ctx); return err },
		"DropSchedule": func(ctx context.Context) error { return s.DropSchedule(ctx, schedule.Name) },
		"Schedule":     func(ctx context.Context) error { _, err := s.Schedule(ctx, schedule.Name); return err },
		"DueSchedules": func(ctx context.Context) error { _, err := s.DueSchedules(ctx, 1); return err },
		"Fire":         func(ctx context.Context) error { _, err := fireOne(ctx, s, firing(schedule)); return err },
		"PutToken": func(ctx context.Context) error {
			_, err := s.PutToken(ctx, rota.Token{Name: "new", Role: rota.RoleAdmin, Hash: "h"})
			return err
		},
		"Post":        func(ctx context.Context) error { return s.Post(ctx, []rota.Letter{{Place: "mail:a@example.org"}}) },
		"TakeLetters": func(ctx context.Context) error { _, err := s.TakeLetters(ctx, 1, rota.Duration(1)); return err },
		"Delivered":   func(ctx context.Context) error { return s.Delivered(ctx, []int64{1}, nil) },
		"Postpone":    func(ctx context.Context) error { return s.Postpone(ctx, []int64{1}, 1, "why") },
		"Letters":     func(ctx context.Context) error { _, err := s.Letters(ctx, 1); return err },
		"PutSecret":   func(ctx context.Context) error { return s.PutSecret(ctx, rota.Secret{Name: "new", Owner: "ann"}) },
		"Secrets":     func(ctx context.Context) error { _, err := s.Secrets(ctx, nil); return err },
		"DropSecret":  func(ctx context.Context) error { return s.DropSecret(ctx, "a") },
		"Tokens":      func(ctx context.Context) error { _, err := s.Tokens(ctx, ""); return err },
		"DropToken":   func(ctx context.Context) error { return s.DropToken(ctx, 1) },
		"Queues":      func(ctx context.Context) error { _, err := s.Queues(ctx); return err },
		"ChangeQueue": func(ctx context.Context) error {
			_, err := s.ChangeQueue(ctx, "new", rota.QueueChange{})
			return err
		},
		"RenameQueue": func(ctx context.Context) error { _, err := s.RenameQueue(ctx, "named", "renamed"); return err },
		"DropQueue":   func(ctx context.Context) error { return s.DropQueue(ctx, "dropped") },
		"Standing":    func(ctx context.Context) error { _, err := s.Standing(ctx, try.Task); return err },
		"Failures": func(ctx context.Context) error {
			_, err := s.Failures(ctx, rota.FailureQuery{By: rota.ByError})
			return err
		},
		"Usage": func(ctx context.Context) error {
			_, err := s.Usage(ctx, rota.UsageQuery{By: []rota.By{rota.ByUser}})
			return err
		},
		"DrainNode": func(ctx context.Context) error { _, err := s.DrainNode(ctx, session.node); return err },
		"ChangeNode": func(ctx context.Context) error {
			_, err := s.ChangeNode(ctx, session.node, rota.NodeChange{Labels: map[string]string{"a": "b"}})
			return err
		},
		"PauseNode": func(ctx context.Context) error {
			_, err := s.PauseNode(ctx, session.node, true)
			return err
		},
		"RemoveNode": func(ctx context.Context) error { return s.RemoveNode(ctx, "gone", true) },
		"Nodes":      func(ctx context.Context) error { _, err := s.Nodes(ctx); return err },
		"Sweep":      func(ctx context.Context) error { _, err := s.Sweep(ctx, rota.Sweep{What: rota.SweepMake}); return err },
		"Identity":   func(ctx context.Context) error { _, err := s.Identity(ctx); return err },
		"Verify":     func(ctx context.Context) error { _, err := s.Verify(ctx); return err },
	}
}

// stage is a store with something of everything: a running attempt, a ready task, an array to be made, a schedule, a
// token.
func (w *world) stage(t tb) (*session, rota.Try, rota.Schedule) {
	t.Helper()
	id := w.one(t)
	w.one(t)
	if err := w.CloseSession(w.ctx, w.sessionOf(t, "gone", true).id); err != nil {
		t.Fatalf("close session: %v", err)
	}
	s := w.session(t)
	try := s.claim(t, 1)[0].Try
	if try.Task != id {
		t.Fatalf("claimed %v", try)
	}
	schedule := w.putSchedule(t, rota.OverlapAllow)
	if _, err := w.PutToken(w.ctx, rota.Token{Name: "a", Role: rota.RoleViewer, Hash: "a"}); err != nil {
		t.Fatalf("put token: %v", err)
	}
	if err := w.PutSecret(w.ctx, rota.Secret{Name: "a", Owner: "ann"}); err != nil {
		t.Fatalf("put secret: %v", err)
	}
	w.submitOnly(t, job(array("1-3")))
	for _, q := range []string{"named", "dropped"} {
		w.set(t, q, rota.QueueChange{})
	}
	return s, try, schedule
}

func refusedClosed(t *testing.T, w *world) {
	s, try, schedule := w.stage(t)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls(w.Store, s, try, schedule) {
		wantIs(t, name+" of a closed store", call(w.ctx), rota.ErrUnavailable)
	}
}

func refusedCancelled(t *testing.T, w *world) {
	s, try, schedule := w.stage(t)
	before := w.everything(t)
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	for name, call := range calls(w.Store, s, try, schedule) {
		if err := call(ctx); err == nil {
			t.Errorf("%s: no error, though nobody waits for it any more", name)
		}
	}
	if after := w.everything(t); after != before {
		t.Errorf("what nobody waited for has changed the store from\n%s\nto\n%s", before, after)
	}
	s.finish(t, end(try, rota.OutcomeSucceeded))
	w.verify(t)
}

// everything is all that can be read of a small store.
func (w *world) everything(t tb) string {
	t.Helper()
	jobs, err1 := w.Jobs(w.ctx, rota.JobQuery{Max: 1000})
	nodes, err2 := w.Nodes(w.ctx)
	queues, err3 := w.Queues(w.ctx)
	schedules, err4 := w.Schedules(w.ctx)
	tokens, err5 := w.Tokens(w.ctx, "")
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if err != nil {
			t.Fatalf("read everything: %v", err)
		}
	}
	return text([]any{jobs, w.all(t, rota.Filter{}), nodes, queues, schedules, tokens})
}
