package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/rotaqueue/rota"
)

// A store that a later version has been at is used as long as it says that it can be, and refused else.
func TestP24AStoreOfALaterVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rota.db")
	if err := Fits(t.Context(), path); err != nil {
		t.Errorf("no store yet: %v", err)
	}
	change := func(statements ...string) {
		t.Helper()
		s, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, text := range statements {
			if _, err := db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	change(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9998, 1)`, `CREATE TABLE of_a_later_version (id INTEGER)`)
	for _, o := range []Options{{}, {ReadOnly: true}} {
		s, err := Open(t.Context(), path, o)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := Fits(t.Context(), path); err != nil {
		t.Error(err)
	}
	change(`UPDATE meta SET value = '9998' WHERE key = 'min_schema'`)
	for _, o := range []Options{{}, {ReadOnly: true}} {
		if _, err := Open(t.Context(), path, o); !errors.Is(err, rota.ErrUnsupported) || rota.FixOf(err) == "" {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if err := Fits(t.Context(), path); !errors.Is(err, rota.ErrUnsupported) {
		t.Error(err)
	}
}

// earlier makes a database with an earlier schema: a job that waits, in a queue of its own.
func earlier(t *testing.T, schema int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rota.db")
	db, err := openFile(path, sqliteWriter, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	files, err := steps("sqlite")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err == nil {
		_, err = p.UpTo(context.Background(), schema)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		`INSERT INTO queue (name, discipline, paused, created) VALUES ('old', 'priority', 0, 7)`,
		`INSERT INTO lane (id, queue) VALUES (1, 'old')`,
		`INSERT INTO queue_count (queue, state, n) VALUES ('old', 4, 1)`,
		`UPDATE counter SET value = 1 WHERE name = 'job'`,
		`INSERT INTO job (id, name, submitter, spec, lane, rank, attempt_limit, retry_first, retry_cap, max_lost, tasks, made, tasks_left, submitted)
			VALUES (1, 'kept', 'ann', '{"name":"kept","queue":"old","executor":"exec","argv":["true"]}', 1, 0, 4, 1000000, 2000000, 3, 1, 1, 1, 7)`,
		`INSERT INTO task (id, lane, state, gate, rank, attempt, attempt_limit) VALUES (1 << 24, 1, 4, 0, 0, 0, 4)`,
		`INSERT INTO meta (key, value) VALUES ('id', '00'), ('secret', '00'), ('incarnation', '0')`,
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	return path
}

// TestP24AStoreOfAnEarlierSchemaGoesOn opens databases with data in them that earlier versions made.
func TestP24AStoreOfAnEarlierSchemaGoesOn(t *testing.T) {
	for _, schema := range []int{1, 3} {
		t.Run(strconv.Itoa(schema), func(t *testing.T) { goesOn(t, earlier(t, int64(schema))) })
	}
}

func goesOn(t *testing.T, path string) {
	ctx := t.Context()
	if _, err := Open(ctx, path, Options{ReadOnly: true}); err == nil {
		t.Error("it was read as it is, although only a writer can bring it up to date")
	}
	for range 2 { // and again, when nothing is left to do
		s, err := Open(ctx, path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var version int
		err = s.query(ctx, func(r *sql.Rows) error { return r.Scan(&version) }, `SELECT max(version_id) FROM goose_db_version`)
		if err != nil || version != Schema {
			t.Errorf("schema %d, %v; want %d", version, err, Schema)
		}
		if jobs, err := s.Jobs(ctx, rota.JobQuery{}); err != nil || len(jobs) != 1 || jobs[0].Spec.Name != "kept" || jobs[0].Ready != 1 {
			t.Errorf("jobs %+v, %v", jobs, err)
		}
		if said, err := s.Verify(ctx); err != nil || len(said) > 0 {
			t.Errorf("%v, %v", said, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(ctx, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	pids := 5
	if _, err := s.ChangeQueue(ctx, "old", rota.QueueChange{Limits: rota.AllowanceChange{Max: rota.LimitsChange{PIDs: &pids}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.OpenSession(ctx, rota.Opening{Session: "s", Key: "k", Node: rota.Node{Name: "n", Slots: 1, State: rota.NodeUp}}); err != nil {
		t.Fatal(err)
	}
	// Nobody said of its lane whether a shell runs what is in it: a node without shells leaves it to others (Z7).
	if _, err := s.OpenSession(ctx, rota.Opening{Session: "p", Key: "p", Node: rota.Node{Name: "p", NoShell: true, State: rota.NodeUp}}); err != nil {
		t.Fatal(err)
	}
	x, err := s.Exchange(ctx, rota.Exchange{Session: "p", Seq: 1, Claim: rota.Claim{Max: 1}})
	if err != nil || len(x.Claimed) != 0 {
		t.Errorf("without shells: claimed %d, %v", len(x.Claimed), err)
	}
	x, err = s.Exchange(ctx, rota.Exchange{Session: "s", Seq: 1, Claim: rota.Claim{Max: 1}})
	if err != nil || len(x.Claimed) != 1 || x.Claimed[0].Allowance == nil || x.Claimed[0].Allowance.Max.PIDs != 5 {
		b, _ := json.Marshal(x)
		t.Errorf("claimed %s, %v", b, err)
	}
}

// TestD6AnAllowanceThatWasUndoneIsForgotten: what a transaction read of queues is not believed when it is undone.
func TestD6AnAllowanceThatWasUndoneIsForgotten(t *testing.T) {
	s := openTest(t)
	s.forTest(t, `CREATE TRIGGER cursed BEFORE INSERT ON job WHEN NEW.name = 'bad' BEGIN SELECT RAISE(ROLLBACK, 'cursed'); END`)
	pids := 5
	var errs [3]error
	jobs := named("bad")
	s.together(
		func() { errs[0] = s.write(t.Context(), "nothing", func(*tx) error { return nil }) },
		func() {
			_, errs[1] = s.ChangeQueue(t.Context(), "q", rota.QueueChange{Limits: rota.AllowanceChange{Max: rota.LimitsChange{PIDs: &pids}}})
		},
		func() { _, errs[2] = s.Submit(t.Context(), jobs) })()
	if errs[0] != nil || errs[1] != nil || errs[2] == nil {
		t.Fatalf("%v", errs)
	}
	beyond := named("good")
	beyond[0].Spec.Queue, beyond[0].Spec.PIDs = "q", 6
	if r, err := s.Submit(t.Context(), beyond); err != nil || r[0].Err == nil {
		t.Errorf("%+v, %v", r, err)
	}
}
