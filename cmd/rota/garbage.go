package main

import "runtime"

// headroom is how much more garbage a node may make before it is collected. What a node keeps is a few megabytes; with as
// much garbage again it would be collected thirty times a second when tasks are many, at a sixth of the processor time.
const headroom = 16 << 20

// leaveHeadroom lets the collector wait for more garbage, until the function that it returns is called: it goes by the
// size of what is in use, and so counts memory that nobody ever touches, and that is never there.
func leaveHeadroom() (end func()) {
	untouched := make([]byte, headroom)
	return func() { runtime.KeepAlive(untouched) }
}
