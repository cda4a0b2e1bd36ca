package sqlstore

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/rotaqueue/rota"
)

// TestP25BackupAndRestoreWhileANodeRuns makes a backup of a store that has something of everything while a node claims and
// ends tasks, and goes on with what was restored from it on the other engine.
func TestP25BackupAndRestoreWhileANodeRuns(t *testing.T) {
	for i, from := range engines {
		to := engines[1-i]
		t.Run(from+" to "+to, func(t *testing.T) {
			source := emptyPlace(t, from)
			s := openPlace(t, source)
			f := fill(t, s)
			before := portray(t, s)
			ended := 0
			file := filepath.Join(t.TempDir(), "backup")
			c, err := CreateBackup(t.Context(), source, file, func(rota.CopyStep) {
				f.submit(queue("busy", 0))
				f.end(f.next("busy"), rota.OutcomeSucceeded, 0)
				ended++
			})
			if err != nil || c.Rows() == 0 || c.Incarnation != 0 || ended == 0 {
				t.Fatalf("%+v, %v; %d tasks ended meanwhile", c, err, ended)
			}
			checked, err := VerifyBackup(t.Context(), file, nil)
			if err != nil || len(checked.Tables) != len(tables)-1 || checked.Of != c.From || time.Since(checked.At) > time.Minute {
				t.Errorf("%+v, %v", checked, err)
			}
			if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
			if left, _ := filepath.Glob(file + "?*"); len(left) > 0 {
				t.Errorf("left beside it: %v", left)
			}
			dest := emptyPlace(t, to)
			if c, err = RestoreBackup(t.Context(), file, dest, nil); err != nil || c.Incarnation != 1 || c.Lost < 3 {
				t.Fatalf("%+v, %v", c, err)
			}
			s = openPlace(t, dest)
			sameButRunning(t, f, before, portray(t, s))
			goesOnAsACopy(t, f, s)
		})
	}
}

// backupOf is a backup of a store with something in it.
func backupOf(t *testing.T) (file string) {
	t.Helper()
	source := emptyPlace(t, "sqlite")
	s := openPlace(t, source)
	fill(t, s)
	s.Close()
	file = filepath.Join(t.TempDir(), "backup")
	if _, err := CreateBackup(t.Context(), source, file, nil); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestP25ABackupIsNoStore: nobody works on a backup, whatever the folder that it is put into.
func TestP25ABackupIsNoStore(t *testing.T) {
	file := backupOf(t)
	before := contents(t, file)
	if _, err := Copy(t.Context(), file, emptyPlace(t, "sqlite"), CopyOptions{Lost: true}); !isBackup(err) {
		t.Errorf("copied: %v", err)
	}
	if _, err := Unseal(t.Context(), file); !isBackup(err) {
		t.Errorf("unsealed: %v", err)
	}
	for range 2 {
		if _, err := RestoreBackup(t.Context(), file, emptyPlace(t, "sqlite"), nil); err != nil {
			t.Error(err)
		}
	}
	if contents(t, file) != before {
		t.Error("the file was changed")
	}
	if _, err := Open(t.Context(), file, Options{}); !isBackup(err) {
		t.Errorf("opened: %v", err)
	}
	if s, err := Open(t.Context(), file, Options{ReadOnly: true}); err != nil {
		t.Error(err)
	} else {
		s.Close()
	}
}

func isBackup(err error) bool {
	return errors.Is(err, rota.ErrUnavailable) && strings.Contains(err.Error(), "is a backup of") && strings.HasPrefix(rota.FixOf(err), "rota backup restore")
}

func contents(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestP25ADamagedBackupIsFound damages backups in several ways.
func TestP25ADamagedBackupIsFound(t *testing.T) {
	whole := contents(t, backupOf(t))
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, file string)
		none   bool // it is not even a damaged backup
	}{
		{"cut short", func(t *testing.T, file string) { put(t, file, whole[:len(whole)*3/4]) }, false},
		{"a page of zeros", func(t *testing.T, file string) {
			at := 4096 * (rootOf(t, file, "task") - 1)
			put(t, file, whole[:at]+strings.Repeat("\x00", 4096)+whole[at+4096:])
		}, false},
		{"one letter", func(t *testing.T, file string) {
			put(t, file, strings.ReplaceAll(whole, "schlüssel 😀", "Schlüssel 😀"))
		}, false},
		{"a row changed", func(t *testing.T, file string) { force(t, file, `UPDATE token SET name = 'other'`) }, false},
		{"a row gone", func(t *testing.T, file string) { force(t, file, `DELETE FROM attempt`) }, false},
		{"a table gone", func(t *testing.T, file string) { force(t, file, `DROP TABLE line`) }, false},
		{"no store", func(t *testing.T, file string) { put(t, file, strings.Repeat("nothing at all", 1000)) }, true},
		{"empty", func(t *testing.T, file string) { put(t, file, "") }, true},
		{"not there", func(t *testing.T, file string) {}, true},
		{"a folder", func(t *testing.T, file string) { os.Mkdir(file, 0o700) }, true},
		{"a store", func(t *testing.T, file string) { openPlace(t, file).Close() }, true},
		{"of a later version", func(t *testing.T, file string) {
			force(t, file, `UPDATE meta SET value = replace(value, '"schema":`+fmt.Sprint(Schema)+`', '"schema":9999') WHERE key = 'backup'`)
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "backup")
			if !tt.none || tt.name == "of a later version" {
				put(t, file, whole)
			}
			tt.damage(t, file)
			_, err := VerifyBackup(t.Context(), file, nil)
			if err == nil || !tt.none && !strings.Contains(err.Error(), "is damaged") {
				t.Errorf("verify: %v", err)
			}
			dest := emptyPlace(t, "sqlite")
			if _, err := RestoreBackup(t.Context(), file, dest, nil); err == nil {
				t.Error("it was restored")
			}
			isEmpty(t, dest)
		})
	}
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// force changes a file, guards or not.
func force(t *testing.T, file, q string) {
	t.Helper()
	db, err := openFile(file, "_pragma=foreign_keys(0)", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	e := &sqlite{}
	var names []string
	for _, x := range tables {
		names = append(names, x.name)
	}
	lift, _ := e.guards(names)
	for _, q := range append(lift, q) {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
}

// TestP25ABackupOfAnEarlierSchemaIsRestored makes a backup as the first version with this schema would have, and restores
// it to the schema of today.
func TestP25ABackupOfAnEarlierSchemaIsRestored(t *testing.T) {
	const schema = 8
	file := earlierBackup(t, schema)
	checked, err := VerifyBackup(t.Context(), file, nil)
	if err != nil || !checked.Older {
		t.Errorf("%+v, %v", checked, err)
	}
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			dest := emptyPlace(t, engine)
			if c, err := RestoreBackup(t.Context(), file, dest, nil); err != nil || c.Incarnation != 1 {
				t.Fatalf("%+v, %v", c, err)
			}
			s := openPlace(t, dest)
			if version, _, err := s.engine.schema(t.Context()); err != nil || version != Schema {
				t.Errorf("schema %d, %v", version, err)
			}
			if said, err := s.Verify(t.Context()); err != nil || len(said) > 0 {
				t.Errorf("%v, %v", said, err)
			}
			l := begin(t, s, "s")
			l.end(l.next("old"), rota.OutcomeSucceeded, 0)
		})
	}
}

func earlierBackup(t *testing.T, schema int) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "backup")
	db, err := openFile(file, "_pragma=foreign_keys(0)", 1)
	if err != nil {
		t.Fatal(err)
	}
	e := &sqlite{path: file, db: db, readers: db, now: time.Now}
	defer e.close()
	if err := migrate(t.Context(), e, db, goose.DialectSQLite3, schema); err != nil {
		t.Fatal(err)
	}
	must := func(q string, args ...any) {
		t.Helper()
		if _, err := db.Exec(q, args...); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	must(`INSERT INTO queue (name, discipline, paused, created) VALUES ('old', 'priority', 0, 7)`)
	must(`INSERT INTO lane (id, queue) VALUES (1, 'old')`)
	must(`INSERT INTO queue_stripe (queue, state, stripe, n) VALUES ('old', 4, 0, 1)`)
	must(`UPDATE counter SET value = 1 WHERE name = 'job'`)
	must(`INSERT INTO job (id, name, submitter, spec, lane, rank, attempt_limit, retry_first, retry_cap, max_lost, tasks, made, tasks_left, submitted)
		VALUES (1, 'kept', 'ann', '{"name":"kept","queue":"old","executor":"exec","argv":["true"]}', 1, 0, 4, 1000000, 2000000, 3, 1, 1, 1, 7)`)
	must(`INSERT INTO task (id, lane, state, gate, rank, attempt, attempt_limit) VALUES (1 << 24, 1, 4, 0, 0, 0, 4)`)
	must(`INSERT INTO meta (key, value) VALUES ('id', '00'), ('secret', '00'), ('incarnation', '0')`)
	b := backup{At: 1, Of: "an earlier store", Schema: schema, Tables: sumsOf(t, e)}
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	must(`INSERT INTO meta (key, value) VALUES ('backup', ?)`, string(text))
	return file
}

// sumsOf are the sums of all tables but meta.
func sumsOf(t *testing.T, e *sqlite) (sums []rota.TableSum) {
	t.Helper()
	found, err := catalogueOf(t.Context(), e, e.read)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := e.readers.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, x := range found.tables() {
		if x.name == "meta" {
			continue
		}
		r, err := rowsOf(t.Context(), e, conn, &x)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := new(transfering).pass(r)
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, sum)
	}
	return sums
}

// TestP25EachIncarnationGoesOnAboveItsMillion restores twice, and counts attempts across.
func TestP25EachIncarnationGoesOnAboveItsMillion(t *testing.T) {
	place := emptyPlace(t, "sqlite")
	s := openPlace(t, place)
	l := begin(t, s, "0")
	task := l.submit(queue("q", 5))
	l.end(l.next("q"), rota.OutcomeFailed, 1)
	for n := 1; n <= 2; n++ {
		s.Close()
		file, next := filepath.Join(t.TempDir(), "backup"), emptyPlace(t, "sqlite")
		if _, err := CreateBackup(t.Context(), place, file, nil); err != nil {
			t.Fatal(err)
		}
		if c, err := RestoreBackup(t.Context(), file, next, nil); err != nil || c.Incarnation != n {
			t.Fatalf("%+v, %v", c, err)
		}
		place = next
		s = openPlace(t, place)
		l = begin(t, s, rota.SessionID(fmt.Sprint(n)))
		a := l.next("q")
		if a == nil || a.Attempt != n*rota.AttemptsOfIncarnation+n+1 || a.Failures != n || a.Limit != n*rota.AttemptsOfIncarnation+6 {
			t.Fatalf("%+v", a)
		}
		l.end(a, rota.OutcomeFailed, 1)
	}
	_, earlier, err := s.Task(t.Context(), task)
	if err != nil || len(earlier) != 2 {
		t.Errorf("%+v, %v", earlier, err)
	}
	for left := 3; left > 0; left-- {
		l.end(l.next("q"), rota.OutcomeFailed, 1)
	}
	if got, _, err := s.Task(t.Context(), task); err != nil || got.State != rota.Failed {
		t.Errorf("%v, %v", got.State, err)
	}
	var attempts int
	err = s.query(t.Context(), func(r *sql.Rows) error { return r.Scan(&attempts) }, `SELECT count(*) + 1 FROM attempt`)
	if err != nil || attempts != 6 {
		t.Errorf("%d attempts, %v", attempts, err)
	}
}

// rootOf is the page in which a table of a file begins, from 1 on.
func rootOf(t *testing.T, file, table string) (page int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(`SELECT rootpage FROM sqlite_master WHERE name = ?1`, table).Scan(&page); err != nil {
		t.Fatal(err)
	}
	return page
}
