package s3

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/objects/objectstest"
)

// gateway is a real S3 server over a folder: versitygw.
type gateway struct{ url, folder string }

// startGateway starts one, which ends with the test. Without the program the test is skipped.
func startGateway(t *testing.T) gateway {
	t.Helper()
	program, err := exec.LookPath("versitygw")
	if err != nil {
		if home, e := os.UserHomeDir(); e == nil {
			program, err = exec.LookPath(filepath.Join(home, "go", "bin", "versitygw"))
		}
	}
	if err != nil {
		t.Skip("no versitygw: scripts/servers versitygw installs it")
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "rota-test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "of-no-use-elsewhere")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	g := gateway{url: "http://" + addr, folder: t.TempDir()}
	cmd := exec.Command(program, "--access", "rota-test", "--secret", "of-no-use-elsewhere", "--port", addr, "posix", "--sidecar", t.TempDir(), g.folder)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("the server said: %s", said.Bytes())
		}
	})
	over := time.After(time.Minute)
	for again := time.NewTicker(10 * time.Millisecond); ; {
		resp, err := http.Get(g.url)
		if err == nil {
			resp.Body.Close()
			return g
		}
		select {
		case <-again.C:
		case <-over:
			t.Fatalf("versitygw does not answer: %v", err)
		}
	}
}

func (g gateway) open(t *testing.T, bucket string) *Objects {
	t.Helper()
	o, err := Open("s3://" + bucket + "/some/where?endpoint=" + g.url + "&region=us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := o.client.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatalf("make a bucket: %v", err)
	}
	return o
}

// TestC3ObjectsOfS3 holds S3 to the contract, against a real server.
func TestC3ObjectsOfS3(t *testing.T) {
	g := startGateway(t)
	var n atomic.Int32
	objectstest.Run(t, func(t *testing.T) rota.Objects {
		return g.open(t, "bucket-"+string(rune('a'+n.Add(1))))
	})
}

// TestPartsOfS3: what is larger than one part comes whole, or not at all.
func TestPartsOfS3(t *testing.T) {
	o := startGateway(t).open(t, "large")
	b := bytes.Repeat([]byte("0123456789abcdef"), 40<<20/16)
	if err := o.Put(t.Context(), "x", int64(len(b)), struct{ *bytes.Reader }{bytes.NewReader(b)}); err != nil {
		t.Fatal(err)
	}
	got, err := o.Get(t.Context(), "x", 39<<20, 2<<20)
	if err != nil || !bytes.Equal(got, b[39<<20:]) {
		t.Errorf("its end: %d bytes, %v", len(got), err)
	}
	if err := o.Put(t.Context(), "y", int64(len(b))+1, bytes.NewReader(b)); !errors.Is(err, rota.ErrInvalid) {
		t.Errorf("one that ends early: %v", err)
	}
	if _, err := o.Get(t.Context(), "y", 0, 10); !errors.Is(err, rota.ErrNotFound) {
		t.Errorf("of one that ended early there is something: %v", err)
	}
}

// TestErrorsOfS3: what is wrong with the store is told so that somebody can mend it, and may be tried again.
func TestErrorsOfS3(t *testing.T) {
	g := startGateway(t)
	o := g.open(t, "here")
	o.bucket = "elsewhere"
	err := o.Put(t.Context(), "x", 1, strings.NewReader("x"))
	if !errors.Is(err, rota.ErrUnavailable) || !strings.Contains(err.Error(), "no such bucket") || rota.FixOf(err) == "" {
		t.Errorf("a bucket that is not there: %v", err)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	wrong, err := Open("s3://here?endpoint=" + g.url + "&region=us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = wrong.Get(t.Context(), "x", 0, 1); !errors.Is(err, rota.ErrUnavailable) || !strings.Contains(err.Error(), "refuses the node's key") {
		t.Errorf("a wrong key: %v", err)
	}
	nobody, err := Open("s3://here?endpoint=http://127.0.0.1:1&region=us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := nobody.Get(ctx, "x", 0, 1); err == nil || errors.Is(err, rota.ErrNotFound) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestURLsOfS3(t *testing.T) {
	for text, part := range map[string]string{
		"s3://":                       "not understood",
		"http://bucket":               "not understood",
		"s3://key:secret@bucket":      "does not belong into a URL",
		"s3://b?endpoint=host:80":     "write https://HOST:PORT",
		"s3://b?secret=x":             "secret is not understood",
		"s3://b?endpoint=http://h/xx": "write https://HOST:PORT",
	} {
		_, err := Open(text)
		if !errors.Is(err, rota.ErrInvalid) || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v", text, err)
		}
		if err != nil && strings.Contains(err.Error(), "key:secret") {
			t.Errorf("%s: the error tells the secret: %v", text, err)
		}
	}
	o, err := Open("s3://b/p/q/?region=eu-central-1")
	if err != nil || o.URL("x") != "s3://b/p/q/x" {
		t.Errorf("got %v, %v", o, err)
	}
}
