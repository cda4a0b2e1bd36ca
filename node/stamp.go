package node

import "golang.org/x/sys/unix"

func stampOf(path string) (stamp, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return stamp{}, err
	}
	return stamp{size: st.Size, inode: st.Ino, mode: uint32(st.Mode), ctime: st.Ctim.Nano(), when: st.Mtim.Nano()}, nil
}
