package edit

import (
	"bytes"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// document is a Dockerfile as raw text, with the places of its instructions.
type document struct {
	text   string
	lines  []string // without line feeds
	escape string
	spots  []*spot
	stages int
}

// spot is an instruction as it stands in the text.
type spot struct {
	index      int    // into document.spots
	stage      int    // -1 before the first FROM
	start, end int    // lines, from 1
	keyword    string // in upper case; of what an ONBUILD puts off, that one's
	trigger    bool
	head       string // its lines without heredocs' text, the last line's feed left off
	body       string // heredocs' text and what ends them, with line feeds
	flags      []span // of head, in order
	words      []span // of head, from what follows the flags
	kw         span
	json       bool // arguments are a JSON list
	pairs      []pair
	heredocs   []parser.Heredoc
}

// pair is a name and a value as they are written, of an ENV, LABEL or ARG.
type pair struct {
	name, value, delim string
	set                bool // there is a value
}

type span struct{ start, end int }

// newDocument returns nil for what BuildKit takes for no Dockerfile.
func newDocument(text []byte) *document {
	if !parses(text) {
		return nil
	}
	r, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil
	}
	d := &document{text: string(text), lines: strings.Split(string(text), "\n"), escape: string(r.EscapeToken)}
	stage := -1
	for _, n := range r.AST.Children {
		if strings.EqualFold(n.Value, "FROM") {
			stage++
		}
		d.spots = append(d.spots, d.newSpot(n, len(d.spots), stage))
	}
	d.stages = stage + 1
	return d
}

func (d *document) newSpot(n *parser.Node, index, stage int) *spot {
	s := &spot{index: index, stage: stage, start: n.StartLine, end: max(n.StartLine, n.EndLine), heredocs: n.Heredocs}
	under := 0 // lines of heredocs
	for _, h := range n.Heredocs {
		under += strings.Count(h.Content, "\n") + 1
	}
	lines := d.lines[s.start-1 : s.end]
	s.head = strings.Join(lines[:len(lines)-under], "\n")
	for _, line := range lines[len(lines)-under:] {
		s.body += line + "\n"
	}
	s.keyword = strings.ToUpper(n.Value)
	words := d.words(s.head)
	s.kw, words = words[0], words[1:]
	if s.keyword == "ONBUILD" && n.Next != nil && len(n.Next.Children) == 1 && len(words) > 0 {
		s.trigger = true
		n = n.Next.Children[0]
		s.keyword = strings.ToUpper(n.Value)
		s.kw, words = words[0], words[1:]
	}
	for len(words) > 0 && strings.HasPrefix(s.at(words[0]), "--") && len(s.at(words[0])) > 2 {
		s.flags = append(s.flags, words[0])
		words = words[1:]
	}
	s.words = words
	s.json = n.Attributes["json"]
	switch s.keyword {
	case "ENV", "LABEL":
		s.pairs = triples(n)
	case "ARG":
		s.pairs = names(n)
	}
	if !s.read(n) {
		s.flags = nil
	}
	return s
}

// read tells whether the flags that we found are those that BuildKit did.
func (s *spot) read(n *parser.Node) bool {
	return slices.EqualFunc(s.flags, n.Flags, func(f span, flag string) bool { return s.at(f) == flag })
}

// triples returns the names and values of an ENV or LABEL.
func triples(n *parser.Node) []pair {
	var pairs []pair
	for n = n.Next; n != nil && n.Next != nil && n.Next.Next != nil; n = n.Next.Next.Next {
		pairs = append(pairs, pair{n.Value, n.Next.Value, n.Next.Next.Value, true})
	}
	return pairs
}

// names returns the names, and values if any, of an ARG.
func names(n *parser.Node) []pair {
	var pairs []pair
	for n = n.Next; n != nil; n = n.Next {
		name, value, set := strings.Cut(n.Value, "=")
		pairs = append(pairs, pair{name, value, "=", set})
	}
	return pairs
}

// words returns what stands between white space, which the end of a line that
// is continued is not.
func (d *document) words(head string) []span {
	var words []span
	start := -1
	end := func(at int) {
		if start >= 0 {
			words = append(words, span{start, at})
		}
		start = -1
	}
	offset := 0
	for i, line := range strings.SplitAfter(head, "\n") {
		blank := strings.TrimSpace(line)
		if i == 0 || blank != "" && !strings.HasPrefix(blank, "#") {
			rest := strings.TrimRight(line, " \t\r\n")
			if strings.HasSuffix(rest, d.escape) && strings.HasSuffix(line, "\n") {
				rest = strings.TrimSuffix(rest, d.escape)
			} else {
				rest += " "
			}
			for j, c := range rest {
				if strings.ContainsRune(" \t\v\f\r", c) {
					end(offset + j)
				} else if start < 0 {
					start = offset + j
				}
			}
		}
		offset += len(line)
	}
	end(len(head))
	return words
}

func (s *spot) at(p span) string { return s.head[p.start:p.end] }

// word returns a word, or false for one that isn't there, or goes over lines.
func (s *spot) word(i int) (string, bool) {
	if i < 0 || i >= len(s.words) {
		return "", false
	}
	w := s.at(s.words[i])
	return w, !strings.Contains(w, "\n")
}

// put returns head with a span of it replaced.
func (s *spot) put(p span, text string) string {
	return s.head[:p.start] + text + s.head[p.end:]
}

// without returns head without a word and the white space after it.
func (s *spot) without(p span) string {
	rest := strings.TrimLeft(s.head[p.end:], " \t")
	return s.head[:p.start] + rest
}

// begin is where the arguments begin, after the flags.
func (s *spot) begin() int {
	if len(s.words) == 0 {
		return len(s.head)
	}
	return s.words[0].start
}

// arguments is what follows the flags, as it stands.
func (s *spot) arguments() string { return s.head[s.begin():] }

// withFlag returns head with a flag more, before the arguments.
func (s *spot) withFlag(flag string) string {
	return s.head[:s.begin()] + flag + " " + s.head[s.begin():]
}

// flag returns the spans of the flags of a name.
func (s *spot) flag(name string) []span {
	var found []span
	for _, f := range s.flags {
		if n, _, _ := strings.Cut(s.at(f), "="); n == "--"+name {
			found = append(found, f)
		}
	}
	return found
}

// prefix is what stands before the keyword: white space, and an ONBUILD.
func (s *spot) prefix() string { return s.head[:s.kw.start] }

// key is the keyword as it is written.
func (s *spot) key() string { return s.at(s.kw) }

// with returns the text with an instruction's head replaced.
func (d *document) with(s *spot, head string) string { return d.whole(s, head, s.body) }

// whole returns the text with an instruction replaced: its head, which may be
// several instructions', and its heredocs.
func (d *document) whole(s *spot, head, body string) string {
	return d.splice(s.start, s.end, strings.Split(strings.TrimSuffix(head+"\n"+body, "\n"), "\n"))
}

// splice returns the text with lines from start to end replaced; end may be
// start-1.
func (d *document) splice(start, end int, lines []string) string {
	return strings.Join(slices.Concat(d.lines[:start-1], lines, d.lines[end:]), "\n")
}

// before returns the text with lines more before an instruction.
func (d *document) before(s *spot, lines ...string) string {
	return d.splice(s.start, s.start-1, lines)
}

// after returns the text with lines more after an instruction.
func (d *document) after(s *spot, lines ...string) string {
	return d.splice(s.end+1, s.end, lines)
}

// raw is an instruction's lines.
func (d *document) raw(s *spot) []string { return d.lines[s.start-1 : s.end] }

// next returns the instruction after one in its stage, or nil.
func (d *document) next(s *spot) *spot {
	if s.index+1 < len(d.spots) && d.spots[s.index+1].stage == s.stage {
		return d.spots[s.index+1]
	}
	return nil
}

// names returns the stages' names, "" for those without.
func (d *document) names() []string {
	var names []string
	for _, s := range d.spots {
		if s.keyword == "FROM" && !s.trigger {
			name, _ := s.word(2)
			names = append(names, name)
		}
	}
	return names
}

// other returns a value that isn't v, and is of the like: quotes stay around it.
func other(v string) string {
	for _, quote := range []string{`"`, `'`} {
		if len(v) > 1 && strings.HasPrefix(v, quote) && strings.HasSuffix(v, quote) {
			return v[:len(v)-1] + "-x" + quote
		}
	}
	return v + "-x"
}
