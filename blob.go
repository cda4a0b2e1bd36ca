package rota

import (
	"context"
	"io"
	"regexp"
	"strings"
	"time"
)

// BlobID is the SHA-256 of a blob's bytes in hex: what a blob is called says what it is, so that nobody has to trust a
// name.
type BlobID string

var blobID = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Check refuses what cannot be a blob's id.
func (id BlobID) Check() error {
	if !blobID.MatchString(string(id)) {
		return Invalid("blob %q: its id is the SHA-256 of its bytes, 64 digits and small letters from a to f", id)
	}
	return nil
}

// Blob is a file that is kept for jobs: a program that they run, or what they have left behind.
type Blob struct {
	ID      BlobID    `json:"id" doc:"SHA-256 of its bytes, in hex"`
	Size    int64     `json:"size" doc:"bytes"`
	Name    string    `json:"name,omitempty" doc:"what people call it; nothing goes by it"`
	Creator string    `json:"creator,omitempty"`
	Created time.Time `json:"created,omitzero"`
	Kept    bool      `json:"kept,omitempty" doc:"stays until somebody removes it; any other goes a day after the last job or schedule that names it"`
	Uses    int       `json:"uses" doc:"jobs and schedules that name it"`
	URL     string    `json:"url,omitempty" doc:"where its bytes are"`
}

// Check refuses a blob that cannot be kept.
func (b *Blob) Check() error {
	switch err := b.ID.Check(); {
	case err != nil:
		return err
	case b.Size < 1:
		return Invalid("blob %.12s…: it is empty, or its size is not said", b.ID)
	case b.Size > MaxBlob:
		return tooLarge("blob", int(b.Size), MaxBlob, "bytes")
	case len(b.Name) > MaxName || strings.ContainsFunc(b.Name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return Invalid("blob name %q: has up to %d bytes, and no control characters", b.Name, MaxName)
	}
	return nil
}

// Objects keep bytes by name, where all servers of a store find them: a folder, an object store, or the store itself.
//
// objects/objectstest.Run is this contract in executable form.
type Objects interface {
	// Put keeps so many bytes by a name. Whoever reads has what was there before, or all of it: of a body that ends early
	// or with an error nothing is kept. The name has letters, digits and dashes only.
	Put(ctx context.Context, name string, size int64, body io.Reader) error
	// Get is a piece, shorter than max only at the end. ErrNotFound when there is nothing by that name.
	Get(ctx context.Context, name string, offset int64, max int) ([]byte, error)
	// Remove removes what is there; that there is nothing is fine.
	Remove(ctx context.Context, name string) error
	// URL is where the bytes are, for people; empty: nowhere that has one.
	URL(name string) string
}

// The beginnings of files that can be run.
var binaryHeads = []string{
	"\x7fELF",          // Linux, FreeBSD
	"\xcf\xfa\xed\xfe", // macOS
	"\xca\xfe\xba\xbe", // macOS, several machines in one
	"\xfe\xed\xfa\xcf",
	"MZ", // portable executables, by binfmt_misc
}

// CheckExecutable refuses what cannot be run: it looks at the first bytes only, a #! line or the header of a program.
func CheckExecutable(head []byte) error {
	if len(head) == 0 {
		return Invalid("executable: is empty")
	}
	text := string(head[:min(len(head), 4)])
	if strings.HasPrefix(text, "#!") {
		return nil
	}
	for _, h := range binaryHeads {
		if strings.HasPrefix(text, h) {
			return nil
		}
	}
	return Invalid("executable: begins neither with #! nor as a program does, so nobody knows what runs it").
		WithFix("begin it with a line such as #!/bin/sh")
}
