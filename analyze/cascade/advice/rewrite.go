package advice

import (
	"strings"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// rewriter edits a text by lines, all of which are numbered as they were from 1.
type rewriter struct {
	lines   []string // with what ends them
	end     string   // what ends a line
	drop    map[int]bool
	replace map[int]string
	before  map[int][]piece // what comes before a line; len(lines)+1 for the end
}

// piece is lines that are put somewhere: new ones, or some that stood elsewhere.
type piece struct {
	text  []string
	moved dockerfile.Range
}

func newRewriter(source []byte) *rewriter {
	w := &rewriter{end: "\n", drop: map[int]bool{}, replace: map[int]string{}, before: map[int][]piece{}}
	text := string(source)
	if strings.Contains(text, "\r\n") {
		w.end = "\r\n"
	}
	if text != "" {
		w.lines = strings.SplitAfter(text, "\n")
	}
	if n := len(w.lines); n > 0 && w.lines[n-1] == "" {
		w.lines = w.lines[:n-1]
	}
	return w
}

// move puts lines before another line. Lines are moved once.
func (w *rewriter) move(r dockerfile.Range, before int) {
	for n := r.Start; n <= r.End; n++ {
		w.drop[n] = true
	}
	w.before[before] = append(w.before[before], piece{moved: r})
}

// insert puts new lines before another line.
func (w *rewriter) insert(before int, lines ...string) {
	w.before[before] = append(w.before[before], piece{text: lines})
}

// result returns the edited text, and where each line went.
func (w *rewriter) result() (text []byte, at map[int]int) {
	var b strings.Builder
	at = map[int]int{}
	n := 0
	line := func(s string) {
		n++
		b.WriteString(strings.TrimRight(s, "\r\n") + w.end)
	}
	old := func(i int) {
		s := w.lines[i-1]
		if r, ok := w.replace[i]; ok {
			s = r
		}
		for part := range strings.SplitSeq(strings.TrimRight(s, "\r\n"), "\n") {
			line(part)
			if at[i] == 0 {
				at[i] = n
			}
		}
	}
	for i := 1; i <= len(w.lines)+1; i++ {
		for _, p := range w.before[i] {
			for _, s := range p.text {
				line(s)
			}
			if p.moved.Start > 0 {
				for j := p.moved.Start; j <= p.moved.End; j++ {
					old(j)
				}
			}
		}
		if i <= len(w.lines) && !w.drop[i] {
			old(i)
		}
	}
	out := b.String()
	if last := len(w.lines); last > 0 && !strings.HasSuffix(w.lines[last-1], "\n") {
		out = strings.TrimSuffix(out, w.end) // the file's last line stays without its end
	}
	return []byte(out), at
}

// withComments returns an instruction's lines with the comments right above it.
func (f *finder) withComments(s *cascade.Step) dockerfile.Range {
	r := s.Lines
	for r.Start > 1 && strings.HasPrefix(strings.TrimSpace(f.sourceLine(r.Start-1)), "#") && !f.taken[r.Start-1] {
		r.Start--
	}
	return r
}

func (f *finder) sourceLine(n int) string {
	if n < 1 || n > len(f.lines) {
		return ""
	}
	return f.lines[n-1]
}

// rewritten returns the build of a rewritten Dockerfile and of a .dockerignore
// with more lines, which leave out paths; false if it isn't one that the builder
// takes, or if it fails where the file as it is doesn't.
func (f *finder) rewritten(w *rewriter, ignore []string, removed []string) (variant, Edit, bool) {
	v := variant{build: f.b, removed: removed}
	var e Edit
	if w != nil {
		text, at := w.result()
		file, err := dockerfile.Parse(f.b.Graph.File.Name, text)
		if err != nil {
			return v, e, false
		}
		if v.build.Graph, err = cascade.New(file, f.b.Graph.Options); err != nil {
			return v, e, false
		}
		v.lines = at
		e.Dockerfile = &Rewrite{file.Name, string(f.b.Graph.File.Source), string(text)}
	}
	if len(ignore) > 0 {
		v.build = f.ignoring(v.build, removed)
		e.IgnoreLines = ignore
		if name, text, ok := f.ignoreFile(); ok {
			e.Ignore = &Rewrite{name, text, appendLines(text, ignore)}
		}
	}
	if f.sound && v.build.Check(f.ctx) != nil {
		return v, e, false
	}
	return v, e, true
}

// ignoring returns a build whose context lacks paths.
func (f *finder) ignoring(b cascade.Build, removed []string) cascade.Build {
	changes := make([]buildcontext.Change, 0, len(removed))
	for _, p := range removed {
		changes = append(changes, buildcontext.Change{Path: p, Kind: buildcontext.Removed})
	}
	contexts := map[string]*buildcontext.Tree{}
	for name, tree := range b.Contexts {
		contexts[name] = tree
	}
	contexts[""] = contexts[""].Edit(changes...)
	b.Contexts = contexts
	if !contexts[""].Has(b.Dockerfile) {
		b.Dockerfile = "" // an edit of it is none of the context any more
	}
	return b
}

// appendLines adds lines to a text.
func appendLines(text string, lines []string) string {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + strings.Join(lines, "\n") + "\n"
}
