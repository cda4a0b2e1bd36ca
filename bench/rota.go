package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// rotaEmbedded is Rota with the store in its data folder.
func rotaEmbedded(ctx context.Context, o options) ([]figure, error) {
	return measureRota(ctx, o, nil, nil)
}

// rotaShared is Rota with its store on a PostgreSQL server of its own.
func rotaShared(ctx context.Context, o options) ([]figure, error) {
	db, err := startPostgres(ctx)
	if err != nil {
		return nil, err
	}
	defer db.end()
	return measureRota(ctx, o, []string{"--store", db.url("")}, []string{"PGPASSWORD=" + db.password})
}

// measureRota has Rota measure itself, with few slots where its tasks are processes and with many where they are nothing.
func measureRota(ctx context.Context, o options, args, env []string) ([]figure, error) {
	processes, err := askRota(ctx, o, env, append(args, "commands", "submit", "start"))
	if err != nil {
		return nil, err
	}
	nothing, err := askRota(ctx, o, env, append(args, "--slots", fmt.Sprint(o.slots), "waiting", "noop"))
	return append(processes, nothing...), err
}

func askRota(ctx context.Context, o options, env, args []string) ([]figure, error) {
	args = append([]string{"bench", "-o", "json"}, args...)
	if o.quick {
		args = append(args, "--quick")
	}
	cmd := exec.CommandContext(ctx, o.rota, args...)
	cmd.Env = append(os.Environ(), env...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", cmd, err, &said)
	}
	var all []struct {
		Name         string
		Value, Limit float64
	}
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	var figures []figure
	for _, f := range all {
		switch {
		case f.Name == "commands: /bin/true":
			figures = append(figures, figure{commands, f.Value}, figure{spawns, f.Limit})
		case f.Name == "submit, 64 callers over the socket":
			figures = append(figures, figure{submits, f.Value})
		case f.Name == "submit to start, idle node, p50":
			figures = append(figures, figure{startP50, f.Value})
		case f.Name == "submit to start, idle node, p99":
			figures = append(figures, figure{startP99, f.Value})
		case strings.HasSuffix(f.Name, " waiting"):
			figures = append(figures, figure{waiting, f.Value})
		case strings.HasSuffix(f.Name, " waiting, 8 nodes"):
			figures = append(figures, figure{eightNodes, f.Value})
		case f.Name == "no-op, single jobs":
			figures = append(figures, figure{lives, f.Value})
		}
	}
	return figures, nil
}
