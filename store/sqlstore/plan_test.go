package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// TestHotStatementsSeekTheirRows lets a node work, and looks at how the engine goes about each statement that touches
// tasks: it reads the claim's index or seeks rows by their number, and never reads what it does not need. (One condition
// more can tempt it to another index, at many times the price.)
func TestHotStatementsSeekTheirRows(t *testing.T) {
	s := openTest(t)
	ctx := context.Background()
	if _, err := s.OpenSession(ctx, rota.Opening{Session: "s", Node: rota.Node{Name: "n"}, Key: "k"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Submit(ctx, plain(20, "k")); err != nil {
		t.Fatal(err)
	}
	var done []rota.Finish
	zero := 0
	for seq := range int64(6) {
		out, err := s.Exchange(ctx, rota.Exchange{Session: "s", Seq: seq + 1, Finished: done, Claim: rota.Claim{Max: 5}})
		if err != nil || len(out.Refused) > 0 {
			t.Fatal(err, out.Refused)
		}
		done = nil
		for i, a := range out.Claimed {
			f := rota.Finish{Try: a.Try, Outcome: rota.OutcomeSucceeded, Exit: &zero}
			if i == 0 && seq == 2 { // not as simple as the others
				f.Outcome, f.Reason = rota.OutcomeReturned, "not started"
			}
			done = append(done, f)
		}
	}
	seen := 0
	w := s.commits.all(1)[0]
	defer s.commits.put(w)
	for _, q := range slices.Sorted(maps.Keys(w.connection.(*sqliteConn).stmts)) {
		if !strings.Contains(q, "task") || strings.HasPrefix(q, "INSERT") {
			continue
		}
		plan := w.plan(t, q)
		if !strings.Contains(plan, " task") && !strings.Contains(plan, " t ") {
			continue
		}
		seen++
		seeks := strings.Contains(plan, "task USING INTEGER PRIMARY KEY (rowid=?)") || strings.Contains(plan, "t USING INTEGER PRIMARY KEY (rowid=?)")
		claims := strings.Contains(plan, "task USING COVERING INDEX task_ready (lane=?)") || strings.Contains(plan, "task USING INDEX task_ready (lane=?)")
		if !seeks && !claims || strings.Contains(plan, "SCAN t") {
			t.Errorf("%s\n%s", q, plan)
		}
	}
	if seen < 5 {
		t.Errorf("only %d statements", seen)
	}
}

func (w *writer) plan(t *testing.T, q string) string {
	t.Helper()
	var args []any
	for strings.Contains(q, fmt.Sprint("?", len(args)+1)) {
		args = append(args, nil)
	}
	var plan []string
	err := w.query(func(r *sql.Rows) error {
		var id, parent, unused int
		var text string
		err := r.Scan(&id, &parent, &unused, &text)
		plan = append(plan, text)
		return err
	}, "EXPLAIN QUERY PLAN "+q, args...)
	if err != nil {
		t.Fatalf("%v: %s", err, q)
	}
	return strings.Join(plan, "\n")
}

// What runs is read from the index of what runs, wherever it stands among a million others, and failures without the tables
// that nobody asks about.
func TestPagesSeekTheirRows(t *testing.T) {
	s := openTest(t)
	ctx := context.Background()
	running := rota.Filter{States: []rota.State{rota.Running}}
	onNode, within := running, running
	onNode.Node = "n"
	within.Tasks = []rota.Span{rota.SpanOf(1)}
	for _, q := range []rota.TaskQuery{{Filter: onNode, Newest: true, Max: 9}, {Filter: running, Max: 9}, {Filter: within, Max: 9}} {
		if _, err := s.Tasks(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	for _, by := range rota.FailureBys {
		if _, err := s.Failures(ctx, rota.FailureQuery{By: by}); err != nil {
			t.Fatal(err)
		}
	}
	w := s.commits.all(1)[0]
	defer s.commits.put(w)
	seen := 0
	for q := range s.engine.(*sqlite).queries {
		plan := w.plan(t, q)
		switch {
		case strings.Contains(q, "FROM task t"):
			seen++
			if !strings.Contains(plan, "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)") || !strings.Contains(plan, "r USING COVERING INDEX task_running") {
				t.Errorf("%s\n%s", q, plan)
			}
		case strings.Contains(q, "FROM failure f") && strings.Contains(q, "f.fingerprint AS k"):
			seen++
			if strings.Contains(plan, " t ") || strings.Contains(plan, " j ") || !strings.Contains(plan, "f USING COVERING INDEX failure_at") || strings.Contains(plan, "TEMP B-TREE FOR ORDER BY f.at") {
				t.Errorf("%s\n%s", q, plan)
			}
		}
	}
	if seen != 4 {
		t.Errorf("%d queries were looked at, want 4", seen)
	}
}

// P21: what earlier fires left open is looked for from the schedules on. From all fires on, of which each makes one more, ten
// thousand that are due at once took minutes.
func TestFiresBeginWithTheirSchedules(t *testing.T) {
	s := openTest(t)
	ctx := context.Background()
	due := time.Now().UTC().Truncate(time.Microsecond)
	made, err := s.PutSchedule(ctx, rota.Schedule{Name: "s", Expr: "@daily", Zone: "UTC", Overlap: rota.OverlapSkip, Next: due, Spec: rota.Spec{Argv: []string{"true"}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Fire(ctx, []rota.Firing{{Schedule: "s", Version: made.Version, Due: due, Next: due.AddDate(0, 0, 1), Overlap: rota.OverlapSkip, Jobs: plain(1, "")}})
	if err != nil || got[0].Err != nil {
		t.Fatal(err, got)
	}
	w := s.commits.all(1)[0]
	defer s.commits.put(w)
	for q := range w.connection.(*sqliteConn).stmts {
		if !strings.Contains(q, "j.tasks_left > 0") || !strings.Contains(q, "fire f") {
			continue
		}
		plan := w.plan(t, q)
		list, fires, jobs := strings.Index(plan, "SCAN w"), strings.Index(plan, "SEARCH f USING"), strings.Index(plan, "SEARCH j USING INTEGER PRIMARY KEY")
		if list < 0 || fires < list || jobs < fires {
			t.Errorf("%s\n%s", q, plan)
		}
		return
	}
	t.Error("nothing looked for what earlier fires left open")
}
