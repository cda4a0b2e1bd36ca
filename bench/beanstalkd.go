package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// peer is a system to measure beside Rota.
type peer struct {
	name    string
	program string
	measure func(ctx context.Context, n int) ([]figure, error)
}

var peers = []peer{
	{"beanstalkd in memory", "beanstalkd", func(ctx context.Context, n int) ([]figure, error) { return beanstalkd(ctx, n, false) }},
	{"beanstalkd -b -f0", "beanstalkd", func(ctx context.Context, n int) ([]figure, error) { return beanstalkd(ctx, n, true) }},
}

const (
	callers = 64
	workers = 4
)

// beanstalkd measures a beanstalkd of our own: puts from 64 connections, then a whole life (put, reserve, delete) with
// 64 producers and four workers. Durable means a log that is synced at every write.
func beanstalkd(ctx context.Context, n int, durable bool) ([]figure, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := ln.Addr().(*net.TCPAddr)
	ln.Close()
	args := []string{"-l", "127.0.0.1", "-p", fmt.Sprint(addr.Port)}
	if durable {
		args = append(args, "-b", dir, "-f0")
	}
	ctx, stop := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, "beanstalkd", args...)
	if err := cmd.Start(); err != nil {
		stop()
		return nil, err
	}
	defer cmd.Wait()
	defer stop()
	if err := answers(ctx, addr.String()); err != nil {
		return nil, err
	}
	begun := time.Now()
	if err := put(addr.String(), n); err != nil {
		return nil, err
	}
	puts := figure{Name: "submit, 64 callers", Value: float64(n) / time.Since(begun).Seconds()}
	if err := work(addr.String(), n); err != nil {
		return nil, err
	}
	begun = time.Now()
	var both sync.WaitGroup
	errs := make([]error, 2)
	both.Go(func() { errs[0] = put(addr.String(), n) })
	both.Go(func() { errs[1] = work(addr.String(), n) })
	both.Wait()
	lives := figure{Name: "no-op", Value: float64(n) / time.Since(begun).Seconds()}
	return []figure{puts, lives}, errors.Join(errs...)
}

// answers waits until the server listens.
func answers(ctx context.Context, addr string) error {
	deadline := time.Now().Add(10 * time.Second)
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

// put submits n jobs over 64 connections, each waiting for its answer.
func put(addr string, n int) error {
	return atOnce(callers, func(int) error {
		return talk(addr, func(ask func(string) (string, error)) error {
			for range n / callers {
				answer, err := ask("put 0 0 60 4\r\nnoop\r\n")
				if err != nil || !strings.HasPrefix(answer, "INSERTED") {
					return fmt.Errorf("put: %q, %w", answer, err)
				}
			}
			return nil
		})
	})
}

// work reserves and deletes what put submits.
func work(addr string, n int) error {
	total := n / callers * callers
	return atOnce(workers, func(w int) error {
		share := total / workers
		if w == 0 {
			share += total % workers
		}
		return talk(addr, func(ask func(string) (string, error)) error {
			for range share {
				answer, err := ask("reserve\r\n")
				var id, size int
				if _, bad := fmt.Sscanf(answer, "RESERVED %d %d", &id, &size); err != nil || bad != nil {
					return fmt.Errorf("reserve: %q, %w", answer, err)
				}
				if answer, err = ask(fmt.Sprintf("delete %d\r\n", id)); err != nil || answer != "DELETED" {
					return fmt.Errorf("delete: %q, %w", answer, err)
				}
			}
			return nil
		})
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

func atOnce(n int, do func(i int) error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	return errors.Join(errs...)
}
