package network

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Network is a switch with hosts. This machine is at it, too, with an address by which hosts reach it.
type Network struct {
	Address string
	Hosts   []*Host

	t    testing.TB
	hub  *space // where the switch is
	link string // of this machine
}

// Host is one that processes run on.
type Host struct {
	Address string

	n     *Network
	space *space
	port  string // of the switch; also the chain of rules for what passes there
}

// New makes a network with so many hosts, which goes with the test. No address of it is this machine's already: they
// are out of those that are kept for measuring networks (RFC 2544).
func New(t testing.TB, hosts int) *Network {
	t.Helper()
	need(t)
	n := &Network{t: t}
	n.hub = newSpace(t)
	prefix := freePrefix(t)
	n.Address = prefix + "1"
	n.link = fmt.Sprintf("rota%d", rand.Uint32())
	n.do("link", "add", n.link, "type", "veth", "peer", "name", "self", "netns", n.hub.file)
	t.Cleanup(func() { _ = exec.Command("ip", "link", "delete", n.link).Run() }) // goes with the switch, but later
	n.do("addr", "add", n.Address+"/24", "dev", n.link)
	n.do("link", "set", n.link, "up")
	n.hub.ip(t, "link", "add", "switch", "type", "bridge", "stp_state", "0", "forward_delay", "0")
	n.hub.ip(t, "link", "set", "switch", "up")
	n.plug("self")
	n.nft("add table bridge rota; add chain bridge rota passes { type filter hook forward priority 0; }")
	for i := range hosts {
		n.Hosts = append(n.Hosts, n.newHost(fmt.Sprint(prefix, i+2), fmt.Sprint("port", i+1)))
	}
	return n
}

func need(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("hosts of a network of their own need root")
	}
	for program, pkg := range map[string]string{"ip": "iproute2", "nft": "nftables"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: apt-get install %s", program, pkg)
		}
	}
}

// freePrefix is a network of which this machine has no address yet.
func freePrefix(t testing.TB) string {
	t.Helper()
	ours, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for {
		prefix := fmt.Sprintf("198.%d.%d.", 18+rand.IntN(2), rand.IntN(256))
		taken := false
		for _, a := range ours {
			taken = taken || strings.HasPrefix(a.String(), prefix)
		}
		if !taken {
			return prefix
		}
	}
}

func (n *Network) newHost(address, port string) *Host {
	n.t.Helper()
	h := &Host{Address: address, n: n, space: newSpace(n.t), port: port}
	n.hub.ip(n.t, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", h.space.file)
	n.plug(port)
	h.space.ip(n.t, "link", "set", "lo", "up")
	h.space.ip(n.t, "addr", "add", address+"/24", "dev", "eth0")
	h.space.ip(n.t, "link", "set", "eth0", "up")
	n.nft("add chain bridge rota %s; add rule bridge rota passes jump %[1]s", port)
	return h
}

func (n *Network) plug(port string) {
	n.t.Helper()
	n.hub.ip(n.t, "link", "set", port, "master", "switch")
	n.hub.ip(n.t, "link", "set", port, "up")
}

// do has ip do something to this machine's own links.
func (n *Network) do(args ...string) {
	n.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		n.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// Start starts a process on the host. Unless the command says otherwise it is killed when this process dies.
func (h *Host) Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	}
	var err error
	h.space.do(func() { err = cmd.Start() })
	return err
}

// Run starts a process on the host and waits for its end.
func (h *Host) Run(cmd *exec.Cmd) error {
	if err := h.Start(cmd); err != nil {
		return err
	}
	return cmd.Wait()
}

// Pull pulls the host's cable: its own system notices, others do not.
func (h *Host) Pull() { h.n.hub.ip(h.n.t, "link", "set", h.port, "down") }

// Drop has nothing pass in that direction any more, which nobody is told.
func (h *Host) Drop(w Way) { h.treat(w, "drop") }

// Lose has of a hundred pieces so many not pass, by chance; less than a hundred.
func (h *Host) Lose(w Way, percent int) {
	h.treat(w, fmt.Sprintf("numgen random mod 100 < %d drop", percent))
}

// Slow has no more pass than so many bytes a second; what is beyond that is lost.
func (h *Host) Slow(w Way, rate int) {
	h.treat(w, fmt.Sprintf("limit rate over %d bytes/second drop", rate))
}

// treat adds to what is done to what passes at the host's port.
func (h *Host) treat(w Way, verdict string) {
	if w&Out != 0 {
		h.n.nft("add rule bridge rota %s iifname %[1]s %s", h.port, verdict)
	}
	if w&In != 0 {
		h.n.nft("add rule bridge rota %s oifname %[1]s %s", h.port, verdict)
	}
}

// Mend puts the cable back, and lets everything pass.
func (h *Host) Mend() {
	h.n.hub.ip(h.n.t, "link", "set", h.port, "up")
	h.n.nft("flush chain bridge rota %s", h.port)
}

func (n *Network) nft(rules string, args ...any) {
	n.t.Helper()
	n.hub.run(n.t, "nft", fmt.Sprintf(rules, args...))
}
