package crash

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/rotaqueue/rota"
)

// edges are the sizes at which the keeping of output changes its way.
var edges = []int{0, 1, rota.InlineOutput, rota.InlineOutput + 1, rota.OutputCap - 1, rota.OutputCap, rota.OutputCap + 1, 200 << 10}

// Text is what an attempt writes to a stream: up to a number of bytes of any value, always the same. Some are as long
// as is awkward.
func Text(t rota.Try, s rota.Stream, most int) []byte {
	r := Random(t, string(s))
	size := r.IntN(most + 1)
	if r.IntN(3) == 0 {
		size = min(most, edges[r.IntN(len(edges))])
	}
	b := make([]byte, size+8)
	for i := 0; i < size; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], r.Uint64())
	}
	return b[:size]
}

// Fill writes what stands at a place of a text without an end, of bytes of any value and without lines.
func Fill(to []byte, at int64) {
	const block = 64 << 10
	var part [block]byte
	for len(to) > 0 {
		number := at / block
		r := rand.New(rand.NewPCG(uint64(number), 1))
		for i := 0; i < block; i += 8 {
			binary.LittleEndian.PutUint64(part[i:], r.Uint64())
		}
		n := copy(to, part[at%block:])
		to, at = to[n:], at+int64(n)
	}
}

// Random decides something of an attempt, always in the same way.
func Random(t rota.Try, what string) *rand.Rand {
	seed := uint64(t.Attempt)
	for i := range len(what) {
		seed = seed*31 + uint64(what[i])
	}
	return rand.New(rand.NewPCG(uint64(t.Task), seed))
}
