// Package servicetest is the contract of rota.Service in executable form. An implementation's test calls [Run]: the
// server in-process, and the API's client over HTTP.
//
// It asks the Service only: it submits as its users do and runs tasks as a node does, without processes.
package servicetest

import (
	"context"
	"testing"

	"github.com/rotaqueue/rota"
)

// Harness is one server to be tested, fresh and empty, with its background work running.
type Harness struct {
	// As is the Service as a principal reaches it from the server's own machine; the zero Principal is nobody. It is
	// given principals with names and roles of the tests' choice, and those that Authenticate returned. The context of
	// each call carries the principal as well (rota.WithPrincipal), so that in-process the server itself will do.
	As func(p rota.Principal) rota.Service
	// Authenticate says whose a bearer token is.
	Authenticate func(ctx context.Context, secret string) (rota.Principal, error)
}

// Run tests the Service that open makes. Each test gets one of its own, which is to be closed by t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for _, group := range []struct {
		name  string
		tests []contract
	}{
		{"submit", submitTests}, {"key", keyTests}, {"dependency", dependencyTests}, {"array", arrayTests},
		{"lines", linesTests}, {"attempt", attemptTests}, {"exchange", exchangeTests}, {"session", sessionTests}, {"lost", lostTests}, {"node", nodeTests}, {"look", lookTests}, {"joined", joinedTests},
		{"operate", operateTests}, {"query", queryTests}, {"output", outputTests}, {"wait", waitTests},
		{"permit", permitTests}, {"token", tokenTests}, {"jobtoken", jobTokenTests}, {"schedule", scheduleTests},
		{"status", statusTests}, {"failures", failureTests}, {"queue", queueTests}, {"why", whyTests}, {"samples", sampleTests}, {"blob", blobTests}, {"artifacts", artifactTests}, {"user", userTests}, {"audit", auditTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.tests {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.test(newWorld(t, open(t)))
				})
			}
		})
	}
}

// contract is one promise.
type contract struct {
	name string
	test func(*world)
}
