package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) artifactCommand() *cobra.Command {
	return nounCommand("artifact", "Files that jobs have left, as they said: submit --artifact", a.artifactLsCommand(), a.artifactGetCommand())
}

func (a *app) artifactLsCommand() *cobra.Command {
	var form form
	cmd := &cobra.Command{
		Use: "ls [flags] JOB|TASK", Short: "List the files that a job or task has left", Args: exactly("JOB|TASK"),
		Long: `Lists the files that fitted a pattern of "rota submit --artifact" when an attempt had ended, each attempt's, by task, attempt and
name. Why one was not kept is the reason of the attempt: "rota show" has it.`,
		Example: examples("rota artifact ls last", "rota artifact ls 43.17 -o csv"),
	}
	form.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := form.check(); err != nil {
			return err
		}
		return a.withArtifacts(cmd, args[0], func(_ *conn, all []rota.Artifact) error {
			n, err := artifactTable.print(a, form, each(all))
			a.noteRest(form, "artifacts", n, false)
			return err
		})
	}
	return cmd
}

// withArtifacts does something with the artifacts of a job or task.
func (a *app) withArtifacts(cmd *cobra.Command, of string, do func(c *conn, all []rota.Artifact) error) error {
	c, err := a.connect(cmd, wantRead)
	if err != nil {
		return err
	}
	defer c.Close()
	one, err := c.one(cmd.Context(), of)
	if err != nil {
		return err
	}
	all, err := c.artifactsOf(cmd.Context(), one)
	if err != nil {
		return err
	}
	return do(c, all)
}

// artifactsOf are the artifacts of all pages.
func (c *conn) artifactsOf(ctx context.Context, one single) (all []rota.Artifact, err error) {
	const page = 1000
	for q := (rota.ArtifactQuery{Job: one.job, Task: one.task, Max: page}); ; {
		some, err := c.Artifacts(ctx, q)
		if all = append(all, some...); err != nil || len(some) < page {
			return all, err
		}
		last := some[len(some)-1]
		q.After, q.Name = last.Try, last.Name
	}
}

var artifactTable = list[rota.Artifact]{
	id: func(f rota.Artifact) string { return f.Name },
	columns: []column[rota.Artifact]{
		{head: "TASK", cell: func(f rota.Artifact, _ style) string { return f.Task.String() }},
		{head: "ATTEMPT", cell: func(f rota.Artifact, _ style) string { return strconv.Itoa(f.Attempt) }, right: true},
		{head: "SIZE", cell: func(f rota.Artifact, s style) string {
			if s.exact {
				return strconv.FormatInt(f.Size, 10)
			}
			return bytesText(f.Size)
		}, right: true},
		{head: "SHA256", cell: func(f rota.Artifact, s style) string {
			if s.exact {
				return string(f.Blob)
			}
			return string(f.Blob)[:12]
		}},
		{head: "NAME", cell: func(f rota.Artifact, _ style) string { return clean(f.Name) }},
	},
}

func (a *app) artifactGetCommand() *cobra.Command {
	var dir string
	var attempt int
	cmd := &cobra.Command{
		Use: "get [flags] JOB|TASK [NAME...]", Short: "Write files that a task has left into a folder", Args: some("JOB|TASK"),
		Long: `Writes files that a task has left, all or those that are named, under their names into a folder. None is written over another file,
and none outside the folder.`,
		Example: examples("rota artifact get last", "rota artifact get 43.17 out/result.csv -o results"),
	}
	cmd.Flags().StringVarP(&dir, "output", "o", ".", "`folder` to write into, made if it is not there")
	cmd.Flags().IntVar(&attempt, "attempt", 0, "of this attempt (default: the latest that left any)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if attempt < 0 || cmd.Flags().Changed("attempt") && attempt == 0 {
			return rota.Invalid("--attempt %d: attempts are numbered from 1", attempt)
		}
		return a.withArtifacts(cmd, args[0], func(c *conn, all []rota.Artifact) error {
			chosen, err := choose(all, args[0], attempt, args[1:])
			if err != nil {
				return err
			}
			bytes, err := c.saveArtifacts(cmd.Context(), chosen, dir)
			if err == nil {
				a.note("rota: %s, %s, in %s", plural(len(chosen), "file"), bytesText(bytes), clean(dir))
			}
			return err
		})
	}
	return cmd
}

// choose are the artifacts of one attempt of one task that are asked for.
func choose(all []rota.Artifact, of string, attempt int, names []string) ([]rota.Artifact, error) {
	if len(all) > 0 && all[0].Task != all[len(all)-1].Task {
		return nil, rota.Invalid("%s: several tasks of the job have left files", of).WithFix("name one: rota artifact get %v", all[0].Task)
	}
	if attempt == 0 && len(all) > 0 {
		attempt = all[len(all)-1].Attempt
	}
	all = slices.DeleteFunc(all, func(f rota.Artifact) bool { return f.Attempt != attempt })
	for _, name := range names {
		if !slices.ContainsFunc(all, func(f rota.Artifact) bool { return f.Name == name }) {
			return nil, rota.Errorf(rota.ErrNotFound, "artifact %q: %s has none of that name", name, of).WithFix("rota artifact ls %s", of)
		}
	}
	if len(names) > 0 {
		all = slices.DeleteFunc(all, func(f rota.Artifact) bool { return !slices.Contains(names, f.Name) })
	}
	if len(all) == 0 {
		return nil, rota.Errorf(rota.ErrNotFound, "%s: no file that it left is kept", of).WithFix("rota artifact ls %s; rota show %s says why one was not kept", of, of)
	}
	return all, nil
}

// saveArtifacts writes files below a folder: wherever their names and links that are there lead, not out of it.
func (c *conn) saveArtifacts(ctx context.Context, all []rota.Artifact, dir string) (bytes int64, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return 0, fileError("folder", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, fileError("folder", err)
	}
	defer root.Close()
	for _, f := range all {
		if err := c.saveArtifact(ctx, f, root); err != nil {
			return bytes, err
		}
		bytes += f.Size
	}
	return bytes, nil
}

// saveArtifact writes a file, which is not there when it does not succeed.
func (c *conn) saveArtifact(ctx context.Context, f rota.Artifact, root *os.Root) error {
	if err := rota.CheckArtifactName(f.Name); err != nil {
		return err
	}
	if err := root.MkdirAll(path.Dir(f.Name), 0o777); err != nil {
		return fileError("folder", err)
	}
	to, err := root.OpenFile(f.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fileError("file", err)
	}
	sum := sha256.New()
	err = copyPieces("artifact "+clean(f.Name), io.MultiWriter(to, sum), func(at int64) ([]byte, int64, error) {
		return c.ReadArtifact(ctx, f.Try, f.Name, at, rota.MaxPartBytes)
	})
	if is := hex.EncodeToString(sum.Sum(nil)); err == nil && is != string(f.Blob) {
		err = rota.Errorf(rota.ErrInternal, "artifact %s: what came has the SHA-256 %s", clean(f.Name), is)
	}
	if e := to.Close(); err == nil && e != nil {
		err = fileError("file", e)
	}
	if err != nil {
		_ = root.Remove(f.Name)
	}
	return err
}
