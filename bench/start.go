package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"
)

const callers = 64

// nothing is missing.
func nothing() string { return "" }

// program is what a system needs that comes with one program.
func program(name string) func() string {
	return func() string {
		if _, err := exec.LookPath(name); err != nil {
			return name
		}
		return ""
	}
}

// server is a program that serves at a port of this machine, with a folder of its own.
type server struct {
	address string
	dir     string
	cmd     *exec.Cmd
	stop    context.CancelFunc
}

// startServer makes a folder and starts a program with the arguments that are made of folder and port; it waits until
// somebody listens.
func startServer(ctx context.Context, program string, as func(*exec.Cmd, string) error, args func(dir string, port int) []string) (*server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{address: ln.Addr().String()}
	port := ln.Addr().(*net.TCPAddr).Port
	ln.Close()
	if s.dir, err = os.MkdirTemp("", "rota-bench-"); err != nil {
		return nil, err
	}
	ctx, s.stop = context.WithCancel(ctx)
	s.cmd = exec.CommandContext(ctx, program, args(s.dir, port)...)
	s.cmd.Dir = s.dir
	mortal(s.cmd)
	err = as(s.cmd, s.dir)
	if err == nil {
		err = s.cmd.Start()
	}
	if err == nil {
		err = answers(ctx, s.address)
	}
	if err != nil {
		s.end()
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return s, nil
}

// asWeAre starts a program as the user that measures.
func asWeAre(*exec.Cmd, string) error { return nil }

func (s *server) end() {
	s.stop()
	if s.cmd.Process != nil {
		_ = s.cmd.Wait()
	}
	os.RemoveAll(s.dir)
}

// answers waits until the server listens.
func answers(ctx context.Context, addr string) error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func atOnce(n int, do func(i int) error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// rate is how many of n a second are done from now on, by what do does.
func rate(n int, do func() error) (float64, error) {
	begun := time.Now()
	err := do()
	return float64(n) / time.Since(begun).Seconds(), err
}

// four are how many processes run at once, in all systems. Those that take more jobs than that to run them sooner
// may do so.
var four = make(chan struct{}, 4)

// process runs what a command's task is in all systems, and is when it was started.
func process() (time.Time, error) {
	four <- struct{}{}
	defer func() { <-four }()
	cmd := exec.Command("/bin/true")
	if err := cmd.Start(); err != nil {
		return time.Time{}, err
	}
	started := time.Now()
	return started, cmd.Wait()
}

// starts are how long it took from a submit until its process was started, one after the other, with nothing else to do.
func starts(n int, submit func() error, started <-chan time.Time) ([]figure, error) {
	var all []time.Duration
	for range n {
		begun := time.Now()
		if err := submit(); err != nil {
			return nil, err
		}
		all = append(all, (<-started).Sub(begun))
	}
	slices.Sort(all)
	at := func(q float64) float64 { return all[int(q*float64(len(all)-1))].Seconds() * 1000 }
	return []figure{{startP50, at(0.5)}, {startP99, at(0.99)}}, nil
}

// samples is how often a latency is measured.
func (o options) samples() int {
	if o.quick {
		return 60
	}
	return 300
}

// processes is how many commands are run.
func (o options) processes() int {
	if o.quick {
		return 800
	}
	return 4000
}
