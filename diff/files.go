package diff

import (
	"context"

	"github.com/layerscope/layerscope/analyze/tree"
)

// FileState is what became of a path of the final filesystem.
type FileState uint8

// The states of paths.
const (
	FileAdded       FileState = iota
	FileRemoved               //
	FileModified              // a file with other content, a link with another target, another device
	FileMetadata              // mode, owner, extended attributes, hard links; times only if Options.Strict
	FileMoved                 // a file's path is gone, and one of the same content has come
	FileTypeChanged           // something of another type stands there

	NumFileStates = iota
)

var fileStates = [NumFileStates]string{"added", "removed", "modified", "metadata", "moved", "typeChanged"}

// String returns the state's name as JSON has it.
func (s FileState) String() string { return fileStates[s] }

// What is a set of what differs of two files.
type What uint16

// What can differ.
const (
	Type    What = 1 << iota
	Content      // a file's bytes
	Target       // of a symbolic link
	Device       // a device's numbers
	Mode         // permissions, setuid, setgid, sticky
	Owner        // uid or gid
	Xattrs       // extended attributes
	Links        // with which other paths it is one file
	Mtime        // only with Options.Strict
)

var whats = [...]string{"type", "content", "target", "device", "mode", "owner", "xattrs", "links", "mtime"}

// Names returns the names of what differs as JSON has them.
func (w What) Names() []string {
	var names []string
	for i, name := range whats {
		if w&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// NoNode stands for no path.
const NoNode tree.Node = -1

// File is a path that differs.
type File struct {
	State FileState
	What  What // of FileModified, FileMetadata, FileMoved and FileTypeChanged
	// Old and New are the paths in the images' trees: NoNode in the one that
	// hasn't got it, the same path unless it was moved.
	Old, New tree.Node
	// Bytes are those of the copies at the path, each copy counted once: one
	// of several hard links at the first that both images have as a file, so
	// that a link that goes or comes takes no bytes with it; if there is none
	// at the first.
	Bytes Bytes
}

// FileSum is what paths add up to.
type FileSum struct {
	Count int
	Bytes Bytes
}

// Dir is a directory of either image below which, or of which, something
// differs.
type Dir struct {
	Old, New tree.Node // NoNode in the image that has no directory there
	Bytes    Bytes     // of all live copies below it, changed or not
	// Changed counts the paths at and below it that differ.
	Changed int
	// Churn is the bytes that came and that went below it: of each path that
	// differs by how much its bytes do, and of one with other content both.
	Churn int64
	Depth int // of the root 0
	End   int // index of the directory after its last subdirectory's
}

// Files is the final filesystems compared. The bytes of all sums and Dead add
// up to what the images store.
type Files struct {
	// Changes are the paths that differ, in the order of the paths; one that
	// was moved stands at its new one.
	Changes   []File
	Sums      [NumFileStates]FileSum
	Unchanged FileSum
	Dead      Bytes

	// Dirs are the directories in depth-first order, the root first.
	Dirs []Dir
}

func compareFiles(ctx context.Context, old, new *tree.Tree, opts Options) (*Files, error) {
	return &Files{}, nil
}
