package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// network are file systems whose locks and shared memory cannot be trusted: the store's files lie there badly.
var network = []string{
	"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "9p", "lustre", "gfs2", "ocfs2", "beegfs", "gpfs", "glusterfs", "coda", "ncpfs",
	"davfs", "vboxsf", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.ceph-fuse", "fuse.davfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.goofys",
	"fuse.rclone", "fuse.juicefs", "fuse.mfs", "fuse.curlftpfs", "fuse.gvfsd-fuse",
}

// NetworkFileSystem names the network file system that a folder lies on. It is empty for a local one, and where
// that cannot be told.
func NetworkFileSystem(dir string) string {
	if m, err := mountOf(dir); err == nil && slices.Contains(network, m.kind) {
		return m.kind
	}
	return ""
}

func checkFileSystem(_ context.Context, p Place) Finding {
	base, err := ground(p.Data)
	if err != nil {
		return fail(elsewhere, "the file system of %s is not known: %v", p.Data, err)
	}
	m, err := mountOf(base)
	if err != nil {
		return ok("the file system of %s is not known: %v", base, err)
	}
	return judgeMount(m, base)
}

func judgeMount(m mount, dir string) Finding {
	switch {
	case slices.Contains(network, m.kind):
		return fail("choose a folder on a local disk with --data DIR",
			"%s lies on a network file system (%s), where locks cannot be trusted", dir, m.kind)
	case m.kind == "tmpfs" || m.kind == "ramfs":
		return warn("choose a folder on a disk with --data DIR",
			"%s lies in memory (%s): all jobs are lost when the machine restarts", dir, m.kind)
	case slices.Contains(m.options, "noexec"):
		return warn("mount -o remount,exec "+quote(m.point)+", or choose another folder with --data DIR",
			"%s lies on a file system (%s) from which no programs may run: jobs that are scripts cannot start", dir, m.kind)
	}
	return ok("%s lies on a local file system (%s)", dir, m.kind)
}

// mount is one file system in its place.
type mount struct {
	root    string // what of the file system is mounted
	point   string // where
	options []string
	kind    string
}

// mountOf is the file system that a folder lies on.
func mountOf(dir string) (mount, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return mount{}, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return mount{}, cause(err)
	}
	all, err := readMounts("/proc/self/mountinfo")
	if err != nil {
		return mount{}, err
	}
	m, found := mountAbove(all, dir)
	if !found {
		return mount{}, fmt.Errorf("%s is below no mount point", dir)
	}
	return m, nil
}

// mountAbove is the mount with the longest path above or at dir; of several in one place the last covers the others.
func mountAbove(all []mount, dir string) (above mount, found bool) {
	for _, m := range all {
		in := m.point == "/" || dir == m.point || strings.HasPrefix(dir, m.point+"/")
		if in && len(m.point) >= len(above.point) {
			above, found = m, true
		}
	}
	return above, found
}

// readMounts reads a file in the form of /proc/self/mountinfo, as proc(5) has it:
//
//	36 35 98:0 /root /point rw,noatime shared:1 - ext4 /dev/sda1 rw
func readMounts(path string) ([]mount, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []mount
	for line := range strings.Lines(string(text)) {
		before, after, found := strings.Cut(line, " - ")
		b, a := strings.Fields(before), strings.Fields(after)
		if !found || len(b) < 6 || len(a) < 1 {
			continue
		}
		all = append(all, mount{root: unescape.Replace(b[3]), point: unescape.Replace(b[4]), options: strings.Split(b[5], ","), kind: a[0]})
	}
	return all, nil
}

// unescape undoes what the kernel does to blanks in paths.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
