package main

import (
	"net"
	"path/filepath"
	"testing"
)

// TestD5_SystemdIsToldWhenTheNodeServes: by a datagram to the socket that it names.
func TestD5_SystemdIsToldWhenTheNodeServes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	notifySystem("READY=1")
	got := make([]byte, 64)
	if n, err := c.Read(got); err != nil || string(got[:n]) != "READY=1" {
		t.Errorf("%q, %v", got[:n], err)
	}
	t.Setenv("NOTIFY_SOCKET", "")
	notifySystem("READY=1") // nobody asked
}
