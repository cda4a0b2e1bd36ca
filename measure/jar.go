package measure

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/jar"
)

// jars is what a worker of a jar makes of a processor, beside a bare loop that starts as many processes one after the
// other; and what a claim costs with many jobs waiting, beside one with few. Both are reckoned in processor time.
func jars(ctx context.Context, b *bench) ([]Figure, error) {
	if b.JarWorker == nil {
		return nil, nil // no program that could be a worker
	}
	n := b.scaled(2000)
	var bare, worker time.Duration
	for range rounds {
		d, err := bareTime(ctx, n)
		if err != nil {
			return nil, err
		}
		bare += d
		if d, err = b.jarTime(ctx, n); err != nil {
			return nil, err
		}
		worker += d
	}
	run := Figure{Name: "jar: claims and runs of " + trueProgram, Value: perSecond(rounds*n, worker), Unit: "/CPU s", Goal: "ratio ≥ 0.70"}
	few, err := b.claimTime(100)
	if err != nil {
		return nil, err
	}
	many, err := b.claimTime(b.scaled(100_000))
	if err != nil {
		return nil, err
	}
	claim := Figure{Name: fmt.Sprintf("jar: a claim, %d jobs waiting", b.scaled(100_000)), Value: micros(many), Unit: "CPU µs", Goal: "ratio ≤ 3"}
	return []Figure{run.beside(perSecond(rounds*n, bare), "bare spawn loop"), claim.beside(micros(few), "100 waiting")}, nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// bareTime is the processor time of n processes one after the other, with nothing around them.
func bareTime(ctx context.Context, n int) (time.Duration, error) {
	before := cpuTime() + childrenTime()
	for range n {
		if err := exec.CommandContext(ctx, trueProgram).Run(); err != nil {
			return 0, err
		}
	}
	return cpuTime() + childrenTime() - before, nil
}

// childrenTime is what processes that this one has waited for have used of the processors.
func childrenTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// jarTime is the processor time of a worker, and all that it starts, for a jar with n jobs, its own beginning and end
// included.
func (b *bench) jarTime(ctx context.Context, n int) (time.Duration, error) {
	home, err := b.fillJar(n, trueProgram)
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(home)
	j := jar.At(home)
	// The last job makes the worker end.
	if _, err := j.Submit(jar.Submission{Text: "#!/bin/sh -f\n: > $JJ_WORKER_HOME/STOP_ALL\n", Priority: -1}); err != nil {
		return 0, err
	}
	cmd := b.JarWorker(ctx, home)
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("worker: %w", err)
	}
	s, err := j.Status(jar.Here("bench"))
	if err == nil && s.Completed != n+1 {
		err = fmt.Errorf("of %d jobs %d were run", n+1, s.Completed)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), err
}

// fillJar makes a jar with n jobs, which all are one program.
func (b *bench) fillJar(n int, program string) (home string, err error) {
	if home, err = os.MkdirTemp(b.dir, "jar-"); err != nil {
		return "", err
	}
	j := jar.At(home)
	if err := j.Make(); err != nil {
		return home, err
	}
	first := filepath.Join(j.Limbo(), "program")
	if err := copyProgram(program, first); err != nil {
		return home, err
	}
	defer os.Remove(first)
	for i := range n {
		path := filepath.Join(j.Unclaimed(), fmt.Sprintf("20260101-000000-%06d_bench_here-1-%d.0", i, i))
		if i%1000 != 0 { // a file has only so many names
			err = os.Link(filepath.Join(j.Unclaimed(), fmt.Sprintf("20260101-000000-%06d_bench_here-1-%d.0", i-i%1000, i-i%1000)), path)
		} else if err = copyProgram(first, path+".part"); err == nil {
			err = os.Rename(path+".part", path)
		}
		if err != nil {
			return home, err
		}
	}
	return home, nil
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Chtimes(to, time.Time{}, time.Unix(1, 0)) // it is whole, and known to be
}

// claimTime is the processor time of a claim while so many jobs wait, the first look at the jar included. What is claimed
// is given back, so that it stays so many.
func (b *bench) claimTime(waiting int) (time.Duration, error) {
	home, err := b.fillJar(waiting, trueProgram)
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(home)
	w, err := jar.At(home).Register(jar.Here("bench"), "")
	if err != nil {
		return 0, err
	}
	n := b.scaled(5000)
	before := cpuTime()
	for range n {
		c, err := w.Claim()
		if err == nil && c == nil {
			err = rota.Errorf(rota.ErrInternal, "nothing can be claimed")
		}
		if err == nil {
			err = c.GiveBack()
		}
		if err != nil {
			return 0, err
		}
		w.Done(c)
	}
	return (cpuTime() - before) / time.Duration(n), nil
}
