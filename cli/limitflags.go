package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rotaqueue/rota"
)

// noLimit takes back what a script, the job before or the queue says.
const noLimit = "none"

// optional is a flag whose value may be none.
type optional[T any] struct {
	value T
	none  T      // what none means; the zero value if nothing else is said
	text  string // as it was given
	kind  string
	parse func(string) (T, error)
}

func (o *optional[T]) Set(text string) error {
	v := o.none
	if text != noLimit {
		var err error
		if v, err = o.parse(text); err != nil {
			return err
		}
	}
	o.value, o.text = v, text
	return nil
}

func (o *optional[T]) Type() string { return o.kind }

func (o *optional[T]) String() string { return o.text }

// positive refuses 0, which would be read as nothing said.
func positive[T ~int | ~int64 | ~float64](parse func(string) (T, error)) func(string) (T, error) {
	return func(text string) (T, error) {
		v, err := parse(text)
		if err == nil && v <= 0 {
			err = rota.Invalid("no limit that can be kept; write %s where none is meant", noLimit)
		}
		return v, err
	}
}

func parseCount(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, rota.Invalid("not a number")
	}
	return n, nil
}

// limitFlags are the four limits as flags: of a job, as a queue's default, or as its maxima.
type limitFlags struct {
	mem    optional[rota.Size]
	cpus   optional[float64]
	pids   optional[int]
	nice   optional[int]
	prefix string
	fs     *pflag.FlagSet
}

// register defines the flags; abouts are for memory, CPUs, processes and niceness.
func (l *limitFlags) register(fs *pflag.FlagSet, prefix string, abouts [4]string) {
	l.fs, l.prefix = fs, prefix
	l.mem = optional[rota.Size]{kind: "size", parse: positive(rota.ParseSize)}
	l.cpus = optional[float64]{kind: "CPUs", parse: positive(rota.ParseCPUs)}
	l.pids = optional[int]{kind: "processes", parse: positive(parseCount)}
	l.nice = optional[int]{kind: "niceness", parse: rota.ParseNice}
	fs.Var(&l.mem, prefix+"mem", abouts[0])
	fs.Var(&l.cpus, prefix+"cpus", abouts[1])
	fs.Var(&l.pids, prefix+"pids", abouts[2])
	fs.Var(&l.nice, prefix+"nice", abouts[3])
}

func (l *limitFlags) changed(name string) bool { return l.fs.Lookup(l.prefix + name).Changed }

// apply writes the flags that were given into limits.
func (l *limitFlags) apply(to *rota.Limits) {
	if l.changed("mem") {
		to.Memory = int64(l.mem.value)
	}
	if l.changed("cpus") {
		to.CPUs = l.cpus.value
	}
	if l.changed("pids") {
		to.PIDs = l.pids.value
	}
	if l.changed("nice") {
		to.Nice = l.nice.value
	}
}

// change is what the flags that were given change.
func (l *limitFlags) change() (c rota.LimitsChange) {
	if l.changed("mem") {
		n := int64(l.mem.value)
		c.Memory = &n
	}
	if l.changed("cpus") {
		c.CPUs = &l.cpus.value
	}
	if l.changed("pids") {
		c.PIDs = &l.pids.value
	}
	if l.changed("nice") {
		c.Nice = &l.nice.value
	}
	return c
}

func (f *specFlags) applyLimits(spec *rota.Spec, _ caller) (err error) {
	f.limits.apply(&spec.Limits)
	if !f.changed("on-store-loss") {
		return nil
	}
	spec.OnStoreLoss, err = rota.ParseOnStoreLoss(f.onStoreLoss)
	return err
}

// limitsText is limits in words.
func limitsText(l rota.Limits) string {
	parts := limitParts(l.Memory, l.CPUs, l.PIDs)
	if l.Nice != 0 {
		parts = append(parts, "nice "+strconv.Itoa(l.Nice))
	}
	return strings.Join(parts, ", ")
}

// maximaText is maxima in words.
func maximaText(m rota.Maxima) string {
	parts := limitParts(m.Memory, m.CPUs, m.PIDs)
	if m.Nice != nil {
		parts = append(parts, "nice no lower than "+strconv.Itoa(*m.Nice))
	}
	return strings.Join(parts, ", ")
}

func limitParts(mem int64, cpus float64, pids int) (parts []string) {
	if mem != 0 {
		parts = append(parts, "mem "+sizeText(mem))
	}
	switch cpus {
	case 0:
	case 1:
		parts = append(parts, "1 CPU")
	default:
		parts = append(parts, strconv.FormatFloat(cpus, 'f', -1, 64)+" CPUs")
	}
	switch pids {
	case 0:
	case 1:
		parts = append(parts, "1 process")
	default:
		parts = append(parts, number(pids)+" processes")
	}
	return parts
}

// sizeText is a size that somebody chose: exact where it is a round one.
func sizeText(n int64) string {
	if n%(1<<20) != 0 {
		return bytesText(n)
	}
	text := rota.Size(n).String()
	return text[:len(text)-3] + " " + text[len(text)-3:]
}
