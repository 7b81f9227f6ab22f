//go:build !unix

package buildcontext

import "io/fs"

// setSystem gives files the modes that BuildKit's client gives them on Windows:
// all of them may be run, and none be written by others.
func setSystem(e *Entry, _ fs.FileInfo) {
	e.Mode = e.Mode&^fs.ModePerm | (e.Mode.Perm()|0o111)&0o755
}
