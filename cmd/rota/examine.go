package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/cli"
	"github.com/rotaqueue/rota/config"
	"github.com/rotaqueue/rota/doctor"
	"github.com/rotaqueue/rota/measure"
)

// examine is what the doctor finds.
func examine(ctx context.Context, c config.Config) []cli.Check {
	socket, err := api.SocketPath(c.Data)
	if err != nil {
		socket = "" // the folder is missing or cannot be used: the doctor says so
	}
	place := doctor.Place{Data: c.Data, Socket: socket, Listen: c.Listen, Slots: c.Slots.Count(), Certificate: c.TLS.Cert}
	own := filepath.Join(c.Data, ownCertificate)
	_, missing := os.Stat(own)
	if place.OwnCertificate = c.OwnCertificate() || c.TLS.Cert == "" && missing == nil; place.OwnCertificate {
		place.Certificate = own // which a flag of rota up may have asked for
	}
	if place.Servers = serversOf(c); place.Servers != nil {
		place.Listen = config.NoListen
	}
	var checks []cli.Check
	for _, f := range doctor.Examine(ctx, place) {
		checks = append(checks, cli.Check{Name: f.Name, Level: cli.Level(f.Level), Text: f.Text, Fix: f.Fix})
	}
	return checks
}

// serversOf are those that the node of a data folder works for.
func serversOf(c config.Config) (all []doctor.Server) {
	j, _, _ := joiningOf(c.Data) // a file that cannot be read is told of by whatever else is tried
	for _, address := range append(j.Servers, j.Told...) {
		all = append(all, doctor.Server{Address: address, Ask: func(ctx context.Context) error {
			server, err := api.Connect(address, "")
			if err != nil {
				return err
			}
			defer server.Close()
			return server.Alive(ctx)
		}})
	}
	return all
}

// benchmark measures this machine; progress goes to stderr.
func benchmark(ctx context.Context, o cli.BenchOptions, w io.Writer) error {
	defer leaveHeadroom()() // as a node does
	self, err := ownProgram()
	if err != nil {
		return err
	}
	inJar := func(ctx context.Context, home string) *exec.Cmd {
		return exec.CommandContext(ctx, self, "jar", "worker", "--foreground", "--jar", home)
	}
	figures, err := measure.Run(ctx, measure.Options{Only: o.Only, Store: o.Store, Slots: o.Slots, Quick: o.Quick, Keeper: startKeeper, JarWorker: inJar}, os.Stderr)
	if err != nil {
		return err
	}
	if o.JSON {
		return measure.WriteJSON(w, figures)
	}
	return measure.WriteTable(w, figures)
}
