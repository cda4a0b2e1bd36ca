package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

func beanstalkdInMemory(ctx context.Context, o options) ([]figure, error) {
	return beanstalkd(ctx, o, nil)
}

// beanstalkdDurable has a log that is synced at every write.
func beanstalkdDurable(ctx context.Context, o options) ([]figure, error) {
	return beanstalkd(ctx, o, func(dir string) []string { return []string{"-b", dir, "-f0"} })
}

// beanstalkd measures a beanstalkd of our own: puts from 64 connections; four workers (reserve, delete) of what waits, and
// of what is put meanwhile; commands.
func beanstalkd(ctx context.Context, o options, log func(dir string) []string) ([]figure, error) {
	s, err := startServer(ctx, "beanstalkd", asWeAre, func(dir string, port int) []string {
		args := []string{"-l", "127.0.0.1", "-p", fmt.Sprint(port)}
		if log != nil {
			args = append(args, log(dir)...)
		}
		return args
	})
	if err != nil {
		return nil, err
	}
	defer s.end()
	n := o.jobs()
	var figures []figure
	for _, step := range []struct {
		kind kind
		n    int
		do   func() error
	}{
		{submits, n, func() error { return put(s.address, n) }},
		{waiting, n, func() error { return work(s.address, n, nil) }},
		{lives, n, func() error {
			var both sync.WaitGroup
			errs := make([]error, 2)
			both.Go(func() { errs[0] = put(s.address, n) })
			both.Go(func() { errs[1] = work(s.address, n, nil) })
			both.Wait()
			return errors.Join(errs...)
		}},
		{"", o.processes(), func() error { return put(s.address, o.processes()) }},
		{commands, o.processes(), func() error {
			return work(s.address, o.processes(), func() error { _, err := process(); return err })
		}},
	} {
		v, err := rate(step.n, step.do)
		if err != nil {
			return nil, err
		}
		if step.kind != "" {
			figures = append(figures, figure{step.kind, v})
		}
	}
	latency, err := beanstalkdStarts(s.address, o.samples())
	return append(figures, latency...), err
}

// beanstalkdStarts measures with a worker that waits.
func beanstalkdStarts(addr string, n int) ([]figure, error) {
	started := make(chan time.Time, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- workOne(addr, n, func() error {
			at, err := process()
			started <- at
			return err
		})
	}()
	var figures []figure
	err := talk(addr, func(ask func(string) (string, error)) (err error) {
		figures, err = starts(n, func() error { return putOne(ask) }, started)
		return err
	})
	return figures, errors.Join(err, <-ended)
}

// put submits n jobs over 64 connections, each waiting for its answer.
func put(addr string, n int) error {
	return atOnce(callers, func(c int) error {
		return talk(addr, func(ask func(string) (string, error)) error {
			for range share(n, callers, c) {
				if err := putOne(ask); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// share is how many of n the i-th of so many has.
func share(n, among, i int) int {
	if i < n%among {
		return n/among + 1
	}
	return n / among
}

func putOne(ask func(string) (string, error)) error {
	answer, err := ask("put 0 0 60 4\r\nnoop\r\n")
	if err != nil || !strings.HasPrefix(answer, "INSERTED") {
		return fmt.Errorf("put: %q, %w", answer, err)
	}
	return nil
}

// work reserves, does and deletes n jobs, four at once; to do nothing is nil.
func work(addr string, n int, do func() error) error {
	return atOnce(4, func(w int) error { return workOne(addr, share(n, 4, w), do) })
}

func workOne(addr string, n int, do func() error) error {
	return talk(addr, func(ask func(string) (string, error)) error {
		for range n {
			answer, err := ask("reserve\r\n")
			var id, size int
			if _, bad := fmt.Sscanf(answer, "RESERVED %d %d", &id, &size); err != nil || bad != nil {
				return fmt.Errorf("reserve: %q, %w", answer, err)
			}
			if do != nil {
				if err := do(); err != nil {
					return err
				}
			}
			if answer, err = ask(fmt.Sprintf("delete %d\r\n", id)); err != nil || answer != "DELETED" {
				return fmt.Errorf("delete: %q, %w", answer, err)
			}
		}
		return nil
	})
}

// talk opens a connection and gives what asks one command and returns its answer, without the body.
func talk(addr string, do func(ask func(string) (string, error)) error) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	r := bufio.NewReader(c)
	return do(func(command string) (string, error) {
		if _, err := c.Write([]byte(command)); err != nil {
			return "", err
		}
		line, err := r.ReadString('\n')
		if strings.HasPrefix(line, "RESERVED") && err == nil {
			_, err = r.ReadString('\n')
		}
		return strings.TrimRight(line, "\r\n"), err
	})
}
