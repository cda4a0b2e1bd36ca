package node

import (
	"errors"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// RunAs says as whom a node's jobs run.
type RunAs struct {
	// Able says that the node can run jobs as others: it is root's. One that is not runs them as who it is.
	Able  bool
	Rules rota.RunAs
	// First and Count are users for jobs of nobody's, one for each slot; none: they run as nobody (P28).
	First, Count int
}

// nobodyID is the user and group of jobs of nobody's where no range is given.
const nobodyID = 65534

// users finds the users of jobs.
type users struct {
	policy RunAs

	mu    sync.Mutex
	known map[string]known
	files [2]time.Time // of the files in which users and groups stand, as they were when known was found
}

type known struct {
	runner
	groups map[string]uint32 // by name
	err    error
}

// runner is who a job runs as.
type runner struct {
	identity *executor.Identity // nil: who the node is
	name     string
	home     string
	foreign  bool // another than who submitted it: what that one has in its environment is not for it
}

// of is who a job runs as here. Errors are the job's.
func (u *users) of(a *rota.Assignment) (runner, error) {
	s := a.Spec
	if !u.policy.Able {
		return runner{}, mayOnlyBe(s)
	}
	name, err := u.policy.Rules.Of(s, a.Submitter)
	if err != nil {
		return runner{}, err
	}
	foreign := s.Caller == nil || s.Caller.User != name
	if name == "" {
		if s.Group != "" {
			return runner{}, rota.Errorf(rota.ErrDenied, "group %s: the job runs as nobody, who is in no group", s.Group)
		}
		if u.policy.Count > 0 {
			return runner{foreign: true, identity: &executor.Identity{UID: uint32(u.policy.First), Slots: uint32(u.policy.Count)}}, nil
		}
		return runner{foreign: true, name: "nobody", home: "/nonexistent", identity: &executor.Identity{UID: nobodyID, GID: nobodyID}}, nil
	}
	k := u.find(name)
	if k.err != nil {
		return runner{}, k.err
	}
	r := k.runner
	r.foreign = foreign
	admin := s.Caller != nil && s.Caller.Admin && !s.Caller.Fixed
	if r.identity == nil { // root
		if !admin && (s.Caller == nil || s.Caller.User != name) {
			return runner{}, rota.Errorf(rota.ErrDenied, "user %s: that is root here, and jobs of admins only may run as root", name)
		}
		if s.Group != "" {
			return runner{}, rota.Errorf(rota.ErrUnsupported, "group %s: a job of root's runs with root's groups", s.Group)
		}
		return r, nil
	}
	return r, r.take(s.Group, k.groups, admin)
}

// take makes a group the first one.
func (r *runner) take(group string, groups map[string]uint32, admin bool) error {
	if group == "" {
		return nil
	}
	gid, in := groups[group]
	if !in {
		g, err := user.LookupGroup(group)
		if err != nil {
			return rota.Errorf(rota.ErrNotFound, "group %s: there is none here", group)
		}
		if !admin {
			return rota.Errorf(rota.ErrDenied, "group %s: user %s is not in it", group, r.name)
		}
		n, err := strconv.ParseUint(g.Gid, 10, 32)
		if err != nil {
			return err
		}
		gid = uint32(n)
	}
	id := *r.identity
	id.GID = gid
	r.identity = &id
	return nil
}

// mayOnlyBe refuses what a node that is not root's cannot do.
func mayOnlyBe(s *rota.Spec) error {
	if s.User == "" && s.Group == "" {
		return nil
	}
	u, err := user.Current()
	if err == nil && (s.User == "" || s.User == u.Username) {
		g, gerr := user.LookupGroupId(u.Gid)
		if s.Group == "" || gerr == nil && g.Name == s.Group {
			return nil
		}
	}
	return rota.Errorf(rota.ErrUnsupported, "user %q, group %q: this node is not root's, and runs all jobs as %s", s.User, s.Group, nameOf(u)).
		WithFix("leave --user and --group out, or have the job run on a node of root's")
}

func nameOf(u *user.User) string {
	if u == nil {
		return "itself"
	}
	return u.Username
}

// find is a user of this machine, by name. Users are looked up again when the files change in which they stand.
func (u *users) find(name string) known {
	u.mu.Lock()
	defer u.mu.Unlock()
	var files [2]time.Time
	for i, path := range []string{"/etc/passwd", "/etc/group"} {
		if st, err := os.Stat(path); err == nil {
			files[i] = st.ModTime()
		}
	}
	if files != u.files || u.known == nil {
		u.files, u.known = files, map[string]known{}
	}
	k, found := u.known[name]
	if !found {
		k = lookUp(name)
		u.known[name] = k
	}
	return k
}

func lookUp(name string) known {
	is, err := user.Lookup(name)
	if err != nil {
		return known{err: rota.Errorf(rota.ErrNotFound, "user %s: there is none on this machine", name).WithFix("name another with --user")}
	}
	uid, err1 := strconv.ParseUint(is.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(is.Gid, 10, 32)
	ids, err3 := is.GroupIds()
	if err := errors.Join(err1, err2, err3); err != nil {
		return known{err: rota.Errorf(rota.ErrUnavailable, "user %s: %v", name, err)}
	}
	k := known{runner: runner{name: is.Username, home: is.HomeDir}, groups: map[string]uint32{}}
	id := &executor.Identity{UID: uint32(uid), GID: uint32(gid)}
	for _, text := range ids {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			continue
		}
		if n != gid {
			id.Groups = append(id.Groups, uint32(n))
		}
		if g, err := user.LookupGroupId(text); err == nil {
			k.groups[g.Name] = uint32(n)
		}
	}
	if uid != 0 {
		k.identity = id
	}
	return k
}

// environment is what a job has before Rota's own variables: those that it brings, complete, or the clean ones. Of what
// somebody else brought, nothing reaches a job that says who it is, where programs are, or what they load.
func (r runner) environment(a *rota.Assignment, clean []string) []string {
	base := a.Spec.Env
	if r.identity == nil && !r.foreign {
		if len(base) == 0 {
			return clean
		}
		return base
	}
	own := []string{defaultPath, "SHELL=/bin/sh"}
	if r.home != "" {
		own = append(own, "HOME="+r.home)
	}
	if r.name != "" {
		own = append(own, "USER="+r.name, "LOGNAME="+r.name)
	}
	if len(base) == 0 {
		return append(own, "LANG=C.UTF-8")
	}
	if !r.foreign {
		return base
	}
	for _, e := range base {
		if !isPersonal(e) {
			own = append(own, e)
		}
	}
	return own
}

// personal are the variables that are of one user only, or make programs do what another wishes.
var personal = []string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "MAIL", "ENV", "BASH_ENV", "IFS", "CDPATH", "TMPDIR", "SSH_AUTH_SOCK",
	"DBUS_SESSION_BUS_ADDRESS", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PERL5LIB", "PERL5OPT", "RUBYLIB", "RUBYOPT", "NODE_OPTIONS", "NODE_PATH", "GCONV_PATH"}

func isPersonal(entry string) bool {
	key, _, _ := strings.Cut(entry, "=")
	return slices.Contains(personal, key) || strings.HasPrefix(key, "LD_") || strings.HasPrefix(key, "XDG_") || strings.HasPrefix(key, "BASH_FUNC_")
}
