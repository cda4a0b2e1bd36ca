package main

import (
	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/config"
)

// cronjobOptions is how the door for cron jobs is served, nil if it is not.
func (d *daemon) cronjobOptions() *api.Cronjob {
	c := d.conf.Cronjob
	if d.opts.Transient || c.Listen == config.NoListen {
		return nil
	}
	o := &api.Cronjob{Beside: c.Listen == config.MainListen, Trust: c.Trust}
	if w, ok := d.source.(*whole); ok {
		o.As = w.server.AsUser
	}
	return o
}

// openCronjob opens the address of the door for cron jobs, if it has one of its own.
func (d *daemon) openCronjob() error {
	o := d.cronjobOptions()
	w, ok := d.source.(*whole)
	if o == nil || o.Beside || !ok {
		return nil
	}
	at := d.conf
	at.Listen = at.Cronjob.Listen
	door, err := openTCP(at, d.folder)
	if err != nil {
		return err
	}
	d.cronjobTCP = &door
	d.cronjob = api.NewCronjob(w.server, api.Options{Log: d.log, Hosts: names(d.conf), Authenticate: w.server.Authenticate, Cronjob: o})
	return nil
}
