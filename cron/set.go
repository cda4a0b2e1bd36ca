package cron

import "math/bits"

// set holds small numbers, 0 to 63, one bit each.
type set uint64

// progression is the set of from, from+step … up to at most to.
func progression(from, to, step int) set {
	var s set
	for n := from; n <= to; n += step {
		s |= 1 << n
	}
	return s
}

func (s set) has(n int) bool { return s>>n&1 == 1 }

func (s set) contains(other set) bool { return other&^s == 0 }

func (s set) len() int { return bits.OnesCount64(uint64(s)) }

func (s set) min() int { return bits.TrailingZeros64(uint64(s)) }

func (s set) max() int { return 63 - bits.LeadingZeros64(uint64(s)) }

// from is the smallest member that is at least n.
func (s set) from(n int) (int, bool) {
	rest := s >> n << n
	return rest.min(), rest != 0
}
