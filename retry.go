package rota

import (
	"math/rand/v2"
	"time"
)

// OnLost says what follows when an attempt was lost: its keeper or machine went away with it.
type OnLost string

const (
	LostRetry OnLost = "retry"
	LostFail  OnLost = "fail"
)

// Retry says how often, and when, a failed task is tried again.
type Retry struct {
	Count   *int     `json:"count,omitempty" doc:"further attempts after a failure of the job; default 3"`
	First   Duration `json:"first,omitempty" doc:"wait before the first of them, doubled for each next; default 10s"`
	Cap     Duration `json:"cap,omitempty" doc:"longest wait; default 1h"`
	Jitter  *float64 `json:"jitter,omitempty" doc:"by which part of itself a wait is longer or shorter, at random; default 0.2"`
	OnLost  OnLost   `json:"on_lost,omitempty" doc:"retry or fail; default retry"`
	MaxLost *int     `json:"max_lost,omitempty" doc:"lost attempts that are tried again; default 3"`
}

// What holds where neither job nor queue says otherwise.
const (
	DefaultRetries    = 3
	DefaultRetryFirst = Duration(10 * time.Second)
	DefaultRetryCap   = Duration(time.Hour)
	DefaultMaxLost    = 3
	RetryJitter       = 0.2 // of the wait, both ways
	MaxReturns        = 20  // give-backs of one task before it is held
	MaxCrashes        = 2   // crashes of one task after which it runs alone; the next one sets it aside
)

// Or fills what r leaves open from a default.
func (r *Retry) Or(d Retry) Retry {
	if r == nil {
		return d
	}
	out := *r
	if out.Count == nil {
		out.Count = d.Count
	}
	if out.First == 0 {
		out.First = d.First
	}
	if out.Cap == 0 {
		out.Cap = d.Cap
	}
	if out.Jitter == nil {
		out.Jitter = d.Jitter
	}
	if out.OnLost == "" {
		out.OnLost = d.OnLost
	}
	if out.MaxLost == nil {
		out.MaxLost = d.MaxLost
	}
	return out
}

// DefaultRetry is what holds where nobody says otherwise.
func DefaultRetry() Retry {
	count, lost, jitter := DefaultRetries, DefaultMaxLost, RetryJitter
	return Retry{Count: &count, First: DefaultRetryFirst, Cap: DefaultRetryCap, Jitter: &jitter, OnLost: LostRetry, MaxLost: &lost}
}

// Wait is how long to wait after the nth failure (from 1): First doubled n-1 times, at most Cap, plus or minus
// Jitter of itself by the random number in [0,1).
func (r Retry) Wait(n int, random float64) Duration {
	d := float64(r.First)
	for i := 1; i < n && d < float64(r.Cap); i++ {
		d *= 2
	}
	d = min(d, float64(r.Cap))
	jitter := RetryJitter
	if r.Jitter != nil {
		jitter = *r.Jitter
	}
	return Duration(d * (1 + jitter*(2*random-1)))
}

// WaitJittered is Wait with a random number of its own.
func (r Retry) WaitJittered(n int) Duration { return r.Wait(n, rand.Float64()) }
