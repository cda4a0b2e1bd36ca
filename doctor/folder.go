package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

const elsewhere = "choose another folder with --data DIR or ROTA_DATA"

// checkFolder asks whether the data folder is, or can be made, a folder of the user's alone that takes files.
func checkFolder(_ context.Context, p Place) Finding {
	base, err := ground(p.Data)
	if err != nil {
		return fail(elsewhere, "data folder %s: %v", p.Data, err)
	}
	info, err := os.Stat(base)
	if err != nil {
		return fail(elsewhere, "data folder %s: %v", p.Data, cause(err))
	}
	there := isSame(base, p.Data)
	switch {
	case !info.IsDir() && there:
		return fail(fmt.Sprintf("mv %s %s, or %s", quote(base), quote(base+".old"), elsewhere), "data folder %s: it is not a folder", p.Data)
	case !info.IsDir():
		return fail(elsewhere, "data folder %s cannot be made: %s is not a folder", p.Data, base)
	}
	if err := withOwnFile(base, func(*os.File) error { return nil }); err != nil {
		if there {
			return fail(mendWrite(base, err), "data folder %s takes no files: %v", base, err)
		}
		return fail(mendWrite(base, err), "data folder %s cannot be made: %s takes no files: %v", p.Data, base, err)
	}
	if !there {
		return ok("data folder %s is not there yet; it can be made in %s", p.Data, base)
	}
	return judgeFolder(base, info, os.Geteuid())
}

func isSame(base, dir string) bool {
	abs, err := filepath.Abs(dir)
	return err == nil && abs == base
}

// mendWrite is what helps against an error of writing to a folder.
func mendWrite(dir string, err error) string {
	switch {
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return elsewhere + ", or let the folder's owner run: chown " + userName(os.Geteuid()) + " " + quote(dir)
	case errors.Is(err, syscall.EROFS):
		return elsewhere + ", or make the file system writable: mount -o remount,rw " + quote(dir)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "free some space, or " + elsewhere
	}
	return elsewhere
}

// judgeFolder looks at who owns a folder that the user with the given id can write, and at who else can.
func judgeFolder(dir string, info fs.FileInfo, uid int) Finding {
	perm := info.Mode().Perm()
	switch {
	case perm&0o022 != 0 && info.Mode()&fs.ModeSticky != 0:
		return fail("give the node a folder of its own: --data "+quote(filepath.Join(dir, "rota")),
			"data folder %s is everybody's (mode %04o): other users could put their own files there", dir, perm)
	case perm&0o022 != 0:
		return fail("chmod 700 "+quote(dir), "data folder %s can be written by other users (mode %04o): they could make jobs do anything", dir, perm)
	case ownerOf(info) != uid:
		return warn(fmt.Sprintf("run rota as %s, or chown -R %s %s", userName(ownerOf(info)), userName(uid), quote(dir)),
			"data folder %s belongs to %s, and this is %s: what one of them writes the other may not read", dir, userName(ownerOf(info)), userName(uid))
	case perm&0o055 != 0:
		return warn("chmod 700 "+quote(dir), "data folder %s can be read by other users (mode %04o): environments and output of jobs are no secret", dir, perm)
	}
	return ok("data folder %s takes files, and is %s's alone", dir, userName(uid))
}

func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return strconv.Itoa(uid)
}
