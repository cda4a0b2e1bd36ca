package pgtest_test

import (
	"os/exec"
	"testing"

	"github.com/rotaqueue/rota/crash/network"
	"github.com/rotaqueue/rota/store/pgtest"
)

func TestHostsOfANetworkReachAServer(t *testing.T) {
	n := network.New(t, 1)
	s := pgtest.New(t, "listen_addresses=127.0.0.1,"+n.Address)
	url := pgtest.At(s.Database(t), s.AddressOn(n.Address))
	psql, err := exec.LookPath("psql")
	if err != nil {
		t.Skip("psql is not installed: apt-get install postgresql-client")
	}
	cmd := exec.Command(psql, "--no-psqlrc", "--tuples-only", url, "-c", "SELECT 1")
	if err := n.Hosts[0].Run(cmd); err != nil {
		t.Errorf("ask the server from another host: %v", err)
	}
}
