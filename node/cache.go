package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rotaqueue/rota"
)

// cache are the blobs that the node has fetched to run them. A file is run only when its bytes are known to be those that
// its name says: they are read once, and again whenever the file is not exactly as it was then.
type cache struct {
	dir string
	max int64

	mu    sync.Mutex
	known map[rota.BlobID]*cached
}

type cached struct {
	users int // attempts held that run it
	used  time.Time
	right stamp // of the file when its bytes were read and right; zero: they were not
}

// stamp tells a file that nobody has changed. Whoever writes to a file changes the time of its attributes, which only
// the kernel sets; what was written within settled of being read cannot be told apart by it, and has none.
type stamp struct {
	size        int64
	inode       uint64
	mode        uint32
	ctime, when int64 // ns
}

// settled is longer than the steps of any clock that files are stamped by.
const settled = 100 * time.Millisecond

func newCache(dir string, max int64) *cache {
	return &cache{dir: dir, max: max, known: map[rota.BlobID]*cached{}}
}

func (c *cache) path(id rota.BlobID) string { return filepath.Join(c.dir, string(id)) }

func (c *cache) entry(id rota.BlobID) *cached {
	e := c.known[id]
	if e == nil {
		e = &cached{}
		c.known[id] = e
	}
	return e
}

// use counts in who runs a blob, which keeps it from being removed; release counts out.
func (c *cache) use(id rota.BlobID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(id)
	e.users++
	e.used = time.Now()
}

func (c *cache) release(id rota.BlobID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entry(id); e.users > 0 {
		e.users--
	}
}

// intact reports whether a blob is there as it was when its bytes were right. It only looks at the file, and is quick.
func (c *cache) intact(id rota.BlobID) bool {
	c.mu.Lock()
	right := c.entry(id).right
	c.mu.Unlock()
	is, err := stampOf(c.path(id))
	return err == nil && right != (stamp{}) && is == right
}

// have makes sure that a blob is there, and right: it is looked at, read, or fetched. A blob that comes wrong is ErrInvalid.
func (c *cache) have(ctx context.Context, id rota.BlobID, fetch func(ctx context.Context, w io.Writer) error) error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	if c.intact(id) {
		return nil
	}
	switch err := c.verify(id); {
	case err == nil:
		return nil
	case !errors.Is(err, os.ErrNotExist):
		if err := os.Remove(c.path(id)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := c.bring(ctx, id, fetch); err != nil {
		return err
	}
	c.use(id)
	defer c.release(id)
	c.shrink()
	return nil
}

// verify reads a file and remembers how it stood, if it is right.
func (c *cache) verify(id rota.BlobID) error {
	before, err := stampOf(c.path(id))
	if err != nil {
		return err
	}
	f, err := os.Open(c.path(id))
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if is := hex.EncodeToString(sum.Sum(nil)); is != string(id) {
		return rota.Invalid("blob %.12s…: the file %s has the SHA-256 %s", id, c.path(id), is)
	}
	c.remember(id, before)
	return nil
}

// remember takes a stamp for one that can be gone by.
func (c *cache) remember(id rota.BlobID, s stamp) {
	if time.Duration(time.Now().UnixNano()-s.ctime) < settled {
		s = stamp{} // it is read once more when it is run next
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entry(id).right = s
}

// bring fetches a blob beside its place, and moves it there when it is right.
func (c *cache) bring(ctx context.Context, id rota.BlobID, fetch func(ctx context.Context, w io.Writer) error) error {
	f, err := os.CreateTemp(c.dir, "."+string(id)+".*")
	if err != nil {
		return err
	}
	sum := sha256.New()
	err = fetch(ctx, io.MultiWriter(f, sum))
	if is := hex.EncodeToString(sum.Sum(nil)); err == nil && is != string(id) {
		err = rota.Invalid("blob %.12s…: what came has the SHA-256 %s", id, is)
	}
	if err == nil {
		err = f.Chmod(0o500)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		syscall.ForkLock.RLock() // what forked before may still have the file open for writing, with which it cannot be run
		err = os.Rename(f.Name(), c.path(id))
		syscall.ForkLock.RUnlock()
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// shrink removes what was run longest ago and is not run now, until all together are within the limit.
func (c *cache) shrink() {
	c.mu.Lock()
	defer c.mu.Unlock()
	type file struct {
		id   rota.BlobID
		size int64
		used time.Time
	}
	var files []file
	total := int64(0)
	entries, _ := os.ReadDir(c.dir)
	for _, d := range entries {
		info, err := d.Info()
		if err != nil || strings.HasPrefix(d.Name(), ".") {
			continue
		}
		e := c.known[rota.BlobID(d.Name())]
		total += info.Size()
		switch {
		case e != nil && e.users > 0:
		case e != nil:
			files = append(files, file{rota.BlobID(d.Name()), info.Size(), e.used})
		default:
			files = append(files, file{rota.BlobID(d.Name()), info.Size(), info.ModTime()})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return a.used.Compare(b.used) })
	for _, f := range files {
		if total <= c.max {
			return
		}
		if os.Remove(c.path(f.id)) == nil {
			total -= f.size
			delete(c.known, f.id)
		}
	}
}

// sweep removes what earlier lives began to fetch.
func (c *cache) sweep() {
	entries, _ := os.ReadDir(c.dir)
	for _, d := range entries {
		if strings.HasPrefix(d.Name(), ".") {
			os.Remove(filepath.Join(c.dir, d.Name()))
		}
	}
}
