package advice

import (
	"fmt"
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/layerscope/layerscope/analyze/cascade"
)

// findSlash finds WORKDIRs with a slash at their end.
func findSlash(f *finder) ([]Finding, error) {
	var found []Finding
	for _, s := range f.b.Graph.Steps {
		c, ok := s.Command.(*instructions.WorkdirCommand)
		if !ok || len(s.Nodes) == 0 || s.Lines.Start != s.Lines.End || !strings.HasSuffix(c.Path, "/") || path.Clean(c.Path) == "/" {
			continue
		}
		line := f.sourceLine(s.Lines.Start)
		at := strings.LastIndex(line, c.Path)
		clean := strings.TrimRight(c.Path, "/")
		if at < 0 || strings.HasSuffix(clean, "\\") {
			continue
		}
		w := newRewriter(f.b.Graph.File.Source)
		w.replace[s.Lines.Start] = line[:at] + clean + line[at+len(c.Path):]
		v, edit, ok := f.rewritten(w, nil, nil)
		if !ok {
			continue
		}
		saves, err := f.saving(becomes("the slash is taken off later", v.build.Graph.File), v)
		if err != nil {
			return nil, err
		}
		if saves == nil {
			continue
		}
		found = append(found, Finding{
			Step: s.Index, Lines: linesOf([]*cascade.Step{s}), Edit: edit, Saves: saves,
			Text: fmt.Sprintf("%s ends in a slash. It is the same directory without it, and yet whoever takes the slash off later reruns %s.",
				on(s), again(saves.Before)),
		})
	}
	return found, nil
}

// findEarlyWorkdir finds WORKDIRs above installs of system packages, which don't
// care where they run.
func findEarlyWorkdir(f *finder) ([]Finding, error) {
	var found []Finding
	for _, stage := range f.needed() {
		steps := f.stageSteps(stage)
		for i, s := range steps {
			if s.Keyword != "WORKDIR" {
				continue
			}
			one, err := f.earlyWorkdir(s, steps[i+1:])
			if err != nil {
				return nil, err
			}
			if one != nil {
				found = append(found, *one)
			}
		}
	}
	return found, nil
}

// earlyWorkdir looks at one WORKDIR, and at what is below it in its stage.
func (f *finder) earlyWorkdir(s *cascade.Step, rest []*cascade.Step) (*Finding, error) {
	var over []*cascade.Step
	for _, t := range rest {
		if t.Keyword != "RUN" || len(t.Flags) > 0 || !f.anywhere(t) {
			break
		}
		over = append(over, t)
	}
	if len(over) == 0 {
		return nil, nil
	}
	w := newRewriter(f.b.Graph.File.Source)
	w.move(f.withComments(s), over[len(over)-1].Lines.End+1)
	v, edit, ok := f.rewritten(w, nil, nil)
	if !ok {
		return nil, nil
	}
	saves, err := f.saving(valuesChange([]string{"the directory of WORKDIR"}, nil, []int{s.Lines.Start}), v)
	if saves == nil || err != nil {
		return nil, err
	}
	return &Finding{
		Step: s.Index, Lines: linesOf([]*cascade.Step{s}), Edit: edit, Saves: saves,
		Text: fmt.Sprintf("%s stands above %s, which doesn't care where it runs: whoever changes the directory installs all of that again.", on(s), on(over[0])),
	}, nil
}

// anywhere tells whether a RUN installs and does the same in any directory.
func (f *finder) anywhere(s *cascade.Step) bool {
	heavy := false
	for _, e := range f.runs[s.Index].effects() {
		if e.install != nil {
			return false
		}
		heavy = heavy || e.heavy
	}
	for _, words := range f.runs[s.Index].commands {
		if words[0] == "cd" {
			return false
		}
	}
	return heavy
}
