package dockerfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// Error says what is wrong with a Dockerfile, and on which line.
type Error struct {
	File string
	Line int // from 1
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// MaxSize is the most bytes a Dockerfile may have.
const MaxSize = 4 << 20

// Read reads the Dockerfile at a path. What is wrong with its text is an
// [*Error].
func Read(path string) (*File, error) {
	text, err := Load(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

// Parse reads the text of the Dockerfile of a name. The error is an [*Error].
func Parse(name string, text []byte) (*File, error) {
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, &Error{name, errorLine(text, err), err}
	}
	f := &File{Name: name, Source: text, Escape: parsed.EscapeToken}
	for _, node := range parsed.AST.Children {
		if err := f.add(node); err != nil {
			return nil, &Error{name, node.StartLine, err}
		}
	}
	if len(f.Stages) == 0 {
		return nil, &Error{name, parsed.AST.Children[0].StartLine, errors.New("there is no FROM")}
	}
	return f, nil
}

// errorLine returns the line of what the parser finds wrong. The parser tells
// the last line it has counted, which of some errors is the one before.
func errorLine(text []byte, err error) int {
	last := 0
	if at, ok := errors.AsType[*parser.LocationError](err); ok && len(at.Locations) > 0 {
		if lines := at.Locations[0]; len(lines) > 0 {
			if first := lines[0].Start.Line; len(lines) > 1 && first > 0 {
				return first // of the instruction
			}
			last = lines[0].Start.Line
		}
	}
	if _, again := parser.Parse(bytes.NewReader(firstLines(text, last))); again == nil || again.Error() != err.Error() {
		last++
	}
	return max(last, 1)
}

// firstLines returns the first n lines of a text.
func firstLines(text []byte, n int) []byte {
	end := 0
	for range n {
		i := bytes.IndexByte(text[end:], '\n')
		if i < 0 {
			return text
		}
		end += i + 1
	}
	return text[:end]
}

// add adds an instruction.
func (f *File) add(node *parser.Node) error {
	ins, typed, err := newInstruction(node)
	if err != nil {
		return err
	}
	switch c := typed.(type) {
	case *instructions.Stage:
		f.Stages = append(f.Stages, &Stage{
			Index: len(f.Stages), Name: c.Name, Base: c.BaseName, Platform: c.Platform, Parent: f.parent(c.BaseName), From: ins,
		})
		return nil
	case *instructions.OnbuildCommand:
		ins.Trigger = ParseTrigger(c.Expression, ins.Lines)
	}
	switch {
	case len(f.Stages) > 0:
		s := f.Stages[len(f.Stages)-1]
		s.Instructions = append(s.Instructions, ins)
	case ins.Keyword == "ARG":
		f.Args = append(f.Args, ins)
	default:
		return fmt.Errorf("%s before the first FROM", ins.Keyword)
	}
	return nil
}

// quiet finds no fault. Without a linter BuildKit panics at a "# check=" above
// an instruction.
var quiet = linter.New(&linter.Config{SkipAll: true})

// newInstruction reads a node of the parser's: typed is an
// [*instructions.Stage] or an [instructions.Command].
func newInstruction(node *parser.Node) (ins *Instruction, typed any, err error) {
	typed, err = instructions.ParseInstructionWithLinter(node, quiet)
	if err != nil {
		return nil, nil, err
	}
	ins = &Instruction{
		Keyword:  strings.ToUpper(node.Value),
		Text:     strings.TrimSpace(node.Original),
		Lines:    Range{node.StartLine, max(node.StartLine, node.EndLine)},
		Flags:    node.Flags,
		Heredocs: node.Heredocs,
		node:     node,
	}
	ins.Command, _ = typed.(instructions.Command)
	return ins, typed, nil
}

// ParseTrigger reads what an ONBUILD puts off, as the build that it is put off
// to does; nil if that can't. The instruction gets the lines that are given.
func ParseTrigger(text string, lines Range) *Instruction {
	parsed, err := parser.Parse(strings.NewReader(text))
	if err != nil || len(parsed.AST.Children) != 1 {
		return nil
	}
	ins, _, err := newInstruction(parsed.AST.Children[0])
	if err != nil || ins.Command == nil {
		return nil
	}
	ins.Lines = lines
	return ins
}

// parent returns the index of the stage that a FROM names, -1 if none.
func (f *File) parent(base string) int {
	lex := shell.NewLex(f.Escape)
	name, _, err := lex.ProcessWord(base, f.Globals(nil))
	if err != nil {
		return -1
	}
	if s := stageNamed(f.Stages, name); s != nil {
		return s.Index
	}
	return -1
}

// Vars are variables and their values.
type Vars map[string]string

// Get returns a variable's value. With Keys it makes Vars what BuildKit expands
// text with.
func (v Vars) Get(name string) (string, bool) {
	value, ok := v[name]
	return value, ok
}

// Keys returns the variables' names.
func (v Vars) Keys() []string {
	keys := make([]string, 0, len(v))
	for k := range v {
		keys = append(keys, k)
	}
	return keys
}

// Globals returns the values of the ARGs before the first FROM: those given to
// the build, else their defaults.
func (f *File) Globals(given Vars) Vars {
	lex := shell.NewLex(f.Escape)
	vars := Vars{}
	for _, ins := range f.Args {
		arg, ok := ins.Command.(*instructions.ArgCommand)
		if !ok {
			continue // it can't be read
		}
		for _, a := range arg.Args {
			if v, ok := given[a.Key]; ok {
				vars[a.Key] = v
			} else if a.Value != nil {
				if v, _, err := lex.ProcessWord(*a.Value, vars); err == nil {
					vars[a.Key] = v
				}
			}
		}
	}
	return vars
}
