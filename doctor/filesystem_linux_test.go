package doctor

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// The form is that of /proc/self/mountinfo; the last line covers what was mounted in its place before.
const madeUpMounts = `
22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
35 22 0:30 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2
36 22 0:31 / /homestead rw,noexec shared:3 - xfs /dev/sdb1 rw
37 22 0:32 / /with\040blank rw,relatime shared:4 master:1 - fuse.sshfs me@there: rw
38 22 0:33 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,size=64k
39 22 0:34 / /net rw shared:6 - autofs systemd-1 rw
40 39 0:35 / /net rw shared:7 - cifs //server/share rw
not a line
`

func TestP26FileSystem(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mountinfo")
	if err := os.WriteFile(file, []byte(madeUpMounts), 0o600); err != nil {
		t.Fatal(err)
	}
	mounts, err := readMounts(file)
	if err != nil || len(mounts) != 7 {
		t.Fatalf("%d mounts, %v: want 7", len(mounts), err)
	}
	for _, c := range []struct {
		dir   string
		level Level
		kind  string
	}{
		{"/var/lib/rota", OK, "ext4"},
		{"/home", Fail, "nfs4"},
		{"/home/kim/rota", Fail, "nfs4"},
		{"/homely", OK, "ext4"},
		{"/homestead/rota", Warn, "xfs"},
		{"/with blank/rota", Fail, "fuse.sshfs"},
		{"/run/rota", Warn, "tmpfs"},
		{"/net/rota", Fail, "cifs"},
	} {
		m, found := mountAbove(mounts, c.dir)
		if !found {
			t.Errorf("%s: no mount found", c.dir)
		}
		expect(t, judgeMount(m, c.dir), c.level, "("+c.kind+")")
	}
}

func TestFileSystemInMemory(t *testing.T) {
	dir := mountSmall(t, "size=64k")
	expect(t, checkFileSystem(t.Context(), Place{Data: filepath.Join(dir, "not", "yet")}), Warn, "tmpfs")
	if kind := NetworkFileSystem(dir); kind != "" {
		t.Errorf("%s is taken for a network file system, %q", dir, kind)
	}
}

func TestFullFileSystem(t *testing.T) {
	dir := mountSmall(t, "size=64k")
	expect(t, checkSpace(t.Context(), Place{Data: dir}), Fail, "64 KiB left")
	if err := os.WriteFile(filepath.Join(dir, "file"), make([]byte, 1<<20), 0o600); err == nil {
		t.Fatal("the file system was to be full")
	}
	expect(t, checkSpace(t.Context(), Place{Data: dir}), Fail, "0 KiB left")
	f := checkFsync(t.Context(), Place{Data: dir})
	expect(t, f, Fail, "no space left")
	if names := namesIn(t, dir); names != "file" {
		t.Errorf("%q is in the folder: want nothing of ours", names)
	}
}

func TestFileSystemWithoutInodes(t *testing.T) {
	dir := mountSmall(t, "size=64k,nr_inodes=2")
	expect(t, checkInodes(t.Context(), Place{Data: dir}), Fail, "only 1 more files")
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, checkInodes(t.Context(), Place{Data: dir}), Fail, "only 0 more files")
	f := checkFolder(t.Context(), Place{Data: dir})
	expect(t, f, Fail, "takes no files: no space left")
}

func TestReadOnlyFileSystem(t *testing.T) {
	dir := mountSmall(t, "ro")
	expect(t, checkFolder(t.Context(), Place{Data: dir}), Fail, "read-only file system")
	expect(t, checkFolder(t.Context(), Place{Data: filepath.Join(dir, "a")}), Fail, "cannot be made", "read-only file system")
}

// Nobody can make a folder in /proc, root neither.
func TestFolderThatCannotBeMade(t *testing.T) {
	expect(t, checkFolder(t.Context(), Place{Data: "/proc/rota"}), Fail, "cannot be made: /proc takes no files")
	expect(t, checkFsync(t.Context(), Place{Data: "/proc/rota"}), Fail, "not measured")
}

// mountSmall mounts a file system in memory for the test.
func mountSmall(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	var flags uintptr
	if options == "ro" {
		options, flags = "size=64k", unix.MS_RDONLY
	}
	if err := unix.Mount("rota-test", dir, "tmpfs", flags, options+",mode=700"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}
