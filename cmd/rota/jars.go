package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/jar"
	"github.com/rotaqueue/rota/jar/serve"
)

// serveJars serves the node's jars until ctx ends. Its name in them is the node's.
func (d *daemon) serveJars(ctx context.Context, work *sync.WaitGroup) error {
	own, has := d.source.(*whole)
	if d.opts.Transient || !has {
		return nil
	}
	slots := &serve.Slots{Room: d.room}
	for _, home := range d.conf.Jars {
		given := map[string]string{"JJ_HOME": home, "JJ_NODE": d.conf.Name}
		user, _ := os.UserHomeDir()
		set, err := jar.Sources{Given: given, Getenv: os.Getenv, ReadFile: os.ReadFile, UserHome: user, Hostname: d.conf.Name}.Load()
		if err == nil {
			err = set.Check()
		}
		if err != nil {
			return err
		}
		warnIfOpen(set.Jar, d.log)
		o := serve.Options{Settings: set, Holder: d.mark(), Service: own.server, Node: d.conf.Name, Env: set.Inherited(os.Getenv),
			Slots: slots, Text: d.text, Log: d.log}
		work.Go(func() {
			if err := serve.Run(ctx, o); err != nil {
				d.report(err)
			}
		})
	}
	return nil
}

// mark tells what this node holds in a jar from what others hold, over all its lives, and gives its key away to nobody.
func (d *daemon) mark() string {
	sum := sha256.Sum256([]byte("jars of " + d.key))
	return hex.EncodeToString(sum[:8])
}

// room is how many slots are free when these jobs come.
func (d *daemon) room(ctx context.Context, coming []rota.JobID) int {
	return d.sessions.list()[0].node.Room(ctx, coming)
}

// text is the file of an ended attempt's whole output, for as long as the node keeps it.
func (d *daemon) text(try rota.Try, s rota.Stream) string {
	return filepath.Join(d.sessions.work, "output", strconv.FormatInt(int64(try.Task), 10)+"."+strconv.Itoa(try.Attempt)+"."+string(s))
}
