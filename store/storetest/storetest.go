// Package storetest is the contract of rota.Store in executable form. An engine passes its tests or is no store; a
// rule of the protocol that a test guards stands in the test's name (P3, P15…).
//
// The package touches nothing but the store it is given and the clock it gives to it. It also has Faulty, a store
// that fails or loses replies on demand, for the tests of those who use one.
package storetest

import (
	"testing"

	"github.com/rotaqueue/rota"
)

// Opener opens the store that lives in a folder, and makes it when there is none. It is called again with the same
// folder after the store was closed, and then finds what was stored. The store's clock is to be clock.Now. Opener
// ends the test when it cannot open; the suite closes what it opened.
type Opener func(t *testing.T, dir string, clock *Clock) rota.Store

// Run holds a store to the contract. Each test has a store of its own.
func Run(t *testing.T, open Opener) {
	for _, area := range []struct {
		name  string
		tests func(suite)
	}{
		{"submit", testSubmit},
		{"keys", testKeys},
		{"arrays", testArrays},
		{"parts", testParts},
		{"jobs", testJobs},
		{"tasks", testTasks},
		{"claim", testClaim},
		{"seq", testSeq},
		{"finish", testFinish},
		{"budget", testBudget},
		{"fate", testFate},
		{"cancel", testCancel},
		{"home", testHome},
		{"gate", testGate},
		{"sharing", testSharing},
		{"eligible", testEligible},
		{"dependents", testDependents},
		{"operate", testOperate},
		{"operate_many", testOperateMany},
		{"edit", testEdit},
		{"repeat", testRepeat},
		{"failures", testFailures},
		{"remove", testRemove},
		{"rescue", testRescue},
		{"lose", testLose},
		{"promote", testPromote},
		{"prune", testPrune},
		{"output", testOutput},
		{"artifacts", testArtifacts},
		{"look", testLook},
		{"samples", testSamples},
		{"schedules", testSchedules},
		{"tokens", testTokens},
		{"outbox", testOutbox},
		{"secrets", testSecrets},
		{"blobs", testBlobs},
		{"users", testUsers},
		{"queues", testQueues},
		{"nodes", testNodes},
		{"pause", testPause},
		{"identity", testIdentity},
		{"refusals", testRefusals},
		{"history", testHistory},
	} {
		t.Run(area.name, func(t *testing.T) { area.tests(suite{t, open}) })
	}
}

// suite runs the tests of one area.
type suite struct {
	t    *testing.T
	open Opener
}

func (s suite) test(name string, f func(t *testing.T, w *world)) {
	s.t.Run(name, func(t *testing.T) { f(t, newWorld(t, s.open)) })
}

// times is how often a race is run: at most a hundred times, unless Soak says more, and fewer with -short.
func times(n int) int {
	switch {
	case Soak:
		return n
	case testing.Short():
		return n / 10
	}
	return min(n, 100)
}

// Soak has races run as often as they are written. Whoever runs the contract sets it before (ROTA_SOAK=1).
var Soak bool
