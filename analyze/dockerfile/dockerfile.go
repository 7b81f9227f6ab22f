// Package dockerfile reads Dockerfiles into stages and instructions, each with
// the lines it stands on. The common call is [Read].
//
// The text is parsed by BuildKit's own parser and instructions packages: what
// they take is a Dockerfile, and what they don't is an [Error] with its line.
// Variables are left as written, but for those in a FROM that names a stage.
package dockerfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Range is the lines that something stands on: the first and the last, which
// count from 1. The zero Range is no lines.
type Range struct{ Start, End int }

// IsZero tells whether there are no lines.
func (r Range) IsZero() bool { return r == Range{} }

// String returns "7", or "7-9" for several lines.
func (r Range) String() string {
	if r.Start == r.End {
		return strconv.Itoa(r.Start)
	}
	return fmt.Sprintf("%d-%d", r.Start, r.End)
}

// File is a Dockerfile.
type File struct {
	Name   string         // its path as given
	Source []byte         // its text, as it was parsed
	Escape rune           // \ or `
	Args   []*Instruction // ARG before the first FROM
	Stages []*Stage       // at least one
}

// Stage is a FROM and the instructions up to the next.
type Stage struct {
	Index int    // into File.Stages
	Name  string // in lower case; "" for none
	Base  string // what FROM names, as written; it may hold variables
	// Platform is FROM's --platform, as written; it may hold variables.
	Platform string
	// Parent is the index of the stage that FROM names, if each ARG has its
	// default value; -1 if it names none, but an image.
	Parent int

	From         *Instruction
	Instructions []*Instruction // without From
}

// Instruction is one instruction with its continuation lines and heredocs.
type Instruction struct {
	Keyword string // in upper case
	// Text is the instruction as one line: continuation lines are joined as
	// they stand, comments between them and the text of heredocs left out.
	Text     string
	Lines    Range            // with heredocs and what ends them
	Flags    []string         // "--mount=type=cache,target=/x", as written
	Heredocs []parser.Heredoc // in order

	// Command is the instruction read, such as an
	// [*instructions.RunCommand]; nil for FROM.
	Command instructions.Command
	// Trigger is the instruction that an ONBUILD puts off, on the ONBUILD's
	// lines; nil for others, and if it is no instruction.
	Trigger *Instruction
	// Broken is what is wrong with an instruction that our BuildKit doesn't
	// know or that isn't finished, of a file that [ParseEdited] read; its
	// Command is nil.
	Broken error

	node *parser.Node
}

// Fresh reads the instruction anew: a command that nobody else has, for its
// Expand changes it. It is nil where Command is.
func (ins *Instruction) Fresh() instructions.Command {
	if ins.Command == nil || ins.node == nil {
		return nil
	}
	typed, err := instructions.ParseInstructionWithLinter(ins.node, quiet)
	if err != nil {
		return nil // it was read before, so it can be
	}
	c, _ := typed.(instructions.Command)
	return c
}

// Original returns the instruction as one line, as Text is, but with the white
// space at its end.
func (ins *Instruction) Original() string {
	if ins.node == nil {
		return ins.Text
	}
	return ins.node.Original
}

// StageError says that there is no stage of a name.
type StageError struct {
	File   string
	Target string
	Stages []string // those that have a name
}

func (e *StageError) Error() string { return fmt.Sprintf("%s has no stage %q", e.File, e.Target) }

// Advice names the stages that there are.
func (e *StageError) Advice() string {
	if len(e.Stages) == 0 {
		return "its stages have no names; give a number, from 0"
	}
	return "its stages are " + strings.Join(e.Stages, ", ")
}

// Target returns the stage that a build's --target chooses, a name or a number
// from 0; the last stage for "". The error is a *StageError.
func (f *File) Target(target string) (*Stage, error) {
	if target == "" {
		return f.Stages[len(f.Stages)-1], nil
	}
	if s := stageNamed(f.Stages, target); s != nil {
		return s, nil
	}
	if i, err := strconv.Atoi(target); err == nil && i >= 0 && i < len(f.Stages) {
		return f.Stages[i], nil
	}
	e := &StageError{File: f.Name, Target: target}
	for _, s := range f.Stages {
		if s.Name != "" {
			e.Stages = append(e.Stages, s.Name)
		}
	}
	return nil, e
}

// stageNamed returns the last stage of a name, whose case doesn't count; nil if
// there is none.
func stageNamed(stages []*Stage, name string) *Stage {
	for _, s := range slices.Backward(stages) {
		if s.Name != "" && strings.EqualFold(s.Name, name) {
			return s
		}
	}
	return nil
}

// Chain returns the stages whose instructions an image of s has: the one that
// is FROM an image first, each FROM the one before it, s last.
func (f *File) Chain(s *Stage) []*Stage {
	chain := []*Stage{s}
	for s.Parent >= 0 { // always a stage further up
		s = f.Stages[s.Parent]
		chain = append(chain, s)
	}
	slices.Reverse(chain)
	return chain
}

// Variables returns the names that an ENV or an ARG sets; nil for others.
func (ins *Instruction) Variables() []string {
	var names []string
	switch c := ins.Command.(type) {
	case *instructions.EnvCommand:
		for _, kv := range c.Env {
			names = append(names, kv.Key)
		}
	case *instructions.ArgCommand:
		for _, a := range c.Args {
			names = append(names, a.Key)
		}
	}
	return names
}
