//go:build unix

package buildcontext

import (
	"io/fs"
	"syscall"
)

// setSystem sets what the system's own description of a file says.
func setSystem(e *Entry, fi fs.FileInfo) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	e.UID, e.GID = int(st.Uid), int(st.Gid)
	if e.Mode&fs.ModeDevice != 0 {
		e.device = uint64(st.Rdev)
	}
	if st.Nlink > 1 && !e.IsDir() && !e.isLink() {
		e.inode = st.Ino
	}
}
