package rota

import "time"

// Look is somebody's wish to see a piece of the output of a running attempt, at a server that is not its node's. It goes
// to the node through the store, and so does the answer: nodes need not reach each other (P29).
type Look struct {
	Try
	Stream Stream `json:"stream"`
	Offset int64  `json:"offset" doc:"negative: that many bytes before the end"`
	Max    int    `json:"max" doc:"bytes at most"`
	Number int64  `json:"number" doc:"of the wish: each of them has a greater one than those before"`
}

const (
	// LookFor is how long a look holds; who still waits asks again before.
	LookFor = 10 * time.Second
	// MaxLooks is how many different places may be looked at in what one session runs; MaxLooked is how much an answer has.
	MaxLooks  = 64
	MaxLooked = 128 << 10
)
