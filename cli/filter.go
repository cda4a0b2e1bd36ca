package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

// filterFlags select jobs and tasks by what they are.
type filterFlags struct {
	states []string
	queue  string
	name   string
	user   string
	labels []string
	error  string
}

func (f *filterFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringSliceVar(&f.states, "state", nil, "in this `state`; several with commas")
	fs.StringVar(&f.queue, "queue", "", "in this `queue`")
	fs.StringVar(&f.name, "name", "", "with a name like this `pattern` of * and ?")
	fs.StringVar(&f.user, "user", "", "submitted by this `user`")
	fs.StringVar(&f.error, "error", "", "failed with the error of this `id`, as rota failed has it")
	fs.StringArrayVar(&f.labels, "label", nil, "with this label, `K=V`; repeatable")
	_ = cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(stateNames(), cobra.ShellCompDirectiveNoFileComp))
}

func stateNames() []string {
	names := make([]string, len(rota.States))
	for i, s := range rota.States {
		names[i] = s.String()
	}
	return names
}

// given reports whether any of the flags was.
func (f *filterFlags) given() bool {
	return len(f.states) > 0 || f.queue != "" || f.name != "" || f.user != "" || f.error != "" || len(f.labels) > 0
}

// add narrows a filter by the flags.
func (f *filterFlags) add(to *rota.Filter) error {
	for _, name := range f.states {
		s, err := rota.ParseState(name)
		if err != nil {
			return oneOf("--state", name, stateNames()...)
		}
		to.States = append(to.States, s)
	}
	if f.name != "" {
		if to.Name != "" {
			return rota.Invalid("--name %q: the arguments name a pattern already", f.name)
		}
		to.Name = f.name
	}
	if f.queue != "" {
		if err := rota.CheckQueueName(f.queue); err != nil {
			return err
		}
		to.Queue = f.queue
	}
	if f.user != "" {
		to.Submitter = f.user
	}
	to.Error = f.error
	labels, err := parseLabels(f.labels)
	if len(labels) > 0 {
		to.Labels = labels
	}
	return err
}

func parseLabels(texts []string) (map[string]string, error) {
	labels := map[string]string{}
	for _, text := range texts {
		k, v, ok := strings.Cut(text, "=")
		if !ok || k == "" {
			return nil, rota.Invalid("--label %q: write KEY=VALUE", text)
		}
		labels[k] = v
	}
	return labels, nil
}
