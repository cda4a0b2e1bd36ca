package cron

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// seedOf is what H in a field of a schedule of that name is made of: the same everywhere and for ever, and other in each
// field.
func seedOf(name, field string) *uint64 {
	h := fnv.New64a()
	h.Write([]byte(field))
	h.Write([]byte{0})
	h.Write([]byte(name))
	n := h.Sum64() // whose low bits alone are not spread well enough
	n ^= n >> 33
	n *= 0xff51afd7ed558ccd
	n ^= n >> 33
	return &n
}

// parseHash reads what follows an H: nothing or (a-b), and perhaps a step. H is one number out of its range; with a step
// it is where in the first step the numbers begin.
func (f field) parseHash(rest string, step int, stepped bool) (set, error) {
	low, high := f.low, f.high
	if f.hashHigh > 0 && !stepped {
		high = f.hashHigh
	}
	if rest != "" {
		inner, closed := strings.CutSuffix(rest, ")")
		inner, opened := strings.CutPrefix(inner, "(")
		first, last, ranged := strings.Cut(inner, "-")
		if !closed || !opened || !ranged {
			return 0, fmt.Errorf("not understood; allowed: H, H/n, H(a-b), H(a-b)/n")
		}
		var err error
		if low, err = f.parseNumber(first); err != nil {
			return 0, err
		}
		if high, err = f.parseNumber(last); err != nil {
			return 0, err
		}
		if high < low {
			return 0, fmt.Errorf("the range runs backwards")
		}
	}
	if f.seed == nil {
		return 0, fmt.Errorf("there is no name of a schedule here, of which H is made")
	}
	size := uint64(high - low + 1)
	if !stepped {
		return f.fold(1 << (low + int(*f.seed%size))), nil
	}
	return f.fold(progression(low+int(*f.seed%min(uint64(step), size)), high, step)), nil
}
