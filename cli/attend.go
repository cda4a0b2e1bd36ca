package cli

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/rotaqueue/rota"
)

// secondChance is how long after Ctrl-C another one cancels the job.
const secondChance = 2 * time.Second

// attend follows a job, and minds signals meanwhile:
//
//   - Ctrl-C says how to follow the job and, two seconds later, detaches: the job goes on, the code is 130.
//   - Ctrl-C again within these two seconds cancels the job; following goes on to its end, the code is the job's.
//   - Ctrl-C a third time leaves at once, with 130.
//   - TERM and HUP detach at once, with 143 and 129.
//   - When nobody reads the output any more (SIGPIPE), the job is cancelled, as the command itself would end: 141.
func (a *app) attend(ctx context.Context, c *conn, job rota.JobID, follow func(context.Context) error) error {
	sigs, restore := a.signals(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer restore()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	result := make(chan error, 1)
	go func() { result <- follow(ctx) }()
	var (
		interrupts int
		detach     <-chan time.Time
	)
	leave := func(code int) error {
		stop()
		<-result
		return &exit{code: code}
	}
	for {
		select {
		case err := <-result:
			if errors.Is(err, syscall.EPIPE) {
				a.cancel(ctx, c, job)
				return &exit{code: signalCode(syscall.SIGPIPE)}
			}
			return err
		case <-detach:
			return leave(exitInterrupted)
		case s := <-sigs:
			switch {
			case s == syscall.SIGPIPE: // the write that caused it fails too
			case s != os.Interrupt:
				a.note("rota: job %v goes on; follow it: rota logs -f %v", job, job)
				return leave(signalCode(s))
			case interrupts == 0:
				interrupts, detach = 1, time.After(secondChance)
				a.note("rota: detaching; job %v goes on, follow it: rota logs -f %v; Ctrl-C again within 2 s cancels it", job, job)
			case interrupts == 1:
				interrupts, detach = 2, nil
				a.note("rota: cancelling job %v; Ctrl-C again leaves without waiting for its end", job)
				go a.cancel(ctx, c, job)
			default:
				return leave(exitInterrupted)
			}
		}
	}
}

// cancel asks for a job's end.
func (a *app) cancel(ctx context.Context, c *conn, job rota.JobID) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	op := rota.Operation{Act: rota.ActCancel, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(job)}}}
	if _, err := c.Operate(ctx, op); err != nil {
		a.say("rota cancel", err)
	}
}

func signalCode(s os.Signal) int {
	if n, ok := s.(syscall.Signal); ok {
		return exitSignal + int(n)
	}
	return 1
}
