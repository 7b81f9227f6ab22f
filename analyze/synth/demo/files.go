package demo

import (
	"path"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/layerscope/layerscope/analyze/synth"
)

// sized is a file's name and size.
type sized struct {
	name string
	size int64
}

// body is a file whose content follows from its path: the same path written
// again has the same content.
func body(name string, size int64, opts ...synth.Option) synth.Entry {
	return synth.Body(name, size, xxh3.HashString(name), opts...)
}

// noise is like body, of something that is compressed already.
func noise(name string, size int64, opts ...synth.Option) synth.Entry {
	return synth.Noise(name, size, xxh3.HashString(name), opts...)
}

// same is a copy of the file of, which is a body or, if it is a picture, noise.
func same(name, of string, size int64, opts ...synth.Option) synth.Entry {
	if path.Ext(of) == ".png" {
		return synth.Noise(name, size, xxh3.HashString(of), opts...)
	}
	return synth.Body(name, size, xxh3.HashString(of), opts...)
}

// changed is name with other content than [body] gives it.
func changed(name string, size int64) synth.Entry {
	return synth.Body(name, size, xxh3.HashString(name)+1)
}

// bodies are files below dir.
func bodies(dir string, files []sized, opts ...synth.Option) synth.Layer {
	var l synth.Layer
	for _, f := range files {
		l = append(l, body(path.Join(dir, f.name), f.size, opts...))
	}
	return l
}

// family are files whose paths are pattern with the names in place of its *,
// of sizes between low and high.
func family(pattern, names string, low, high int64) synth.Layer {
	var l synth.Layer
	for name := range strings.FieldsSeq(names) {
		p := strings.ReplaceAll(pattern, "*", name)
		l = append(l, body(p, between(p, low, high)))
	}
	return l
}

// between is a size that follows from the path.
func between(name string, low, high int64) int64 {
	return low + int64(xxh3.HashString(name)%uint64(high-low))
}

// python are the modules of a package and the bytecode pip or apt compiled of
// them.
func python(dir, names string, low, high int64) synth.Layer {
	return slices.Concat(
		family(dir+"/*.py", names, low, high),
		family(dir+"/__pycache__/*.cpython-311.pyc", names, low, high))
}
