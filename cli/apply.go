package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) applyCommand() *cobra.Command {
	var file string
	var diff, prune, yes bool
	cmd := &cobra.Command{
		Use:   "apply [flags] -f FILE",
		Short: "Make queues as a file has them",
		Long: `Reads queues and their settings from a TOML file, and makes them so: [queue.NAME] with the names that "rota queue show -o json" has.
A setting that is not in the file is taken away; queues that are not in it are left alone, or removed with --prune, which leaves
default, those of nodes, and those in which something has not ended. Applying a file twice changes nothing.`,
		Example: examples("rota apply -f queues.toml --diff", "rota apply -f queues.toml --prune"),
		Args:    exactly(),
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "`file` to read, - for standard input")
	cmd.Flags().BoolVar(&diff, "diff", false, "only say what would change, and end with 1 if something would")
	cmd.Flags().BoolVar(&prune, "prune", false, "remove queues that are not in the file")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask before queues are removed")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if file == "" {
			return rota.Invalid("no file is named").WithFix("rota apply -f FILE")
		}
		wanted, err := a.readQueues(file)
		if err != nil {
			return err
		}
		w := wantWrite
		if diff {
			w = wantRead
		}
		c, err := a.connect(cmd, w)
		if err != nil {
			return err
		}
		defer c.Close()
		return a.apply(cmd.Context(), c, wanted, prune, diff, yes)
	}
	return cmd
}

// readQueues reads the queues of a file: each is what the API has of a queue, without its name.
func (a *app) readQueues(file string) (map[string]rota.Queue, error) {
	var text []byte
	var err error
	if file == ownStdin {
		text, err = io.ReadAll(a.in)
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, fileError(file, err)
	}
	var doc map[string]any
	if _, err := toml.Decode(string(text), &doc); err != nil {
		return nil, rota.Invalid("%s: %v", file, err)
	}
	for key := range doc {
		if key != "queue" {
			return nil, rota.Invalid("%s: [%s]: this version knows [queue.NAME] only", file, key)
		}
	}
	tables, _ := doc["queue"].(map[string]any)
	queues := map[string]rota.Queue{}
	for name, table := range tables {
		if err := rota.CheckQueueName(name); err != nil {
			return nil, rota.Invalid("%s: %v", file, err)
		}
		q := rota.Queue{QueueSettings: rota.QueueSettings{Discipline: "priority"}}
		text, err := json.Marshal(table)
		if err != nil {
			return nil, rota.Invalid("%s: queue %s: %v", file, name, err)
		}
		d := json.NewDecoder(strings.NewReader(string(text)))
		d.DisallowUnknownFields()
		if err := d.Decode(&q); err != nil {
			return nil, rota.Invalid("%s: queue %s: %s", file, name, strings.TrimPrefix(err.Error(), "json: "))
		}
		if q.Name != "" || q.Counts != nil {
			return nil, rota.Invalid("%s: queue %s: name and counts are no settings", file, name)
		}
		if err := q.QueueSettings.Check(); err != nil {
			return nil, rota.Invalid("%s: queue %s: %v", file, name, err)
		}
		q.Name = name
		queues[name] = q
	}
	return queues, nil
}

func (a *app) apply(ctx context.Context, c *conn, wanted map[string]rota.Queue, prune, diff, yes bool) error {
	all, err := c.Queues(ctx)
	if err != nil {
		return err
	}
	changed := 0
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		is := rota.Queue{QueueSettings: rota.QueueSettings{Discipline: "priority"}}
		old := queueNamed(all, name)
		if old != nil {
			is = *old
		}
		want := wanted[name]
		lines := differences(&is, &want)
		if old != nil && len(lines) == 0 {
			continue
		}
		changed++
		if _, err := io.WriteString(a.out, "queue "+name+map[bool]string{true: " (new)"}[old == nil]+"\n"+strings.Join(lines, "")); err != nil {
			return err
		}
		if diff {
			continue
		}
		if _, err := c.ChangeQueue(ctx, name, changeTo(&is, &want)); err != nil {
			return err
		}
	}
	if prune {
		n, err := a.pruneQueues(ctx, c, all, wanted, diff, yes)
		if err != nil {
			return err
		}
		changed += n
	}
	switch {
	case changed == 0:
		a.note("rota: nothing to change")
	case diff:
		return &exit{code: 1}
	}
	return nil
}

// pruneQueues removes queues that are not in the file.
func (a *app) pruneQueues(ctx context.Context, c *conn, all []rota.Queue, wanted map[string]rota.Queue, diff, yes bool) (int, error) {
	var gone []string
	for i := range all {
		name := all[i].Name
		if _, named := wanted[name]; named || name == rota.DefaultQueue || name[0] == '@' {
			continue
		}
		if n := unended(&all[i]); n > 0 {
			a.note("rota: queue %s stays: %s of it %s not ended", name, plural(n, "task"), map[bool]string{true: "has", false: "have"}[n == 1])
			continue
		}
		gone = append(gone, name)
	}
	if len(gone) > 0 && !diff && !yes {
		return 0, rota.Invalid("%s would be removed: %s", plural(len(gone), "queue"), strings.Join(gone, ", ")).WithFix("say --yes if that is meant, or look first with --diff")
	}
	for _, name := range gone {
		if _, err := io.WriteString(a.out, "queue "+name+" (removed)\n"); err != nil {
			return 0, err
		}
		if diff {
			continue
		}
		if err := c.DropQueue(ctx, name); err != nil {
			return 0, err
		}
	}
	return len(gone), nil
}

func unended(q *rota.Queue) (n int) {
	for state, count := range q.Counts {
		if !state.Ended() {
			n += count
		}
	}
	return n
}

// settingsOf are a queue's settings by name, as JSON has them.
func settingsOf(q *rota.Queue) map[string]any {
	out := map[string]any{}
	plain := *q
	plain.Name, plain.Counts = "", nil
	if text, err := json.Marshal(&plain); err == nil {
		_ = json.Unmarshal(text, &out)
	}
	delete(out, "name")
	delete(out, "counts")
	return out
}

// differences are the settings that differ, a line each.
func differences(is, want *rota.Queue) (lines []string) {
	old, now := settingsOf(is), settingsOf(want)
	keys := map[string]bool{}
	for k := range old {
		keys[k] = true
	}
	for k := range now {
		keys[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if reflect.DeepEqual(old[k], now[k]) {
			continue
		}
		lines = append(lines, fmt.Sprintf("  %s: %s -> %s\n", k, settingText(old[k]), settingText(now[k])))
	}
	return lines
}

func settingText(v any) string {
	if v == nil {
		return "none"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return clean(string(text))
}
