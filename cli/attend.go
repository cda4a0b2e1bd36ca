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

// attend follows jobs, and minds signals meanwhile:
//
//   - Ctrl-C says how to follow them and, two seconds later, detaches: they go on, the code is 130.
//   - Ctrl-C again within these two seconds cancels them; following goes on to their end, the code is theirs.
//   - Ctrl-C a third time leaves at once, with 130.
//   - TERM and HUP detach at once, with 143 and 129.
//   - When nobody reads the output any more (SIGPIPE), they are cancelled, as the command itself would end: 141.
func (a *app) attend(ctx context.Context, c *conn, jobs []rota.JobID, follow func(context.Context) error) error {
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
				a.cancel(ctx, c, jobs)
				return &exit{code: signalCode(syscall.SIGPIPE)}
			}
			return err
		case <-detach:
			return leave(exitInterrupted)
		case s := <-sigs:
			switch {
			case s == syscall.SIGPIPE: // the write that caused it fails too
			case s != os.Interrupt:
				a.note("rota: %s; follow it: rota logs -f %v", goesOn(jobs), jobs[0])
				return leave(signalCode(s))
			case interrupts == 0:
				interrupts, detach = 1, time.After(secondChance)
				a.note("rota: detaching; %s, follow it: rota logs -f %v; Ctrl-C again within 2 s cancels it", goesOn(jobs), jobs[0])
			case interrupts == 1:
				interrupts, detach = 2, nil
				a.note("rota: cancelling %s; Ctrl-C again leaves without waiting for the end", jobsText(jobs))
				go a.cancel(ctx, c, jobs)
			default:
				return leave(exitInterrupted)
			}
		}
	}
}

// cancel asks for the end of jobs.
func (a *app) cancel(ctx context.Context, c *conn, jobs []rota.JobID) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	op := rota.Operation{Act: rota.ActCancel, Filter: rota.Filter{Tasks: rota.SpansOf(jobs)}}
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
