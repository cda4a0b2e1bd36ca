package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/join"
	"github.com/rotaqueue/rota/node"
)

// joinedFile, in the data folder of a node without a store, says where its work comes from.
const joinedFile = "joined"

// joining is what a folder remembers of that: for what happens to it without the node, and for a start at which the
// server that is named does not answer. The token is not in it.
type joining struct {
	Name      string   `json:"name"`
	Servers   []string `json:"servers"`        // as they were named
	Told      []string `json:"told,omitempty"` // of which these have told
	TokenFile string   `json:"token_file"`
}

// joiningOf is what a folder remembers; false: its node has a store, or there never was one.
func joiningOf(data string) (j joining, is bool, err error) {
	text, err := os.ReadFile(filepath.Join(data, joinedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return j, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &j)
	}
	if err == nil && len(j.Servers) == 0 {
		err = errors.New("it names no server")
	}
	if err != nil {
		return j, true, rota.Errorf(rota.ErrUnavailable, "%s: %v", filepath.Join(data, joinedFile), plain(err)).
			WithFix("remove it, then rota up --join ADDRESS --token-file FILE")
	}
	return j, true, nil
}

func (f *folder) keepJoining(j joining) error {
	text, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return err
	}
	next := f.file(joinedFile + ".new")
	if err := os.WriteFile(next, append(text, '\n'), 0o600); err != nil {
		return unusable(f.path, err)
	}
	return os.Rename(next, f.file(joinedFile))
}

// refuseJoined refuses a folder whose node had no store: what its keepers still run is others' to have.
func (f *folder) refuseJoined() error {
	j, is, err := joiningOf(f.path)
	if is && err == nil {
		err = rota.Errorf(rota.ErrConflict, "data folder %s: it is that of a node that joined %s", f.path, j.Servers[0]).
			WithFix("rota up --join %s --token-file %s, or choose another folder with --data DIR", quoted(j.Servers[0]), j.TokenFile)
	}
	return err
}

// refuseStore refuses a folder that has a store: its jobs would wait for ever.
func (f *folder) refuseStore() error {
	if _, err := os.Stat(f.file(storeFile)); err != nil {
		return nil
	}
	return rota.Errorf(rota.ErrConflict, "data folder %s: it has a store of its own, with jobs of its own", f.path).
		WithFix("choose another folder for a node that joins others: --data DIR")
}

// noStoreHere is why nothing can be asked of the folder of a joined node that does not run.
func noStoreHere(data string) error {
	j, is, err := joiningOf(data)
	if !is || err != nil {
		return err
	}
	return rota.Errorf(rota.ErrUnavailable, "data folder %s: its node has no store, it joined %s, and does not run", data, j.Servers[0]).
		WithFix("%s", askThere(j.Servers[0]))
}

// askThere says how people ask the servers of a joined node: in their own name.
func askThere(address string) string {
	return "ask there with a token of your own: --server " + quoted(address) + " --token-file FILE; an admin makes one: rota token create NAME --role operator"
}

// quoted is an address as a shell takes it.
func quoted(address string) string {
	if strings.Contains(address, "#") {
		return "'" + address + "'"
	}
	return address
}

// joined are servers elsewhere, for a node without a store.
type joined struct {
	d       *daemon
	servers *join.Servers
}

func (j *joined) open(context.Context) error {
	j.d.onStoreLoss = rota.StoreLossKill // others can take what it runs
	if err := j.d.folder.refuseStore(); err != nil {
		return err
	}
	before, _, err := joiningOf(j.d.folder.path)
	if err != nil {
		return err
	}
	token, err := j.d.conf.Token()
	if err != nil {
		return err
	}
	now := joining{Name: j.d.conf.Name, Servers: j.d.conf.Join, Told: before.Told, TokenFile: j.d.conf.TokenFile}
	j.servers, err = join.New(now.Servers, now.Told, join.Options{Token: token, TTL: j.d.conf.TTL.D(), Log: j.d.log,
		Learned: func(told []string) {
			now.Told = told
			j.d.log.Info("servers are known of that others told of", "servers", told)
			if err := j.d.folder.keepJoining(now); err != nil {
				j.d.log.Error("a start will not know the servers that others told of", "err", err)
			}
		}})
	if err != nil {
		return err
	}
	return j.d.folder.keepJoining(now)
}

func (j *joined) place() string { return "" }

// known is not asked: a session that is gone is refused when its keeper's node opens it again.
func (j *joined) known(context.Context) func(rota.SessionID) bool {
	return func(rota.SessionID) bool { return true }
}

func (j *joined) nodes(rota.SessionID) rota.NodeService { return j.servers }

// doors: who has a token goes to the servers with it, as jobs do; who has none but is the node's owner asks the node.
func (j *joined) doors(o api.Options) *api.Server {
	o.Elsewhere = &api.Elsewhere{Servers: j.servers.Clients, Here: join.HereRoutes, Why: j.away}
	return api.New(join.Here{Node: j.d.sessions.self, Drain: func() { j.d.sessions.end((*node.Node).Drain) }}, o)
}

// away is what the node's owner is told who asks it for what it has not.
func (j *joined) away() error {
	at := j.servers.Addresses()[0]
	return rota.Errorf(rota.ErrDenied, "this node has no store, and its token is for running tasks only: it joined %s", at).WithFix("%s", askThere(at))
}

func (j *joined) run(ctx context.Context) error { <-ctx.Done(); return nil }

func (j *joined) busy(context.Context) bool { return false }

func (j *joined) close() error { j.servers.Close(); return nil }
