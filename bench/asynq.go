package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
)

// asynqWith measures asynq on a Redis of our own that writes its log in that way.
func asynqWith(fsync string) func(context.Context, options) ([]figure, error) {
	return func(ctx context.Context, o options) ([]figure, error) {
		s, err := startServer(ctx, "redis-server", asWeAre, func(dir string, port int) []string {
			return []string{"--bind", "127.0.0.1", "--port", fmt.Sprint(port), "--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", fsync}
		})
		if err != nil {
			return nil, err
		}
		defer s.end()
		q := &asynqQueue{redis: asynq.RedisClientOpt{Addr: s.address, PoolSize: 2 * callers}}
		q.client, q.inspector = asynq.NewClient(q.redis), asynq.NewInspector(q.redis)
		defer q.client.Close()
		defer q.inspector.Close()
		return q.measure(ctx, o)
	}
}

type asynqQueue struct {
	redis     asynq.RedisClientOpt
	client    *asynq.Client
	inspector *asynq.Inspector
}

func (q *asynqQueue) measure(ctx context.Context, o options) ([]figure, error) {
	n := o.jobs()
	noop := func(context.Context, *asynq.Task) error { return nil }
	submit, err := rate(n, func() error { return q.put(n) })
	if err != nil {
		return nil, err
	}
	empty, err := q.work(ctx, callers, noop, func(untilEmpty func() error) (float64, error) { return rate(n, untilEmpty) })
	if err != nil {
		return nil, err
	}
	life, err := q.work(ctx, callers, noop, func(untilEmpty func() error) (float64, error) {
		return rate(n, func() error { return errors.Join(q.put(n), untilEmpty()) })
	})
	if err != nil {
		return nil, err
	}
	if err := q.put(o.processes()); err != nil {
		return nil, err
	}
	run := func(context.Context, *asynq.Task) error { _, err := process(); return err }
	processes, err := q.work(ctx, callers, run, func(untilEmpty func() error) (float64, error) { return rate(o.processes(), untilEmpty) })
	if err != nil {
		return nil, err
	}
	started := make(chan time.Time, 1)
	var latency []figure
	_, err = q.work(ctx, callers, func(context.Context, *asynq.Task) error {
		at, err := process()
		started <- at
		return err
	}, func(untilEmpty func() error) (_ float64, err error) {
		latency, err = starts(o.samples(), q.putOne, started)
		return 0, errors.Join(err, untilEmpty())
	})
	return append([]figure{{submits, submit}, {waiting, empty}, {lives, life}, {commands, processes}}, latency...), err
}

// put submits n tasks from 64 callers.
func (q *asynqQueue) put(n int) error {
	return atOnce(callers, func(c int) error {
		for range share(n, callers, c) {
			if err := q.putOne(); err != nil {
				return err
			}
		}
		return nil
	})
}

func (q *asynqQueue) putOne() error {
	_, err := q.client.Enqueue(asynq.NewTask("task", []byte("noop")))
	return err
}

// work measures while so many workers do what is in the queue. They look for more every 2 ms rather than every second,
// which is the default.
func (q *asynqQueue) work(ctx context.Context, workers int, do asynq.HandlerFunc, measure func(untilEmpty func() error) (float64, error)) (float64, error) {
	s := asynq.NewServer(q.redis, asynq.Config{Concurrency: workers, TaskCheckInterval: 2 * time.Millisecond, LogLevel: asynq.FatalLevel})
	if err := s.Start(do); err != nil {
		return 0, err
	}
	v, err := measure(func() error { return q.untilEmpty(ctx) })
	s.Shutdown()
	return v, err
}

func (q *asynqQueue) untilEmpty(ctx context.Context) error {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		i, err := q.inspector.GetQueueInfo("default")
		if err != nil || i.Pending+i.Active+i.Retry == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
}
