package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// CopyOptions say how a store is copied.
type CopyOptions struct {
	Lost bool                // although tasks run: in the copy they are lost
	Step func(rota.CopyStep) // told now and then how far it is; may be nil
}

// Copy copies a store to another place, which has nothing: all of it, as the next incarnation (P25). The source is sealed
// before, and stays so unless the copy fails.
func Copy(ctx context.Context, from, to string, o CopyOptions) (out rota.Copied, err error) {
	out.From, out.To = placeName(from), placeName(to)
	if x, err := sealOf(ctx, from); err != nil {
		return out, err
	} else if x != nil && (x.Backup || x.Copied) {
		return out, x.refuse(from)
	}
	dest, err := newTarget(ctx, to, Schema)
	if err != nil {
		return out, err
	}
	defer dest.abandon()
	source, err := Open(ctx, from, Options{admit: admitSealed})
	if err != nil {
		return out, err
	}
	defer source.Close()
	whole := false
	defer func() {
		if !whole {
			_ = source.write(context.WithoutCancel(ctx), "unseal", (*tx).liftSeal)
		}
	}()
	if out.Nodes, err = source.sealFor(ctx, out.To, o.Lost); err != nil {
		return out, err
	}
	if out.Tables, out.Replaced, err = transfer(ctx, source.engine, dest, nil, o.Step); err != nil {
		return out, err
	}
	if out.Incarnation, out.Lost, err = revive(ctx, dest); err != nil {
		return out, err
	}
	whole = true
	return out, source.write(context.WithoutCancel(ctx), "seal", func(t *tx) error {
		return t.setSeal(seal{At: time.Now().UnixMicro(), To: out.To, Copied: true})
	})
}

// sealFor seals the source of a copy, and says which nodes have a session open. It refuses while tasks run, unless they may
// be lost.
func (s *Store) sealFor(ctx context.Context, to string, lost bool) (nodes []string, err error) {
	err = s.write(ctx, "copy", func(t *tx) error {
		if err := t.setSeal(seal{At: time.Now().UnixMicro(), To: to}); err != nil {
			return err
		}
		if nodes, err = t.names(`SELECT DISTINCT node FROM session WHERE state <> 2 AND state <> 3 ORDER BY node`); err != nil || lost {
			return err
		}
		var running int
		if _, err := t.one(`SELECT count(*) FROM task WHERE state = 5`, nil, &running); err != nil || running == 0 {
			return err
		}
		where, err := t.names(`SELECT DISTINCT s.node FROM task t JOIN session s ON s.id = t.session WHERE t.state = 5 ORDER BY s.node`)
		if err != nil {
			return err
		}
		return rota.Errorf(rota.ErrConflict, "of the tasks in %s %d run, on %s: the copy would run them again", s.place, running, strings.Join(where, ", ")).
			WithFix("let them end (rota down --drain, or rota node drain NODE --wait), or give them up with --lost")
	})
	return nodes, err
}

func (t *tx) names(q string) (names []string, err error) {
	return names, t.query(func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		names = append(names, name)
		return err
	}, q)
}

// revive makes what was filled into a target a store that can be used, the next incarnation.
func revive(ctx context.Context, dest target) (incarnation, lost int, err error) {
	if err := dest.keep(ctx); err != nil {
		return 0, 0, err
	}
	s, err := Open(ctx, dest.place(), Options{admit: admitCopies})
	if err != nil {
		return 0, 0, err
	}
	if lost, err = s.incarnate(ctx); err == nil {
		err = s.endCopying(ctx)
	}
	if closed := s.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = dest.finish(ctx)
	}
	return s.nth, lost, err
}

// transfer fills a target with all that the source has at this moment, reads it again and compares. If sums are wanted,
// the rows must have those. The sums that it returns are all but that of meta.
func transfer(ctx context.Context, from engine, to target, want []rota.TableSum, step func(rota.CopyStep)) (sums []rota.TableSum, replaced int, err error) {
	defer func() { err = explained(ctx, err, from, to) }()
	conn, err := from.snapshot(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer letGo(conn)
	x := transfering{from: from, conn: conn, to: to, step: step}
	if err := x.plan(ctx); err != nil {
		return nil, 0, err
	}
	for i := range x.tables {
		sum, err := x.fill(ctx, &x.tables[i], want)
		if err != nil {
			return nil, 0, err
		}
		sums = append(sums, sum)
	}
	x.at.Checking = true
	for i, sum := range sums {
		r, err := rowsOf(ctx, to, to.conn(), &x.tables[i])
		if err != nil {
			return nil, 0, err
		}
		there, err := x.pass(r)
		if err == nil && there != sum {
			err = rota.Errorf(rota.ErrInternal, "table %s: %d rows with the sum %s were copied, and there are %d with the sum %s", sum.Table, sum.Rows, sum.Sum, there.Rows, there.Sum)
		}
		if err != nil {
			return nil, 0, err
		}
	}
	return slices.DeleteFunc(sums, isMeta), x.replaced, nil
}

// isMeta tells the one table that does not stay as it was copied: it says what the store is.
func isMeta(t rota.TableSum) bool { return t.Table == "meta" }

// explained gives an error the kind that one of the engines knows.
func explained(ctx context.Context, err error, engines ...engine) error {
	var known *rota.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	for _, e := range engines {
		if kind := e.kind(err); kind != rota.ErrInternal {
			return &rota.Error{Kind: kind, Text: err.Error()}
		}
	}
	return err
}

// transfering is a copy under way.
type transfering struct {
	from     engine
	conn     *sql.Conn // the source
	to       target
	tables   []table
	step     func(rota.CopyStep)
	at       rota.CopyStep
	replaced int
}

// plan compares the tables of both sides, and counts the rows.
func (x *transfering) plan(ctx context.Context) error {
	source, err := catalogueOf(ctx, x.from, readingOn(x.conn))
	if err != nil {
		return err
	}
	dest, err := catalogueOf(ctx, x.to, readingOn(x.to.conn()))
	if err != nil {
		return err
	}
	if err := sameTables(source, dest); err != nil {
		return err
	}
	x.tables = source.tables()
	for _, t := range x.tables {
		var n int64
		if err := readingOn(x.conn)(ctx, func(r *sql.Rows) error { return r.Scan(&n) }, `SELECT count(*) FROM `+quoted(t.name)); err != nil {
			return err
		}
		x.at.Of += 2 * n
	}
	return nil
}

// fill copies a table. What the schema itself has put into it goes.
func (x *transfering) fill(ctx context.Context, t *table, want []rota.TableSum) (rota.TableSum, error) {
	if _, err := x.to.conn().ExecContext(ctx, `DELETE FROM `+quoted(t.name)); err != nil {
		return rota.TableSum{}, err
	}
	x.begins(t)
	r, err := rowsOf(ctx, x.from, x.conn, t)
	if err != nil {
		return rota.TableSum{}, err
	}
	defer r.close()
	r.plain, r.passed = x.to.name() == "postgres", x.passed
	if err := x.to.fill(ctx, t, r); err != nil {
		return rota.TableSum{}, fmt.Errorf("copy table %s: %w", t.name, err)
	}
	x.replaced += r.replaced
	if err := r.Err(); err != nil {
		return rota.TableSum{}, err
	}
	if was := r.was(); want != nil && !isMeta(was) && !slices.Contains(want, was) {
		return rota.TableSum{}, rota.Errorf(rota.ErrConflict, "table %s is not as it was when the backup was made", t.name)
	}
	return r.is(), nil
}

// pass reads rows to their end.
func (x *transfering) pass(r *rows) (rota.TableSum, error) {
	defer r.close()
	r.passed = x.passed
	x.begins(r.table)
	for r.Next() {
	}
	return r.is(), r.Err()
}

// begins tells which table comes.
func (x *transfering) begins(t *table) {
	if x.at.Table = t.name; x.step != nil {
		x.step(x.at)
	}
}

// passed tells now and then how far it is.
func (x *transfering) passed() {
	if x.at.Rows++; x.step != nil && x.at.Rows%1000 == 0 {
		x.step(x.at)
	}
}
