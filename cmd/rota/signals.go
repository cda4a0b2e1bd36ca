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
//
// What ends the node ends it also while it is about to begin anew.
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
				d.next = ""
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
				d.next = ""
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
	d.next = program
	d.leave()
}

// endedMeanwhile reports whether a signal that ends the node came after all that heard signals had ended.
func endedMeanwhile(signals chan os.Signal) bool {
	signal.Stop(signals)
	for len(signals) > 0 {
		if s := <-signals; s == syscall.SIGTERM || s == syscall.SIGINT || s == syscall.SIGQUIT {
			return true
		}
	}
	return false
}
