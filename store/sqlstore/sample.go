package sqlstore

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/rotaqueue/rota"
)

// keepSamples adds samples to the series of those attempts that the session runs: has are these.
func (t *tx) keepSamples(samples []rota.TrySample, has []rota.Try) error {
	if len(samples) == 0 || len(has) == 0 {
		return nil
	}
	runs := make(map[rota.Try]bool, len(has))
	for _, try := range has {
		runs[try] = true
	}
	var ids []rota.TaskID
	latest := map[rota.Try]rota.Sample{}
	for _, s := range samples {
		if runs[s.Try] {
			ids = append(ids, s.Task)
			latest[s.Try] = s.Sample
		}
	}
	all := map[rota.Try]rota.Series{}
	err := t.query(func(r *sql.Rows) error {
		var task rota.TaskID
		s, err := scanSeries(r, (*int64)(&task))
		all[rota.Try{Task: task, Attempt: s.Attempt}] = s
		return err
	}, `SELECT attempt, step, points, task FROM sample WHERE task IN (SELECT value FROM json_each(?1))`, list(ids))
	if err != nil {
		return err
	}
	var tries []rota.Try // in the order of the renewal, each once
	for _, s := range samples {
		if p, ok := latest[s.Try]; ok {
			delete(latest, s.Try)
			series := all[s.Try]
			series.Add(rota.Point{At: fromMicros(t.now), Sample: p})
			all[s.Try] = series
			tries = append(tries, s.Try)
		}
	}
	return t.each(`INSERT INTO sample (task, attempt, step, points) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (task, attempt) DO UPDATE SET step = excluded.step, points = excluded.points`,
		len(tries), func(i int) []any {
			s := all[tries[i]]
			return []any{int64(tries[i].Task), tries[i].Attempt, s.Step.Micros(), packPoints(s.Points)}
		})
}

func scanSeries(r *sql.Rows, more ...any) (s rota.Series, err error) {
	var step int64
	var points []byte
	if err = r.Scan(append([]any{&s.Attempt, &step, &points}, more...)...); err != nil {
		return s, err
	}
	s.Step = duration(step)
	s.Points, err = unpackPoints(points)
	return s, err
}

// packPoints writes points as the column has them.
func packPoints(points []rota.Point) []byte {
	b := make([]byte, 0, 16*len(points))
	var before [4]int64
	for _, p := range points {
		now := [4]int64{toMicros(p.At), p.Memory, p.CPU.Micros(), int64(p.Processes)}
		for i := range now {
			b = binary.AppendVarint(b, now[i]-before[i])
		}
		before = now
	}
	return b
}

var errPoints = errors.New("the points of a series cannot be read")

func unpackPoints(b []byte) (points []rota.Point, err error) {
	var now [4]int64
	for len(b) > 0 {
		for i := range now {
			more, n := binary.Varint(b)
			if n <= 0 {
				return points, errPoints
			}
			now[i] += more
			b = b[n:]
		}
		points = append(points, rota.Point{At: fromMicros(now[0]), Sample: rota.Sample{Memory: now[1], CPU: duration(now[2]), Processes: int(now[3])}})
	}
	return points, nil
}

// Samples are those of an attempt.
func (s *Store) Samples(ctx context.Context, task rota.TaskID, attempt int) (out rota.Series, err error) {
	latest := -1
	err = s.query(ctx, func(r *sql.Rows) error { return r.Scan(&latest) },
		`SELECT t.attempt FROM task t JOIN job j ON j.id = t.id >> 24 WHERE t.id = ?1 AND j.removing = 0`, int64(task))
	switch {
	case err == nil && latest < 0:
		err = s.noTask(ctx, task)
	case err == nil && attempt > latest:
		err = rota.Errorf(rota.ErrNotFound, "task %v: there is no attempt %d", task, attempt)
	}
	if err != nil {
		return out, err
	}
	if attempt == 0 {
		attempt = latest
	}
	out = rota.Series{Attempt: attempt, Step: rota.Duration(rota.SampleEvery)}
	err = s.query(ctx, func(r *sql.Rows) (err error) {
		out, err = scanSeries(r)
		return err
	}, `SELECT attempt, step, points FROM sample WHERE task = ?1 AND attempt = ?2`, int64(task), attempt)
	return out, err
}

// keepNodeSample keeps what a node does now. Where the clock was set back, what is ahead of it goes.
func (t *tx) keepNodeSample(node string, s *rota.NodeSample) error {
	if s == nil {
		return nil
	}
	if _, err := t.exec(`DELETE FROM node_sample WHERE node = ?1 AND at >= ?2`, node, t.now); err != nil {
		return err
	}
	_, err := t.exec(`INSERT INTO node_sample (node, at, load1, cpus, memory_used, memory_total, disk_free, disk_total, slots, running)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`, node, t.now, s.Load1, s.CPUs, s.MemoryUsed, s.MemoryTotal, s.DiskFree,
		s.DiskTotal, s.Slots, s.Running)
	return err
}

const nodeSampleColumns = `s.at, s.load1, s.cpus, s.memory_used, s.memory_total, s.disk_free, s.disk_total, s.slots, s.running`

func scanNodeSample(r *sql.Rows, more ...any) (x rota.NodeSample, err error) {
	var at int64
	err = r.Scan(append([]any{&at, &x.Load1, &x.CPUs, &x.MemoryUsed, &x.MemoryTotal, &x.DiskFree, &x.DiskTotal, &x.Slots, &x.Running}, more...)...)
	x.At = fromMicros(at)
	return x, err
}

// latestSamples gives each node its latest sample.
func (s *Store) latestSamples(ctx context.Context, nodes []rota.Node) error {
	at := make(map[string]*rota.Node, len(nodes))
	for i := range nodes {
		at[nodes[i].Name] = &nodes[i]
	}
	return s.query(ctx, func(r *sql.Rows) error {
		var name string
		x, err := scanNodeSample(r, &name)
		if n := at[name]; n != nil {
			n.Sample = &x
		}
		return err
	}, `SELECT `+nodeSampleColumns+`, n.name FROM node n CROSS JOIN node_sample s ON s.node = n.name
		AND s.at = (SELECT max(at) FROM node_sample WHERE node = n.name)`)
}

// nodeSampleMax bounds an answer: more than there ever are, unless thinning has fallen behind.
const nodeSampleMax = 10_000

// NodeSamples are those of a node since a time.
func (s *Store) NodeSamples(ctx context.Context, node string, since time.Time) (out []rota.NodeSample, err error) {
	known := false
	err = s.query(ctx, func(r *sql.Rows) error { return r.Scan(&known) }, `SELECT 1 FROM node WHERE name = ?1`, node)
	if err == nil && !known {
		err = noNode(node)
	}
	if err != nil {
		return nil, err
	}
	err = s.query(ctx, func(r *sql.Rows) error {
		x, err := scanNodeSample(r)
		out = append(out, x)
		return err
	}, `SELECT `+nodeSampleColumns+` FROM node_sample s WHERE s.node = ?1 AND s.at >= ?2 ORDER BY s.at LIMIT ?3`,
		node, toMicros(since), nodeSampleMax)
	return out, err
}

// thinNodes removes samples of nodes that are closer together than their age allows, up to stepRows of them. How far it
// has come is noted for each span of age, so that it looks at every sample once for each.
func (t *tx) thinNodes() (removed int, err error) {
	found, err := t.one(`SELECT 1 FROM node_sample LIMIT 1`, nil, new(int))
	if !found || err != nil {
		return 0, err
	}
	for _, span := range rota.NodeSpans {
		n, err := t.thinSpan(span, stepRows-removed)
		removed += n
		if err != nil || removed >= stepRows {
			return removed, err
		}
	}
	return removed, nil
}

func (t *tx) thinSpan(span rota.NodeSpan, most int) (int, error) {
	const from = `DELETE FROM node_sample WHERE (node, at) IN (SELECT s.node, s.at FROM node n CROSS JOIN node_sample s ON s.node = n.name `
	to := t.now - span.Age.Microseconds()
	if span.Step == 0 {
		return t.exec(from+`AND s.at < ?1 LIMIT ?2)`, to, most)
	}
	step := span.Step.Microseconds()
	to -= to % step
	name := fmt.Sprint("node_sample ", span.Age)
	var done int64
	if _, err := t.one(`SELECT value FROM counter WHERE name = ?1`, []any{name}, &done); err != nil || done == to {
		return 0, err
	}
	n, err := t.exec(from+`AND s.at >= ?1 AND s.at < ?2
		WHERE EXISTS (SELECT 1 FROM node_sample o WHERE o.node = s.node AND o.at >= s.at - s.at % ?3 AND o.at < s.at) LIMIT ?4)`,
		done, to, step, most)
	if err != nil || n >= most {
		return n, err
	}
	_, err = t.exec(`INSERT INTO counter (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, to)
	return n, err
}

// KeepStoreSample keeps what the queues hold now. Where the clock was set back, what is ahead of it goes.
func (s *Store) KeepStoreSample(ctx context.Context, x rota.StoreSample) error {
	return s.write(ctx, "keep a sample of the queues", func(t *tx) error {
		recent, err := t.one(`SELECT 1 FROM store_sample WHERE at > ?1 AND at <= ?2 LIMIT 1`,
			[]any{t.now - (rota.StoreSampleEvery / 2).Microseconds(), t.now}, new(int))
		if recent || err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM store_sample WHERE at < ?1 OR at >= ?2`, t.now-rota.StoreSamplesFor.Microseconds(), t.now); err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO store_sample (at, waiting, running, ended, failed, oldest) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`,
			t.now, x.Waiting, x.Running, x.Ended, x.Failed, x.Oldest.D().Microseconds())
		return err
	})
}

// StoreSamples are those since a time. There are never more than a week has.
func (s *Store) StoreSamples(ctx context.Context, since time.Time) (out []rota.StoreSample, err error) {
	err = s.query(ctx, func(r *sql.Rows) error {
		var x rota.StoreSample
		var at, oldest int64
		err := r.Scan(&at, &x.Waiting, &x.Running, &x.Ended, &x.Failed, &oldest)
		x.At, x.Oldest = fromMicros(at), rota.Duration(time.Duration(oldest)*time.Microsecond)
		out = append(out, x)
		return err
	}, `SELECT at, waiting, running, ended, failed, oldest FROM store_sample WHERE at >= ?1 ORDER BY at`, toMicros(since))
	return out, err
}
