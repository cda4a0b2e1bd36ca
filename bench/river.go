package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// onRiver measures River on a PostgreSQL server like Rota's: 2,000 workers, who take jobs ahead, and fetches as soon
// as every 2 ms rather than 100.
func onRiver(ctx context.Context, o options) ([]figure, error) {
	db, err := startPostgres(ctx)
	if err != nil {
		return nil, err
	}
	defer db.end()
	conf, err := pgxpool.ParseConfig(db.url(db.password))
	if err != nil {
		return nil, err
	}
	conf.MaxConns = callers
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: quiet})
	if err == nil {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		return nil, err
	}
	q := &riverQueue{pool: pool}
	return q.measure(ctx, o)
}

var quiet = slog.New(slog.DiscardHandler)

type riverQueue struct{ pool *pgxpool.Pool }

// riverArgs are a job's.
type riverArgs struct{}

func (riverArgs) Kind() string { return "task" }

type riverWorker struct {
	river.WorkerDefaults[riverArgs]
	do func() error
}

func (w *riverWorker) Work(context.Context, *river.Job[riverArgs]) error { return w.do() }

func (q *riverQueue) measure(ctx context.Context, o options) ([]figure, error) {
	n := o.jobs()
	noop := func() error { return nil }
	idle, err := q.client(1, noop)
	if err != nil {
		return nil, err
	}
	submit, err := rate(n, func() error { return put64(ctx, idle, n) })
	if err != nil {
		return nil, err
	}
	const many = 2000
	empty, err := q.work(ctx, many, noop, func(_ *riverClient, untilEmpty func() error) (float64, error) { return rate(n, untilEmpty) })
	if err != nil {
		return nil, err
	}
	life, err := q.work(ctx, many, noop, func(c *riverClient, untilEmpty func() error) (float64, error) {
		return rate(n, func() error { return errors.Join(put64(ctx, c, n), untilEmpty()) })
	})
	if err != nil {
		return nil, err
	}
	if err := put64(ctx, idle, o.processes()); err != nil {
		return nil, err
	}
	run := func() error { _, err := process(); return err }
	processes, err := q.work(ctx, many, run, func(_ *riverClient, untilEmpty func() error) (float64, error) { return rate(o.processes(), untilEmpty) })
	if err != nil {
		return nil, err
	}
	started := make(chan time.Time, 1)
	var latency []figure
	_, err = q.work(ctx, many, func() error {
		at, err := process()
		started <- at
		return err
	}, func(c *riverClient, untilEmpty func() error) (_ float64, err error) {
		latency, err = starts(o.samples(), func() error { return putRiver(ctx, c) }, started)
		return 0, errors.Join(err, untilEmpty())
	})
	return append([]figure{{submits, submit}, {waiting, empty}, {lives, life}, {commands, processes}}, latency...), err
}

type riverClient = river.Client[pgx.Tx]

func (q *riverQueue) client(workers int, do func() error) (*riverClient, error) {
	all := river.NewWorkers()
	river.AddWorker(all, &riverWorker{do: do})
	return river.NewClient(riverpgxv5.New(q.pool), &river.Config{
		Queues:        map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
		FetchCooldown: 2 * time.Millisecond, FetchPollInterval: 50 * time.Millisecond, Workers: all, Logger: quiet,
	})
}

// put64 submits n jobs from 64 callers.
func put64(ctx context.Context, c *riverClient, n int) error {
	return atOnce(callers, func(i int) error {
		for range share(n, callers, i) {
			if err := putRiver(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func putRiver(ctx context.Context, c *riverClient) error {
	_, err := c.Insert(ctx, riverArgs{}, nil)
	return err
}

// work measures while so many workers do what is in the queue.
func (q *riverQueue) work(ctx context.Context, workers int, do func() error, measure func(c *riverClient, untilEmpty func() error) (float64, error)) (float64, error) {
	c, err := q.client(workers, do)
	if err != nil {
		return 0, err
	}
	if err := c.Start(ctx); err != nil {
		return 0, err
	}
	v, err := measure(c, func() error { return q.untilEmpty(ctx) })
	return v, errors.Join(err, c.Stop(context.WithoutCancel(ctx)))
}

// untilEmpty waits until no job is left that has not ended: an index tells.
func (q *riverQueue) untilEmpty(ctx context.Context) error {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		var left bool
		err := q.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM river_job WHERE state IN ('available', 'running', 'retryable'))").Scan(&left)
		if err != nil || !left {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
}
