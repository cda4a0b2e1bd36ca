package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) blobCommand() *cobra.Command {
	return nounCommand("blob", "Files that are kept for jobs: programs, and what jobs leave behind",
		a.blobPutCommand(), a.blobGetCommand(), a.blobLsCommand(), a.blobRmCommand())
}

func (a *app) blobPutCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "put FILE...",
		Short: "Keep files, and print their ids",
		Long: `Keeps each file until it is removed, and prints its id: the SHA-256 of its bytes, so that the same file is kept once and a name
deceives nobody. "rota submit --binary FILE" puts a file by itself; such a one goes a day after the last job that needs it.`,
		Example: examples("rota blob put sim", "rota submit --binary sim -- --steps 100"), Args: some("FILE"),
	}
	cmd.Flags().StringVar(&name, "name", "", "what to call it (default: the file's name)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if name != "" && len(args) > 1 {
			return rota.Invalid("--name: names one file, and there are %d", len(args))
		}
		c, err := a.connect(cmd, wantWrite)
		if err != nil {
			return err
		}
		defer c.Close()
		for _, file := range args {
			b, err := a.blobOf(file)
			if err != nil {
				return err
			}
			b.Kept = true
			if name != "" {
				b.Name = name
			}
			if b, err = c.put(cmd.Context(), file, b); err != nil {
				return err
			}
			if _, err := io.WriteString(a.out, string(b.ID)+"\n"); err != nil {
				return err
			}
			a.note("rota: %s, %s", clean(b.Name), bytesText(b.Size))
		}
		return nil
	}
	return cmd
}

func (a *app) blobGetCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "get ID", Short: "Write a blob to standard output, or into a file", Args: exactly("ID"),
		Long:    `Writes the bytes of a blob. Its id may be shortened, as long as it names one blob.`,
		Example: examples("rota blob get 3f5a9c -o sim"),
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "`file` to write; there must be none of that name")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := a.connect(cmd, wantRead)
		if err != nil {
			return err
		}
		defer c.Close()
		b, err := c.blobNamed(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if file == "" {
			return c.copyBlob(cmd.Context(), b.ID, a.out)
		}
		return c.saveBlob(cmd.Context(), b.ID, file)
	}
	return cmd
}

// saveBlob writes a blob into a new file, which is not there when it does not succeed.
func (c *conn) saveBlob(ctx context.Context, id rota.BlobID, name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fileError("file", err)
	}
	err = c.copyBlob(ctx, id, f)
	if e := f.Close(); err == nil && e != nil {
		err = fileError("file", e)
	}
	if err != nil {
		os.Remove(name)
	}
	return err
}

func (c *conn) copyBlob(ctx context.Context, id rota.BlobID, w io.Writer) error {
	return copyPieces("blob "+string(id), w, func(at int64) ([]byte, int64, error) { return c.ReadBlob(ctx, id, at, rota.MaxPartBytes) })
}

// copyPieces writes all of something that is read piece by piece.
func copyPieces(what string, w io.Writer, read func(at int64) ([]byte, int64, error)) error {
	for at := int64(0); ; {
		data, size, err := read(at)
		if err == nil && len(data) == 0 && at < size {
			err = rota.Errorf(rota.ErrInternal, "%s: ends at byte %d of %d", what, at, size)
		}
		if err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return fileError("write", err)
		}
		if at += int64(len(data)); at >= size {
			return nil
		}
	}
}

// blobNamed is the blob whose id begins so.
func (c *conn) blobNamed(ctx context.Context, prefix string) (rota.Blob, error) {
	if id := rota.BlobID(prefix); id.Check() == nil {
		return c.Blob(ctx, id)
	}
	found, err := c.Blobs(ctx, rota.BlobQuery{Prefix: prefix, Max: 2})
	switch {
	case err != nil:
		return rota.Blob{}, err
	case len(found) == 0 || prefix == "":
		return rota.Blob{}, rota.Errorf(rota.ErrNotFound, "blob %q: no id begins so", prefix).WithFix("rota blob ls")
	case len(found) > 1:
		return rota.Blob{}, rota.Invalid("blob %q: several ids begin so", prefix).WithFix("write more of it: rota blob ls -o wide")
	}
	return found[0], nil
}

func (a *app) blobLsCommand() *cobra.Command {
	return nounLs(a, &cobra.Command{Short: "List blobs, newest first", Example: examples("rota blob ls", "rota blob ls -o wide")}, "blobs", blobTable, allBlobs)
}

// allBlobs are the blobs of all pages.
func allBlobs(s rota.Service, ctx context.Context) (all []rota.Blob, err error) {
	const page = 1000
	for q := (rota.BlobQuery{Max: page}); ; {
		some, err := s.Blobs(ctx, q)
		if errors.Is(err, rota.ErrNotFound) && q.After != "" {
			return all, nil // the last one was removed meanwhile
		}
		if all = append(all, some...); err != nil || len(some) < page {
			return all, err
		}
		q.After = some[len(some)-1].ID
	}
}

var blobTable = list[rota.Blob]{
	id: func(b rota.Blob) string { return string(b.ID) },
	columns: []column[rota.Blob]{
		{head: "ID", cell: func(b rota.Blob, s style) string { return string(b.ID)[:12] }},
		{head: "SHA256", cell: func(b rota.Blob, _ style) string { return string(b.ID) }, wide: true},
		{head: "NAME", cell: func(b rota.Blob, _ style) string { return clean(b.Name) }},
		{head: "SIZE", cell: func(b rota.Blob, _ style) string { return bytesText(b.Size) }, right: true},
		{head: "USES", cell: func(b rota.Blob, _ style) string { return strconv.Itoa(b.Uses) }, right: true},
		{head: "KEPT", cell: func(b rota.Blob, _ style) string { return map[bool]string{true: "yes", false: "while used"}[b.Kept] }},
		{head: "BY", cell: func(b rota.Blob, _ style) string { return clean(b.Creator) }},
		{head: "CREATED", cell: func(b rota.Blob, s style) string { return s.at(b.Created) }},
		{head: "URL", cell: func(b rota.Blob, _ style) string { return b.URL }, wide: true},
	},
}

func (a *app) blobRmCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rm ID...", Short: "Remove blobs", Example: examples("rota blob rm 3f5a9c"), Args: some("ID"),
		Long: `Removes blobs. One that a job needs which has not ended, or a schedule, stays.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.connect(cmd, wantChange)
			if err != nil {
				return err
			}
			defer c.Close()
			for _, arg := range args {
				b, err := c.blobNamed(cmd.Context(), arg)
				if err != nil {
					return err
				}
				if err := c.DropBlob(cmd.Context(), b.ID); err != nil {
					return err
				}
				a.note("blob %.12s %s removed", b.ID, clean(b.Name))
			}
			return nil
		},
	}
}
