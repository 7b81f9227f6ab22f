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
	FileMoved                 // a file with bytes is gone from one path, and one of the same content has come at another
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
	Mode         // permissions, setuid, setgid, sticky; not of a symbolic link, where they mean nothing
	Owner        // uid or gid
	Xattrs       // extended attributes, by names and values
	// Links is with which others it is one file, of the paths at which both
	// images have something of its type. A link that comes or goes differs
	// itself, and no path that it leads to.
	Links
	Mtime // only with Options.Strict; never of a directory that no layer has an entry for
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

// File is a path that differs, a directory's too.
type File struct {
	State FileState
	// What differs: of FileModified and FileMetadata all that does, of
	// FileMoved what does beside the path, of FileTypeChanged Type alone.
	// Links aren't compared across a move.
	What What
	// Old and New are the paths in the images' trees: NoNode in the one that
	// hasn't got it, the same path unless it was moved.
	Old, New tree.Node
	// Bytes are those of the copies at the path, each copy counted once: one
	// of several hard links at the first that both images have as a file, so
	// that a link that goes or comes takes no bytes with it; if there is none
	// at the first.
	Bytes Bytes
}

// Dir is a path at which either image has a directory, and at or below which
// something differs.
type Dir struct {
	Old, New tree.Node // NoNode in the image that has no directory there
	// Bytes are those of all live copies below it, changed or not, and of the
	// file that the other image may have at the path itself.
	Bytes Bytes
	// Changed counts the paths at and below it that differ. What was moved
	// counts at both its paths.
	Changed int
	// Churn is the bytes that came and that went at and below it: of each path
	// that differs by how much its bytes do, and of one with other content
	// both. What was moved has gone from one path and come at the other.
	Churn int64
	Depth int // of the root 0
	End   int // index of the directory after its last subdirectory's
}

// Files is the final filesystems compared. The bytes of all sums and Dead add
// up to what the images store.
type Files struct {
	// Changes are the paths that differ, in the order of the paths: depth
	// first, names bytewise. One that was moved stands at its new one.
	Changes []File
	// Sums are what the paths of each state add up to, and Unchanged all
	// others. Directories count, without bytes.
	Sums      [NumFileStates]Sum
	Unchanged Sum
	Dead      Bytes

	// Dirs are the directories in the same order, the root first. The root
	// is there if nothing differs, too.
	Dirs []Dir

	old, new *tree.Tree
}

// Path returns the path of a change or a directory, relative to the root: NEW's if
// NEW has it, else OLD's.
func (f *Files) Path(old, new tree.Node) string {
	if new != NoNode {
		return f.new.Path(new)
	}
	return f.old.Path(old)
}

// compareFiles compares two final filesystems. It takes time in proportion to
// their paths, but for the sort of what may have been moved, and some 60 bytes
// of memory for each. The error is that of ctx.
func compareFiles(ctx context.Context, old, new *tree.Tree, opts Options) (*Files, error) {
	c := &comparison{strict: opts.Strict, old: newSide(old), new: newSide(new)}
	f := &Files{old: old, new: new, Dead: Bytes{deadBytes(old), deadBytes(new)}}
	for _, step := range []func(context.Context) error{
		c.walk,
		c.findLinks,
		func(ctx context.Context) error { return c.findChanges(ctx, f) },
		c.findMoved,
		func(ctx context.Context) error { return c.rollUp(ctx, f) },
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	c.tell(f)
	return f, nil
}

func deadBytes(t *tree.Tree) int64 {
	dead := int64(0)
	for k := range t.Layers() {
		dead += t.Sums(k).Dead
	}
	return dead
}

// done returns ctx's error, which it asks for now and then as i counts.
func done(ctx context.Context, i int) error {
	const often = 1 << 13
	if i%often != 0 {
		return nil
	}
	return ctx.Err()
}
