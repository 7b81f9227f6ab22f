package cause

import "github.com/layerscope/layerscope/analyze/tree"

// Of is a stand-in: the merge with this package's own branch removes this file.
func (r *Report) Of(tree.Ref) (Of, bool) { return Of{Application, "/"}, true }
