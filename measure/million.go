package measure

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/rotaqueue/rota"
)

// million is what a long queue costs: claims and a page of a list with a million ready tasks, beside a thousand.
func million(ctx context.Context, b *bench) ([]Figure, error) {
	m, err := b.newMachine(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer m.close()
	s := &session{machine: m, id: "bench"}
	if err := s.open(); err != nil {
		return nil, err
	}
	short, err := s.claimAmong(1_000, b.scaled(1_000))
	if err != nil {
		return nil, err
	}
	files := descriptors()
	n := b.scaled(1_000_000)
	long, err := s.claimAmong(n, b.scaled(1_000))
	if err != nil {
		return nil, err
	}
	var pages []time.Duration
	for range b.scaled(100) {
		begun := time.Now()
		if _, err := m.server.Jobs(m.ctx, rota.JobQuery{Max: 20}); err != nil {
			return nil, err
		}
		if _, err := m.server.Tasks(m.ctx, rota.TaskQuery{Newest: true, Max: 50}); err != nil {
			return nil, err
		}
		pages = append(pages, time.Since(begun))
	}
	debug.FreeOSMemory()
	of := "with 1,000 ready"
	return []Figure{
		Figure{Name: fmt.Sprintf("claim of 4, %d ready, p99", n), Value: ms(quantile(long, 0.99)), Unit: "ms", Goal: "ratio ≤ 2"}.
			beside(ms(quantile(short, 0.99)), of),
		Figure{Name: fmt.Sprintf("claim of 4, %d ready, p50", n), Value: ms(quantile(long, 0.5)), Unit: "ms"}.beside(ms(quantile(short, 0.5)), of),
		{Name: "a page of jobs and one of tasks, p99", Value: ms(quantile(pages, 0.99)), Unit: "ms", Goal: "≤ 20 ms"},
		{Name: "memory of the whole process", Value: resident(), Unit: "MiB", Goal: "≤ 150 MiB"},
		Figure{Name: "open files", Value: descriptors(), Unit: ""}.beside(files, "before"),
	}, nil
}

// claimAmong makes an array of so many tasks and times claims of four among them.
func (s *session) claimAmong(n, claims int) ([]time.Duration, error) {
	job, err := s.server.Submit(s.ctx, array(n, "noop"))
	if err == nil {
		err = s.made(job.Job)
	}
	if err != nil {
		return nil, err
	}
	var trips []time.Duration
	for range claims {
		d, err := s.exchange(4)
		if err != nil {
			return nil, err
		}
		trips = append(trips, d)
		if len(s.done) < 4 { // of the short queue nothing is left
			if job, err = s.server.Submit(s.ctx, array(n, "noop")); err == nil {
				err = s.made(job.Job)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return trips, nil
}
