package courier

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/rotaqueue/rota"
)

// Headers of a webhook. The signature is of the time, a full stop and the body, as "sha256=" and hex.
const (
	HeaderEvent     = "Rota-Event-Id"
	HeaderKind      = "Rota-Event-Kind"
	HeaderTime      = "Rota-Timestamp"
	HeaderSignature = "Rota-Signature"
)

const hookTimeout = 15 * time.Second

type hooks struct {
	key    []byte
	client *http.Client
}

func newHooks(key []byte, private bool) *hooks {
	dialer := &net.Dialer{Timeout: hookTimeout}
	if !private {
		dialer.Control = public
	}
	t := &http.Transport{DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute,
		TLSHandshakeTimeout: hookTimeout, ResponseHeaderTimeout: hookTimeout} // no proxy: the address that is dialled is the one that is asked
	return &hooks{key, &http.Client{Transport: t, Timeout: 2 * hookTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// public refuses what is not reachable by everybody: whoever submits a job names the address, and could name what only
// this machine reaches. What is asked is the address that is dialled, not a name that may mean another next time.
func public(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || shared.Contains(ip) {
		return rota.Errorf(rota.ErrDenied, "%s is no public address", ip).WithFix("notify.private = true, in the node's settings, allows it")
	}
	return nil
}

var shared = netip.MustParsePrefix("100.64.0.0/10") // between providers and their customers

// post sends one event. Whatever is not an answer of success is a failure, and is tried again.
func (h *hooks) post(ctx context.Context, url string, e *rota.Event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "rota/"+rota.Version)
	r.Header.Set(HeaderEvent, e.ID)
	r.Header.Set(HeaderKind, string(e.Kind))
	r.Header.Set(HeaderTime, now)
	if len(h.key) > 0 {
		r.Header.Set(HeaderSignature, Sign(h.key, now, body))
	}
	answer, err := h.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection can be used again
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("it answered %s", answer.Status)
	}
	return nil
}

// Sign is the signature of a webhook.
func Sign(key []byte, at string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(at + "."))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
