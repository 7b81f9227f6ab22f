package dockerfile

import (
	"bytes"
	"errors"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Newer tells whether what is wrong may well be right to another BuildKit than
// ours: an instruction or a flag that isn't known. A word that is nearly an
// instruction's is taken for a slip.
func (e *Error) Newer() bool {
	text := e.Err.Error()
	if strings.Contains(text, "did you mean") {
		return false
	}
	return strings.HasPrefix(text, "unknown instruction: ") || strings.HasPrefix(text, "unknown flag: ")
}

// ParseEdited reads a Dockerfile that may not be finished, or that may hold
// what our BuildKit doesn't know: an instruction that can't be read is kept as
// a Broken one. If the text itself can't be told into instructions, as where a
// heredoc has no end, the rest of the file is one. The error is an [*Error],
// and only of a file without a FROM.
func ParseEdited(name string, text []byte) (*File, error) {
	f := &File{Name: name, Source: text, Escape: parser.DefaultEscapeToken}
	parsed, err := parser.Parse(bytes.NewReader(text))
	rest := (*Instruction)(nil)
	for err != nil {
		if rest != nil {
			return nil, &Error{name, errorLine(text, err), err}
		}
		rest = restOf(text, errorLine(text, err), err)
		if parsed, err = parser.Parse(bytes.NewReader(firstLines(text, rest.Lines.Start-1))); err != nil {
			return nil, &Error{name, rest.Lines.Start, rest.Broken}
		}
	}
	f.Escape = parsed.EscapeToken
	for _, node := range parsed.AST.Children {
		if err := f.add(node); err != nil {
			f.addBroken(&Instruction{
				Keyword: strings.ToUpper(node.Value), Text: strings.TrimSpace(node.Original),
				Lines: Range{node.StartLine, max(node.StartLine, node.EndLine)}, Broken: err,
			})
		}
	}
	if rest != nil {
		f.addBroken(rest)
	}
	if len(f.Stages) == 0 {
		return nil, &Error{name, 1, errors.New("there is no FROM")}
	}
	return f, nil
}

// restOf returns a text from a line on as an instruction that can't be read.
func restOf(text []byte, line int, err error) *Instruction {
	lines := strings.Split(string(text), "\n")
	first := ""
	if line <= len(lines) {
		first = strings.TrimSpace(lines[line-1])
	}
	keyword, _, _ := strings.Cut(first, " ")
	end := len(lines)
	for end > line && strings.TrimSpace(lines[end-1]) == "" {
		end--
	}
	return &Instruction{Keyword: strings.ToUpper(keyword), Text: first, Lines: Range{line, max(line, end)}, Broken: err}
}

// addBroken adds an instruction that can't be read. A FROM begins a stage of
// which nothing is known.
func (f *File) addBroken(ins *Instruction) {
	switch {
	case ins.Keyword == "FROM":
		f.Stages = append(f.Stages, &Stage{Index: len(f.Stages), Parent: -1, From: ins})
	case len(f.Stages) > 0:
		s := f.Stages[len(f.Stages)-1]
		s.Instructions = append(s.Instructions, ins)
	default:
		f.Args = append(f.Args, ins)
	}
}

// Broken returns what can't be read of a file that [ParseEdited] read.
func (f *File) Broken() []*Error {
	var all []*Error
	add := func(ins *Instruction) {
		if ins.Broken != nil {
			all = append(all, &Error{f.Name, ins.Lines.Start, ins.Broken})
		}
	}
	for _, ins := range f.Args {
		add(ins)
	}
	for _, s := range f.Stages {
		add(s.From)
		for _, ins := range s.Instructions {
			add(ins)
		}
	}
	return all
}
