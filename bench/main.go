// Command bench measures Rota beside its peers on one machine, in turns within one run, and prints ratios: absolute
// figures of one machine say little about another's.
//
// It is a module of its own, so that no peer's client becomes a dependency of Rota. The peers' servers come from the
// system's packages (see the Makefile); one that is not there is named as left out.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"text/tabwriter"
)

// figure is one measured value, as rota bench -o json writes it.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

func main() {
	rota := flag.String("rota", "./rota", "the binary to measure")
	n := flag.Int("n", 30_000, "jobs of each peer's measurement")
	rounds := flag.Int("rounds", 3, "turns of Rota and its peers")
	flag.Parse()
	if err := run(context.Background(), *rota, *n, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures in turns and prints each peer's figures beside Rota's of the same rounds.
func run(ctx context.Context, rota string, n, rounds int) error {
	sums := map[string]float64{}
	var order []string
	add := func(name string, v float64) {
		if _, known := sums[name]; !known {
			order = append(order, name)
		}
		sums[name] += v / float64(rounds)
	}
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, rounds)
		figures, err := ours(ctx, rota)
		if err != nil {
			return err
		}
		for _, f := range figures {
			if f.Unit == "/s" {
				add("rota: "+f.Name, f.Value)
			}
		}
		for _, p := range peers {
			if _, err := exec.LookPath(p.program); err != nil {
				fmt.Fprintf(os.Stderr, "%s is not installed: left out\n", p.program)
				continue
			}
			got, err := p.measure(ctx, n)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			for _, f := range got {
				add(p.name+": "+f.Name, f.Value)
			}
		}
	}
	return table(sums, order)
}

// ours is what Rota measures of itself.
func ours(ctx context.Context, rota string) ([]figure, error) {
	cmd := exec.CommandContext(ctx, rota, "bench", "-o", "json", "commands", "noop", "submit")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	var figures []figure
	return figures, json.Unmarshal(out, &figures)
}

// pairs are which figures are of one kind.
var pairs = []struct{ what, rota, peer string }{
	{"a job's whole life, no work in it", "no-op, single jobs", "no-op"},
	{"submit, 64 callers", "submit, 64 callers over the socket", "submit, 64 callers"},
}

func table(sums map[string]float64, order []string) error {
	tw := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "MEASURED\tPER SECOND (mean)")
	for _, name := range order {
		fmt.Fprintf(tw, "%s\t%.0f\n", name, sums[name])
	}
	fmt.Fprintln(tw, "\t")
	fmt.Fprintln(tw, "RATIO\tROTA BY PEER")
	for _, pair := range pairs {
		for _, p := range peers {
			if v := sums[p.name+": "+pair.peer]; v > 0 {
				fmt.Fprintf(tw, "%s, beside %s\t%.2f\n", pair.what, p.name, sums["rota: "+pair.rota]/v)
			}
		}
	}
	return tw.Flush()
}
