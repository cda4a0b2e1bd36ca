package network_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota/crash/network"
)

const asked = "NETWORK_TEST" // what a copy of this program does instead of testing

func TestMain(m *testing.M) {
	switch what, with, _ := strings.Cut(os.Getenv(asked), " "); what {
	case "echo":
		echo(with)
	case "ask":
		ask(with)
	default:
		os.Exit(m.Run())
	}
}

// echo answers each datagram with itself, and then writes it down.
func echo(address string) {
	c, err := net.ListenPacket("udp", address)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("listens")
	b := make([]byte, 1500)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			os.Exit(1)
		}
		_, _ = c.WriteTo(b[:n], from)
		fmt.Printf("%s\n", b[:n])
	}
}

// ask asks an echo until it answers.
func ask(address string) {
	c, err := net.Dial("udp", address)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	b := make([]byte, 1500)
	for {
		_, _ = c.Write([]byte("hello"))
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := c.Read(b); err == nil {
			return
		}
	}
}

func self(does string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asked+"="+does)
	cmd.Stderr = os.Stderr
	return cmd
}

// talk is with an echo on a host, by somebody on this machine.
type talk struct {
	*testing.T
	net.Conn
	heard *bufio.Scanner // what the echo has written down
}

func newTalk(t *testing.T, h *network.Host) *talk {
	t.Helper()
	cmd := self("echo " + h.Address + ":1234")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = h.Start(cmd)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	k := &talk{T: t, heard: bufio.NewScanner(out)}
	if k.next() != "listens" {
		t.Fatalf("there is no echo: %s", k.heard.Text())
	}
	if k.Conn, err = net.Dial("udp", h.Address+":1234"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	k.reaches("a beginning")
	return k
}

func (k *talk) say(text string) {
	k.Helper()
	if _, err := k.Write([]byte(text)); err != nil {
		k.Fatal(err)
	}
}

// next is what the echo has heard next.
func (k *talk) next() string {
	k.heard.Scan()
	return k.heard.Text()
}

// reaches says it until it is answered; nothing else may be heard or answered before. A link takes a moment to be up.
func (k *talk) reaches(text string) {
	k.Helper()
	for b := make([]byte, 1500); ; {
		k.say(text)
		_ = k.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		n, err := k.Read(b)
		if err != nil {
			continue
		}
		if answer, heard := string(b[:n]), k.next(); answer != text || heard != text {
			k.Fatalf("%q was said; heard was %q, and answered %q", text, heard, answer)
		}
		break
	}
	k.settle(text)
}

// settle takes away what was said or answered more than once.
func (k *talk) settle(text string) {
	k.Helper()
	end := text + ", and an end"
	k.say(end)
	for b := make([]byte, 1500); ; {
		_ = k.SetReadDeadline(time.Now().Add(time.Minute))
		n, err := k.Read(b)
		if err != nil {
			k.Fatal(err)
		}
		if string(b[:n]) == end {
			break
		}
	}
	for k.next() != end {
	}
}

func TestHostsReachEachOtherAndThisMachine(t *testing.T) {
	n := network.New(t, 3)
	for _, h := range n.Hosts {
		newTalk(t, h)
	}
	for _, h := range n.Hosts[1:] {
		if err := h.Run(self("ask " + n.Hosts[0].Address + ":1234")); err != nil {
			t.Error(err)
		}
	}
	c, err := net.ListenPacket("udp", n.Address+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(b[:n], from)
		}
	}()
	if err := n.Hosts[0].Run(self("ask " + c.LocalAddr().String())); err != nil {
		t.Error(err)
	}
}

func TestAHostIsCutOffAndJoinedAgain(t *testing.T) {
	n := network.New(t, 2)
	k, other := newTalk(t, n.Hosts[0]), newTalk(t, n.Hosts[1])
	for name, cut := range map[string]func(*network.Host){
		"pulled":       (*network.Host).Pull,
		"dropped":      func(h *network.Host) { h.Drop(network.Both) },
		"dropped in":   func(h *network.Host) { h.Drop(network.In) },
		"pulled again": (*network.Host).Pull,
	} {
		cut(n.Hosts[0])
		k.say("into the void: " + name)
		other.reaches("others: " + name)
		n.Hosts[0].Mend()
		k.reaches("mended: " + name)
	}
}

func TestOneWay(t *testing.T) {
	n := network.New(t, 1)
	k := newTalk(t, n.Hosts[0])
	n.Hosts[0].Drop(network.Out)
	k.say("a question")
	if heard := k.next(); heard != "a question" {
		t.Errorf("a host whose words are dropped heard %q", heard)
	}
	n.Hosts[0].Mend()
	k.reaches("another") // and not the answer to the first
}

func TestSomeIsLost(t *testing.T) {
	n := network.New(t, 1)
	k := newTalk(t, n.Hosts[0])
	n.Hosts[0].Lose(network.In, 50)
	const all = 200
	for range all {
		k.say("one of many")
	}
	n.Hosts[0].Mend()
	k.say("the last")
	arrived := 0
	for k.next() != "the last" {
		arrived++
	}
	if arrived == 0 || arrived == all {
		t.Errorf("of %d, half of which should get lost, %d arrived", all, arrived)
	}
}

func TestWhatIsBeyondTheRateIsLost(t *testing.T) {
	n := network.New(t, 1)
	k := newTalk(t, n.Hosts[0])
	n.Hosts[0].Slow(network.In, 10_000)
	for range 100 { // at once: what a second may have, ten times
		k.say(strings.Repeat("x", 1000))
	}
	n.Hosts[0].Mend()
	k.say("the last")
	arrived := 0
	for k.next() != "the last" {
		arrived++
	}
	if arrived == 0 || arrived == 100 {
		t.Errorf("%d of 100 arrived", arrived)
	}
}

// A test that is killed can clean nothing up: its network and what ran there are gone all the same.
func TestNothingOutlivesAKilledTest(t *testing.T) {
	if os.Getenv("NETWORK_KILLED") != "" {
		n := network.New(t, 1)
		newTalk(t, n.Hosts[0])
		fmt.Println("\n" + n.Address)
		select {}
	}
	network.New(t, 0) // or skips the test
	cmd := exec.Command(os.Args[0], "-test.run=^TestNothingOutlivesAKilledTest$")
	cmd.Env = append(os.Environ(), "NETWORK_KILLED=yes")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	address := ""
	for address == "" && lines.Scan() {
		if strings.HasPrefix(lines.Text(), "198.") {
			address = lines.Text()
		}
	}
	if address == "" || !here(t, address) {
		t.Fatalf("the other test made no network: %q", address)
	}
	_ = cmd.Process.Kill()
	_, _ = io.Copy(io.Discard, out) // until its processes have gone, which hold it
	_ = cmd.Wait()
	for here(t, address) { // it goes when the last of its processes has gone
	}
}

// here reports whether this machine has the address.
func here(t *testing.T, address string) bool {
	out, err := exec.CommandContext(t.Context(), "ip", "-o", "addr").Output()
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(out, []byte(" "+address+"/"))
}
