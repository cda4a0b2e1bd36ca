package api

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"syscall"
	"testing"

	"github.com/rotaqueue/rota"
)

func TestP28TheNodesOwnUserIsAdminOnItsSocket(t *testing.T) {
	svc := &spy{}
	_, c := overSocket(t, svc, Options{})
	if _, err := c.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if want := (rota.Principal{Name: me.Username, Role: rota.RoleAdmin, Login: me.Username, From: "socket, uid " + me.Uid}); svc.who != want {
		t.Errorf("asked as %+v, want %+v", svc.who, want)
	}
}

func TestP28OthersAndNobodyAreRefused(t *testing.T) {
	for _, c := range []struct {
		uid, own int
		ok       bool
	}{{0, 1000, true}, {1000, 1000, true}, {0, 0, true}, {1001, 1000, false}, {1000, 0, false}, {nobody, 1000, false}, {nobody, nobody, false}} {
		p, err := (&peer{uid: c.uid}).principal(c.own, nil)
		if c.ok && (err != nil || p.Role != rota.RoleAdmin || p.Remote) {
			t.Errorf("uid %d at a node of %d: %+v, %v", c.uid, c.own, p, err)
		}
		if !c.ok && (!errors.Is(err, rota.ErrDenied) || !strings.Contains(rota.FixOf(err), "rota token create --role submitter")) {
			t.Errorf("uid %d at a node of %d: %+v, %v", c.uid, c.own, p, err)
		}
	}
	if _, err := (&peer{err: errors.New("no credentials")}).principal(0, nil); !errors.Is(err, rota.ErrDenied) {
		t.Error(err)
	}
}

func TestS1ATokenGoesBeforeTheUserOfTheSocket(t *testing.T) {
	svc := &spy{}
	_, c := overSocket(t, svc, Options{Authenticate: byRole})
	if _, err := c.WithToken("submitter").Status(t.Context()); err != nil || svc.who.Role != rota.RoleSubmitter || svc.who.Remote {
		t.Errorf("%+v, %v", svc.who, err)
	}
	if _, err := c.WithToken("nonsense").Status(t.Context()); !errors.Is(err, rota.ErrUnauthenticated) {
		t.Errorf("a wrong token fell back to the user of the socket: %v", err)
	}
	if _, err := c.WithToken("viewer").Submit(t.Context(), rota.Submission{}); !errors.Is(err, rota.ErrDenied) {
		t.Error(err)
	}
}

func TestOverTCPEverybodyIsRemote(t *testing.T) {
	svc := &spy{}
	_, c := overTCP(t, svc, Options{Authenticate: byRole}, "operator")
	if _, err := c.Status(t.Context()); err != nil || !svc.who.Remote || svc.who.Role != rota.RoleOperator {
		t.Errorf("%+v, %v", svc.who, err)
	}
}

// TestP28AnotherUserIsToldWhatToDo asks as another user, in a process of theirs: once with the socket closed to
// them, as it is, and once with a way to it, so that the server sees who asks.
func TestP28AnotherUserIsToldWhatToDo(t *testing.T) {
	const socketEnv, other = "ROTA_TEST_SOCKET", 65533
	if socket := os.Getenv(socketEnv); socket != "" {
		_, err := Dial(socket).Status(t.Context())
		if !errors.Is(err, rota.ErrDenied) || !strings.Contains(err.Error(), "belongs to the user root") || !strings.Contains(rota.FixOf(err), "rota up") {
			t.Errorf("%v, fix %q", err, rota.FixOf(err))
		}
		return
	}
	if os.Getuid() != 0 {
		t.Skip("needs root, to be another user as well")
	}
	dir, err := os.MkdirTemp("/tmp", "rota")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	ln, err := ListenUnix(dir)
	if err != nil {
		t.Fatal(err)
	}
	svc := &spy{}
	serve(t, svc, Options{}, ln)
	test, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	binary := dir + "/test" // where the other user may run it
	if err := os.WriteFile(binary, test, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, modes := range [][2]os.FileMode{{0o755, 0o600}, {0o755, 0o666}} {
		if err := errors.Join(os.Chmod(dir, modes[0]), os.Chmod(ln.Addr().String(), modes[1])); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(binary, "-test.run=^"+t.Name()+"$")
		cmd.Dir = "/"
		cmd.Env = append(os.Environ(), socketEnv+"="+ln.Addr().String())
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("modes %o: %v\n%s", modes, err, out)
		}
	}
	if svc.calls != 0 {
		t.Errorf("another user reached the service %d times", svc.calls)
	}
}
