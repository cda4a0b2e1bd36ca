package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// answerWithin is how long a node may take to answer. One that takes longer is frozen or overloaded.
const answerWithin = 2 * time.Second

var errStranger = errors.New("what answers is no Rota node")

// ask makes sure that a Rota node answers at an address. The error is errStranger when something else does, and a
// timeout (isTimeout) when something listens but says nothing.
func ask(ctx context.Context, network, address, scheme string) error {
	// Nothing secret is sent or believed: a node with a certificate that we do not know is a node.
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives: true,
	}
	client := http.Client{Transport: transport, Timeout: answerWithin}
	host := address
	if network == "unix" {
		host = "rota"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+host+"/", nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(r)
	if err != nil {
		if isNetwork(err) {
			return err
		}
		return errStranger
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if isTimeout(err) {
		return err
	}
	if !strings.Contains(string(text), "Rota") {
		return errStranger
	}
	return nil
}

// isNetwork tells a connection that failed from an answer that is not HTTP.
func isNetwork(err error) bool {
	var op *net.OpError
	return isTimeout(err) || errors.As(err, &op) && op.Op == "dial"
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}
