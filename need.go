package rota

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Resources are amounts of what a node has and tasks need while they run, by name. Memory is in bytes, all else in
// units of its own.
type Resources map[string]float64

// The resources that a node finds by itself. Others are of the names that somebody gives them.
const (
	ResourceCPUs   = "cpus"
	ResourceMemory = "mem"
	ResourceGPUs   = "gpu"
)

// MaxResources is how many resources a job may need, and a node offer.
const MaxResources = 32

var resourceName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9._-]{0,62}$`)

// ParseResource reads NAME=AMOUNT; NAME alone is 1 of it.
func ParseResource(text string) (name string, amount float64, err error) {
	name, value, given := strings.Cut(text, "=")
	switch {
	case !resourceName.MatchString(name):
		return "", 0, Invalid("resource %q: write NAME=AMOUNT, such as gpu=2 or mem=8G", text)
	case !given:
		return name, 1, nil
	case name == ResourceMemory:
		n, err := ParseSize(value)
		return name, float64(n), err
	}
	if amount, err = strconv.ParseFloat(value, 64); err != nil || !isAmount(amount) {
		return "", 0, Invalid("resource %s: the amount %q is no number such as 2 or 0.5", name, value)
	}
	return name, amount, nil
}

func isAmount(n float64) bool { return n >= 0 && n <= 1<<52 && !math.IsNaN(n) }

// CheckResources refuses what cannot be needed or offered.
func CheckResources(what string, r Resources) error {
	if len(r) > MaxResources {
		return tooLarge(what, len(r), MaxResources, "resources")
	}
	for name, n := range r {
		if !resourceName.MatchString(name) {
			return Invalid("%s %q: a name has up to 63 letters, digits, '.', '_' and '-', and begins with a letter", what, name)
		}
		if !isAmount(n) {
			return Invalid("%s %s: %v is not an amount", what, name, n)
		}
	}
	return nil
}

// String is the resources in the order of their names, as a job says what it needs: cpus=0.5,gpu=2. The text of equal
// resources is equal.
func (r Resources) String() string {
	var b strings.Builder
	for i, name := range slices.Sorted(maps.Keys(r)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(name + "=" + Amount(name, r[name]))
	}
	return b.String()
}

// Amount is an amount of a resource as it is written.
func Amount(name string, n float64) string {
	if name == ResourceMemory && n == math.Trunc(n) {
		return Size(int64(n)).String()
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// ParseResources reads the resources that a text names, separated by commas.
func ParseResources(text string) (Resources, error) {
	if text == "" {
		return nil, nil
	}
	r := Resources{}
	for part := range strings.SplitSeq(text, ",") {
		name, n, err := ParseResource(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		r[name] = n
	}
	return r, nil
}

// least is what amounts may differ by without meaning anything: sums of parts are not exact.
const least = 1e-9

// Times is how often r fits into what is free, at most most times.
func (r Resources) Times(free Resources, most int) int {
	for name, n := range r {
		if n <= 0 {
			continue
		}
		fits := (free[name] + least) / n
		if fits < float64(most) {
			most = max(0, int(fits))
		}
	}
	return most
}

// Less is the resources less n times others.
func (r Resources) Less(others Resources, n int) Resources {
	if len(others) == 0 || n == 0 {
		return r
	}
	left := maps.Clone(r)
	if left == nil {
		left = Resources{}
	}
	for name, amount := range others {
		left[name] -= amount * float64(n)
	}
	return left
}
