// Package folder keeps bytes in files of a folder: the node's own, or one that all servers of a store see.
//
// It promises that a file is there whole and durable, or not at all, whatever is killed meanwhile. It touches its
// folder, and nothing else.
package folder

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/rotaqueue/rota"
)

// Objects are the files of a folder. Names are opened below it only (os.Root).
type Objects struct {
	root *os.Root
	path string
}

// Open opens a folder, and makes it when it is not there.
func Open(path string) (*Objects, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		err = os.MkdirAll(path, 0o700)
	}
	if err != nil {
		return nil, unusable(path, err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, unusable(path, err)
	}
	return &Objects{root, path}, nil
}

func unusable(path string, err error) error {
	return rota.Errorf(rota.ErrUnavailable, "folder of blobs %s: %v", path, err).WithFix("name another with --blobs DIR, or an s3:// URL")
}

// Close closes the folder.
func (o *Objects) Close() error { return o.root.Close() }

// place is where a name's file is. Files stand in folders of some hundred, so that none gets too long.
func place(name string) (dir, file string) {
	dir = name[:min(2, len(name))]
	return dir, filepath.Join(dir, name)
}

// Put writes a file beside its place and moves it there when all of it is on the disk.
func (o *Objects) Put(ctx context.Context, name string, size int64, body io.Reader) error {
	dir, file := place(name)
	if err := o.root.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return kind(err)
	}
	next, f, err := o.create(file)
	if err != nil {
		return kind(err)
	}
	err = write(ctx, f, size, body)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = o.root.Rename(next, file)
	}
	if err != nil {
		_ = o.root.Remove(next)
		return kind(err)
	}
	return kind(o.sync(dir))
}

// create makes a file of a name that nobody else has.
func (o *Objects) create(file string) (string, *os.File, error) {
	for {
		next := file + ".new-" + random()
		f, err := o.root.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return next, f, err
		}
	}
}

func write(ctx context.Context, f *os.File, size int64, body io.Reader) error {
	n, err := io.Copy(f, io.LimitReader(reader{ctx, body}, size))
	switch {
	case err != nil:
		return err
	case n < size:
		return rota.Invalid("it ends after %d of %d bytes", n, size)
	}
	return f.Sync()
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}

func (o *Objects) sync(dir string) error {
	d, err := o.root.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Get reads a piece of a file.
func (o *Objects) Get(_ context.Context, name string, offset int64, max int) ([]byte, error) {
	_, file := place(name)
	f, err := o.root.Open(file)
	if err != nil {
		return nil, kind(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || offset >= st.Size() {
		return nil, kind(err)
	}
	b := make([]byte, min(int64(max), st.Size()-offset))
	n, err := f.ReadAt(b, offset)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], kind(err)
}

// Remove removes a file.
func (o *Objects) Remove(_ context.Context, name string) error {
	_, file := place(name)
	if err := o.root.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return kind(err)
	}
	return nil
}

// URL is that of the file.
func (o *Objects) URL(name string) string {
	_, file := place(name)
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(o.path, file))}).String()
}

// kind gives an error of the disk a kind.
func kind(err error) error {
	var known *rota.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return rota.Errorf(rota.ErrNotFound, "%s", plain(err))
	case isFull(err):
		return rota.Errorf(rota.ErrFull, "%s", plain(err))
	}
	return rota.Errorf(rota.ErrUnavailable, "%s", plain(err))
}

func plain(err error) string { return strings.ReplaceAll(err.Error(), "\n", " ") }
