package diff

import "github.com/layerscope/layerscope/analyze/tree"

// Stubs, until the files' part has them.

// MovedDir is a stub.
type MovedDir struct {
	Old, New tree.Node
	FileSum
}

// MovedDirs is a stub.
func (f *Files) MovedDirs() []MovedDir { return nil }

// Notable is a stub.
func (f *Files) Notable(n int) []int { return nil }
