package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

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
