package demo

import (
	"archive/tar"
	"hash"
	"io"
	"path"
	"strings"

	"github.com/layerscope/layerscope/analyze/synth"
)

// member is a file of a package.
type member struct {
	path string      // from the root
	body synth.Entry // the entry with its bytes: of a hard link the other
}

// members returns the files and links of a layer that match patterns: those of
// path.Match, or folders, which end in a slash.
func members(l synth.Layer, patterns string) []member {
	bodies := map[string]synth.Entry{}
	var ms []member
	for _, e := range l {
		h := e.Header()
		bodies[h.Name] = e
		if h.Typeflag == tar.TypeDir || !matches(h.Name, patterns) {
			continue
		}
		if h.Typeflag == tar.TypeLink {
			e = bodies[h.Linkname]
		}
		ms = append(ms, member{h.Name, e})
	}
	return ms
}

// matches tells whether one of the patterns has a path.
func matches(name, patterns string) bool {
	for p := range strings.FieldsSeq(patterns) {
		if ok, _ := path.Match(p, name); ok || strings.HasSuffix(p, "/") && strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// sumFunc returns the sum of a file as a text has it: always as many characters.
type sumFunc func(member) string

// summed is a file whose text has sums of other files. They cost more than all
// else that is made up here, so they are worked out when the file is read.
func summed(name string, sum sumFunc, text func(sumFunc) string) synth.Entry {
	blank := sum(member{})
	size := len(text(func(member) string { return blank }))
	return synth.Stream(name, int64(size), func() io.Reader { return strings.NewReader(text(sum)) })
}

// digest returns the sum of the file's bytes.
func (m member) digest(h hash.Hash) []byte {
	_, _ = io.Copy(h, m.body.Open()) // neither fails
	return h.Sum(nil)
}
