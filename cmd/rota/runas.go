package main

import (
	"os"
	"runtime"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/config"
	"github.com/rotaqueue/rota/node"
)

// runAs says as whom the jobs of a node run: those of one of root's as others (P28), of any other as itself. One that is
// transient is its user's own, who alone submits to it.
func runAs(c config.Config, transient bool) node.RunAs {
	as := node.RunAs{Able: runtime.GOOS == "linux" && os.Geteuid() == 0 && !transient}
	as.Rules, _ = rota.ParseRunAs(c.Run.As) // the settings were checked
	as.First, as.Count, _ = c.Run.Range()
	return as
}
