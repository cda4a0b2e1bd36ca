package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/rotaqueue/rota"
)

// program makes a job of an executable file, which is kept as a blob. It is read here, and sent when the job is.
func (a *app) program(spec *rota.Spec, name string, args []string) (file string, err error) {
	b, err := a.blobOf(name)
	if err != nil {
		return "", err
	}
	head, err := headOf(name)
	if err == nil {
		err = rota.CheckExecutable(head)
	}
	if err != nil {
		return "", rota.Errorf(rota.KindOf(kindOr(err, rota.ErrInvalid)).Err, "%s: %v", name, err).WithFix("%s", rota.FixOf(err))
	}
	spec.Executor, spec.Argv, spec.Shell, spec.Script, spec.Blob = "", args, "", "", b.ID
	if spec.Name == "" {
		spec.Name = filepath.Base(name)
	}
	return name, nil
}

func headOf(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fileError("program", err)
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], err
}

// blobOf is the blob that a file would be.
func (a *app) blobOf(name string) (b rota.Blob, err error) {
	f, err := os.Open(name)
	if err != nil {
		return b, fileError("file", err)
	}
	defer f.Close()
	sum := sha256.New()
	// What is longer than the limit is refused by its size, and not read to its end.
	if b.Size, err = io.Copy(sum, io.LimitReader(f, rota.MaxBlob+1)); err != nil {
		return b, fileError("file", err)
	}
	b.ID, b.Name = rota.BlobID(hex.EncodeToString(sum.Sum(nil))), shortened(clean(filepath.Base(name)))
	if b.Size == 0 {
		return b, rota.Invalid("file %s: is empty", name)
	}
	if b.Size > rota.MaxBlob {
		return b, rota.Errorf(rota.ErrTooLarge, "file %s: longer than %s, the limit", name, bytesText(rota.MaxBlob))
	}
	return b, nil
}

func shortened(name string) string { return name[:min(len(name), rota.MaxName)] }

// put keeps a file as a blob, unless it is there already.
func (c *conn) put(ctx context.Context, name string, b rota.Blob) (rota.Blob, error) {
	f, err := os.Open(name)
	if err != nil {
		return b, fileError("file", err)
	}
	defer f.Close()
	return c.PutBlob(ctx, b, f)
}

// bring puts the program of a job, if it has one that is not there.
func (a *app) bring(ctx context.Context, c *conn, r *request) error {
	if r.program == "" {
		return nil
	}
	if _, err := c.Blob(ctx, r.Spec.Blob); !errors.Is(err, rota.ErrNotFound) {
		return err
	}
	b, err := a.blobOf(r.program)
	if err == nil && b.ID != r.Spec.Blob {
		err = rota.Invalid("file %s: was changed while it was sent", r.program)
	}
	if err == nil {
		_, err = c.put(ctx, r.program, b)
	}
	return err
}
