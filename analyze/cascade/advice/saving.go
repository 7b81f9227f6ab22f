package advice

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// scenario is a change that an edit pays at.
type scenario struct {
	when string
	// to changes a build: one of the file as it is, or of the rewritten one.
	to func(v variant) (after cascade.Build, assume cascade.Assume, err error)
}

// variant is a build of a rewritten file, or of the file as it is.
type variant struct {
	build cascade.Build
	// lines maps lines of the Dockerfile as it is to the variant's; nil for the
	// same.
	lines map[int]int
	// removed are the paths that the variant's .dockerignore leaves out of the
	// context as it is.
	removed []string
}

// line returns where a line is in the variant.
func (v variant) line(n int) int {
	if v.lines == nil {
		return n
	}
	return v.lines[n]
}

// leavesOut tells whether a path of the context is left out.
func (v variant) leavesOut(path string) bool {
	return slices.ContainsFunc(v.removed, func(p string) bool { return within(p, path) })
}

// within tells whether a path is another or below it; "" is the root.
func within(dir, path string) bool {
	return dir == "" || path == dir || strings.HasPrefix(path, dir+"/")
}

// fileChanges is the change of a file of the context.
func fileChanges(path string) scenario {
	return scenario{path + " changes", func(v variant) (cascade.Build, cascade.Assume, error) {
		if v.leavesOut(path) {
			return v.build.With(cascade.Change{})
		}
		tree := v.build.Contexts[""].Edit(buildcontext.Change{Path: path, Kind: buildcontext.Changed})
		return v.build.With(cascade.Change{Contexts: map[string]*buildcontext.Tree{"": tree}})
	}}
}

// commentChanges is an edit of the Dockerfile that changes no instruction.
func commentChanges() scenario {
	return scenario{"a comment of the Dockerfile changes", func(v variant) (cascade.Build, cascade.Assume, error) {
		return v.build.With(cascade.Change{File: v.build.Graph.File})
	}}
}

// baseMoves is a new digest of an image that stages are from.
func baseMoves(ref, name string) scenario {
	return scenario{name + " moves to another digest", func(v variant) (cascade.Build, cascade.Assume, error) {
		return v.build.With(cascade.Change{Bases: []string{ref}})
	}}
}

// valuesChange is other values of build arguments, and edits of instructions.
func valuesChange(names []string, args map[string]string, lines []int) scenario {
	verb := "changes"
	if len(names) > 1 {
		verb = "change"
	}
	return scenario{list(names) + " " + verb, func(v variant) (cascade.Build, cascade.Assume, error) {
		c := cascade.Change{Args: args}
		for _, n := range lines {
			c.Lines = append(c.Lines, v.line(n))
		}
		return v.build.With(c)
	}}
}

// otherPlatform is a build for another platform, by the same builder.
func otherPlatform(platform string) scenario {
	return scenario{"it is built for " + platform + " too", func(v variant) (cascade.Build, cascade.Assume, error) {
		after, opt := v.build, v.build.Graph.Options
		opt.Platform = platform
		g, err := cascade.New(v.build.Graph.File, opt)
		after.Graph = g
		return after, cascade.Assume{}, err
	}}
}

// becomes is an edit of the Dockerfile into another, which in the file that is
// it already changes nothing.
func becomes(when string, file *dockerfile.File) scenario {
	return scenario{when, func(v variant) (cascade.Build, cascade.Assume, error) {
		if string(v.build.Graph.File.Source) == string(file.Source) {
			return v.build.With(cascade.Change{})
		}
		return v.build.With(cascade.Change{File: file})
	}}
}

// saving returns what a variant saves in a scenario; nil if the builder refuses
// what is changed.
func (f *finder) saving(s scenario, v variant) (*Saving, error) {
	before, err := predict(f.ctx, s, variant{build: f.b})
	if before == nil || err != nil {
		return nil, err
	}
	after, err := predict(f.ctx, s, v)
	if after == nil || err != nil {
		return nil, err
	}
	origin := origins(f.b.Graph, v.build.Graph)
	m := mapped(f.m, origin)
	saves := &Saving{When: s.when, Before: before.Cost(f.m), After: after.Cost(m)}
	saves.Instructions = saves.Before.Misses - saves.After.Misses
	saves.MayInstructions = saves.Before.MayMisses - saves.After.MayMisses
	d := difference{before, after, f.m, m, origin}
	saves.Bytes = d.sum(func(m cascade.Measure) *int64 { return m.Bytes })
	saves.Compressed = d.sum(func(m cascade.Measure) *int64 { return m.Compressed })
	saves.Nanoseconds = d.sum(func(m cascade.Measure) *int64 { return nanoseconds(m.Duration) })
	return saves, nil
}

// predict tells what a change of a variant reruns; nil if the builder refuses
// what is changed.
func predict(ctx context.Context, s scenario, v variant) (*cascade.Prediction, error) {
	after, assume, err := s.to(v)
	if err != nil {
		return nil, nil // the scenario isn't one of this file
	}
	p, err := cascade.Predict(ctx, after, []cascade.Build{v.build}, assume)
	if err != nil {
		return nil, fmt.Errorf("predicting what reruns when %s: %w", s.when, err)
	}
	return p, nil
}

func nanoseconds(d *time.Duration) *int64 {
	if d == nil {
		return nil
	}
	n := d.Nanoseconds()
	return &n
}

// origins returns for each instruction of a rewritten file the one that it was,
// as an index into Graph.Steps; -1 for one that is new. They are the same if
// they are in the same stage and their texts are, but for --link.
func origins(old, rewritten *cascade.Graph) []int {
	type name struct {
		stage int
		text  string
	}
	of := func(s *cascade.Step) name {
		text := strings.Replace(s.Text, " --link", "", 1)
		for _, h := range s.Heredocs {
			text += "\x00" + h.Content
		}
		return name{s.Stage, text}
	}
	free := map[name][]int{}
	for _, s := range old.Steps {
		free[of(s)] = append(free[of(s)], s.Index)
	}
	from := make([]int, len(rewritten.Steps))
	for i, s := range rewritten.Steps {
		from[i] = -1
		if left := free[of(s)]; len(left) > 0 {
			from[i], free[of(s)] = left[0], left[1:]
		}
	}
	return from
}

// mapped returns measures for a rewritten file's instructions.
func mapped(m cascade.Measures, origin []int) cascade.Measures {
	if m == nil {
		return nil
	}
	out := make(cascade.Measures, len(origin))
	for i, o := range origin {
		if o >= 0 && o < len(m) {
			out[i] = m[o]
		}
	}
	return out
}

// difference is what certainly runs again before an edit and not after it.
type difference struct {
	before, after *cascade.Prediction
	m, mapped     cascade.Measures
	origin        []int
}

// sum adds up a part of the measures; nil if one that counts isn't known. What
// runs again in both is the same work, known or not.
func (d *difference) sum(part func(cascade.Measure) *int64) *int64 {
	var sum int64
	known := true
	add := func(m cascade.Measures, i int, sign int64) {
		var p *int64
		if i < len(m) {
			p = part(m[i])
		}
		if p == nil {
			known = false
			return
		}
		sum += sign * *p
	}
	both := map[int]bool{}
	for i, v := range d.after.Steps {
		if !reruns(v) {
			continue
		}
		if o := d.origin[i]; o >= 0 && reruns(d.before.Steps[o]) {
			both[o] = true
			continue
		}
		add(d.mapped, i, -1)
	}
	for i, v := range d.before.Steps {
		if reruns(v) && !both[i] {
			add(d.m, i, 1)
		}
	}
	if !known {
		return nil
	}
	return &sum
}

// reruns tells whether an instruction certainly runs again.
func reruns(v cascade.Verdict) bool { return v.State == cascade.Miss && v.Step.Works() }
