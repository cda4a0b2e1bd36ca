package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/pgtest"
	"github.com/rotaqueue/rota/store/storetest"
)

func TestMain(m *testing.M) {
	storetest.Soak = os.Getenv("ROTA_SOAK") == "1"
	pgtest.Main(m)
}

// TestPlansOfPostgresArePinned lets a node work on a database, and looks at how PostgreSQL goes about each statement that
// touches tasks and jobs: by an index, and without a sort or a bitmap, whatever it believes of the tables: that they are
// empty, that they are as large as they are, or that they are as large as they once were.
func TestPlansOfPostgresArePinned(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, pgtest.Shared(t).Database(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.OpenSession(ctx, rota.Opening{Session: "s", Node: rota.Node{Name: "n", Offers: rota.Resources{"gpu": 100}}, Key: "k"}); err != nil {
		t.Fatal(err)
	}
	saidInPostgres.Clear() // other tests ask other things
	sfq, running, starts, bound := "sfq", 1000, 1000.0, 1000
	if _, err := s.ChangeQueue(ctx, "shared", rota.QueueChange{Discipline: &sfq, Running: &running, Starts: &starts, FlowRunning: &bound}); err != nil {
		t.Fatal(err)
	}
	seq := int64(0)
	s.live(t, &seq)
	many := 100_000
	if testing.Short() {
		many = 5_000
	}
	for _, step := range []struct{ name, do string }{
		{"fresh", ``},
		{"analyzed small", `ANALYZE`},
		{"analyzed idle", `DELETE FROM task WHERE state = 5; ANALYZE`},
		{"grown", fmt.Sprintf(`INSERT INTO job (id, name, submitter, spec, lane, rank, attempt_limit, retry_first, retry_cap, max_lost, tasks, made, tasks_left, submitted)
			SELECT i, 'x', 'ann', '{}', 1, 0, 1, 1, 1, 1, 1, 1, 1, 1 FROM generate_series(1000000, 1000000 + %[1]d) i;
			INSERT INTO task (id, lane, state, gate, rank, attempt, attempt_limit) SELECT i::bigint << 24, 1, CASE WHEN i %% 2 = 0 THEN 4 ELSE 6 END, 0, 0, 0, 1
			FROM generate_series(1000000, 1000000 + %[1]d) i`, many)},
		{"analyzed large", `ANALYZE`},
		{"emptied", `DELETE FROM task WHERE state = 4 AND id >= 1000000::bigint << 24`},
	} {
		t.Run(step.name, func(t *testing.T) {
			if _, err := s.engine.(*postgres).db.Exec(step.do); err != nil {
				t.Fatal(err)
			}
			s.plans(t)
			s.live(t, &seq)
		})
	}
}

// live submits, claims and finishes in all ways.
func (s *Store) live(t *testing.T, seq *int64) {
	t.Helper()
	ctx := context.Background()
	jobs := plain(12, fmt.Sprint("key", *seq))
	jobs[1].Spec.After = []rota.Dependency{{Job: 1, When: rota.AfterAny}}
	jobs[2].Spec.Array, jobs[2].Spec.Limit = &rota.Array{Ranges: []rota.Range{{First: 1, Last: 5}}}, 2
	for i := 3; i < 9; i++ {
		jobs[i].Spec.Queue, jobs[i].Submitter = "shared", fmt.Sprint("user", i%2)
	}
	jobs[9].Spec.LimitKey, jobs[9].Spec.KeyLimit = "key", 1
	jobs[10].Spec.Queue, jobs[10].Spec.Needs = "shared", rota.Resources{"gpu": 1}
	var came []rota.SubmitResult
	for range 2 {
		var err error
		if came, err = s.Submit(ctx, jobs); err != nil {
			t.Fatal(err)
		}
	}
	for _, what := range []rota.Upkeep{rota.SweepMake, rota.SweepPromote, rota.SweepRescue, rota.SweepOperate, rota.SweepPrune} {
		if _, err := s.Sweep(ctx, rota.Sweep{What: what, Retention: rota.Retention{Jobs: 1_000_000}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Oldest(ctx); err != nil {
		t.Fatal(err)
	}
	var done []rota.Finish
	zero, one := 0, 1
	for n := range 4 {
		*seq++
		out, err := s.Exchange(ctx, rota.Exchange{Session: "s", Seq: *seq, Finished: done, Claim: rota.Claim{Max: 5}})
		if err != nil || len(out.Refused) > 0 {
			t.Fatalf("%v, %+v", err, out.Refused)
		}
		done = nil
		for i, a := range out.Claimed {
			f := rota.Finish{Try: a.Try, Outcome: rota.OutcomeSucceeded, Exit: &zero}
			if i == 0 && n == 2 {
				f.Outcome, f.Exit = rota.OutcomeFailed, &one
			}
			done = append(done, f)
		}
	}
	*seq++
	if _, err := s.Exchange(ctx, rota.Exchange{Session: "s", Seq: *seq, Finished: done}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Operate(ctx, rota.Operation{Act: rota.ActHold, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(came[7].Job), rota.SpanOf(came[8].Job)}}}); err != nil {
		t.Fatal(err)
	}
}

var (
	// slow is what no plan of these statements may have.
	slow = regexp.MustCompile(`Seq Scan on (task|job)\b|Bitmap|Hash Join|Merge Join|Join Filter|Scan using (task|job)_\w+ on \w+( \w)? [^\n]*\n *Filter`)
	hot  = regexp.MustCompile(`\b(task|job)\b`)
	// Conditions of people look for what they name, at their own price.
	cold = regexp.MustCompile(`count\(|glob\(|j\.lane IN \(SELECT id FROM lane WHERE queue`)
)

func (s *Store) plans(t *testing.T) {
	t.Helper()
	seen, claims, gates := 0, 0, 0
	saidInPostgres.Range(func(_, said any) bool {
		q := said.(string)
		if !hot.MatchString(q) || !strings.Contains(q, "$1") || cold.MatchString(q) {
			return true
		}
		plan := s.planOf(t, q)
		seen++
		if found := slow.FindString(plan); found != "" {
			t.Errorf("%s in the plan of\n%s\n%s", found, q, plan)
		}
		if strings.Contains(q, "rank, id LIMIT") && strings.Contains(q, "SKIP LOCKED") {
			claims++
			if !strings.Contains(plan, "Index Scan using task_ready") || strings.Contains(plan, "Sort") {
				t.Errorf("a claim that does not read the claim's index in its order:\n%s", plan)
			}
		}
		// P16: a join that looks for them again and again lets all of them through.
		if strings.HasPrefix(q, "UPDATE") && strings.Contains(plan, "LockRows") {
			gates++
			if !strings.Contains(plan, "InitPlan") {
				t.Errorf("rows are locked as often as the join wants, in the plan of\n%s\n%s", q, plan)
			}
		}
		return true
	})
	if seen < 15 || claims == 0 || gates == 0 {
		t.Errorf("only %d statements, %d claims, %d of gates", seen, claims, gates)
	}
}

// planOf is the plan of a statement as a transaction of the store has it.
func (s *Store) planOf(t *testing.T, q string) string {
	t.Helper()
	ctx := context.Background()
	args := 1
	for strings.Contains(q, fmt.Sprint("$", args+1)) {
		args++
	}
	c := postgresConn{e: s.engine.(*postgres)}
	if _, err := c.beginOnce(); err != nil {
		t.Fatal(err)
	}
	defer c.drop()
	conn := c.conn
	if _, err := conn.ExecContext(ctx, `PREPARE explained AS `+q); err != nil {
		t.Fatalf("%v: %s", err, q)
	}
	rows, err := conn.QueryContext(ctx, `EXPLAIN EXECUTE explained (NULL`+strings.Repeat(", NULL", args-1)+`)`)
	if err != nil {
		t.Fatalf("%v: %s", err, q)
	}
	var lines []string
	err = drain(rows, func(r *sql.Rows) error {
		var line string
		err := r.Scan(&line)
		lines = append(lines, line)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
