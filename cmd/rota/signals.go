package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/node"
)

// handleSignals: TERM and INT leave what runs to the keeper (or end it, if all ends with this process), QUIT lets it end
// first, HUP begins anew in the same process, with the configuration as it is then, and USR1 makes it the program that
// "rota upgrade" asks for. USR2 pauses claiming, and CONT goes on with it.
func (d *daemon) handleSignals(ctx context.Context, signals <-chan os.Signal) {
	terminal := hasTerminal()
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			d.log.Info("signal", "signal", s.String())
			switch {
			case s == syscall.SIGQUIT:
				d.sessions.end((*node.Node).Drain)
			case s == syscall.SIGUSR1:
				d.upgrade()
			case s == syscall.SIGUSR2:
				d.sessions.tell((*node.Node).Pause)
			case s == syscall.SIGCONT:
				d.sessions.tell((*node.Node).Continue)
			case s == syscall.SIGHUP && (!terminal || hasTerminal()):
				d.restart()
			default: // also HUP of a terminal that was closed
				signal.Reset(syscall.SIGTERM, syscall.SIGINT) // a second one ends the process at once
				if isFirst() {
					d.stop()
				} else {
					d.leave()
				}
			}
		}
	}
}

// hasTerminal reports whether the process has a controlling terminal that is there.
func hasTerminal() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	tty.Close()
	return true
}

// leave ends the daemon, and leaves what runs to the keepers.
func (d *daemon) leave() { d.sessions.end((*node.Node).Leave) }

// restart makes the process itself again, if what is configured now is right.
func (d *daemon) restart() {
	if d.opts.Reload != nil {
		if err := d.opts.Reload(); err != nil {
			d.log.Error("the configuration is not read again: it is wrong", "err", err, "fix", rota.FixOf(err))
			return
		}
	}
	program, err := ownProgram()
	if err != nil {
		d.log.Error("the configuration is not read again", "err", err)
		return
	}
	d.next = func() error { return become(program) }
	d.leave()
}

// become makes this process another program, with the same arguments.
func become(program string) error {
	err := syscall.Exec(program, os.Args, os.Environ())
	return rota.Errorf(rota.ErrUnavailable, "start %s in the place of this process: %v", program, err).WithFix("rota up")
}
