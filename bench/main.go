// Command bench measures Rota beside its peers on one machine, in turns within one run, and prints ratios: absolute
// figures of one machine say little about another's.
//
// It is a module of its own, so that no peer's client becomes a dependency of Rota. The servers come from the system's
// packages (see the Makefile); a system whose server is not there is named as left out.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// options are what the command line says.
type options struct {
	rota   string // the binary to measure
	slots  int    // of Rota's node when there is no work in its tasks
	quick  bool
	rounds int
	only   string // a part of the names of what is measured
}

// jobs is how many wait, where many wait.
func (o options) jobs() int {
	if o.quick {
		return 10_000 // as rota bench --quick has it
	}
	return 50_000
}

func main() {
	var o options
	flag.StringVar(&o.rota, "rota", "./rota", "the binary to measure")
	flag.IntVar(&o.slots, "slots", 256, "slots of Rota's node for tasks without work")
	flag.BoolVar(&o.quick, "quick", false, "a fifth of the work")
	flag.IntVar(&o.rounds, "rounds", 3, "turns of Rota and its peers")
	flag.StringVar(&o.only, "only", "", "measure what has this in its name, besides Rota")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// system is one that is measured.
type system struct {
	name    string
	missing func() string // what it needs and is not there; empty: nothing
	measure func(ctx context.Context, o options) ([]figure, error)
}

// systems are all, in the order of their turns. Those that are measured against each other stand together.
var systems = []system{
	{embedded, nothing, rotaEmbedded},
	{"beanstalkd in memory", program("beanstalkd"), beanstalkdInMemory},
	{"beanstalkd -b -f0", program("beanstalkd"), beanstalkdDurable},
	{"asynq, AOF always", program("redis-server"), asynqWith("always")},
	{"asynq, AOF everysec", program("redis-server"), asynqWith("everysec")},
	{shared, postgresMissing, rotaShared},
	{"River, tuned", postgresMissing, onRiver},
}

// Rota's own names: both are set beside all others.
const (
	embedded = "Rota"
	shared   = "Rota on PostgreSQL"
)

// run measures in turns and prints figures and ratios.
func run(ctx context.Context, o options) error {
	var there []system
	for _, s := range systems {
		if what := s.missing(); what != "" {
			fmt.Fprintf(os.Stderr, "%s is left out: %s is not installed\n", s.name, what)
			continue
		}
		if strings.Contains(s.name, o.only) || s.name == embedded || s.name == shared {
			there = append(there, s)
		}
	}
	seen := results{}
	for round := range o.rounds {
		for _, s := range there {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, o.rounds, s.name)
			figures, err := s.measure(ctx, o)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			seen.add(s.name, figures)
		}
	}
	return seen.write(os.Stdout, there)
}
