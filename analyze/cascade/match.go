package cascade

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/layerscope/layerscope/analyze/buildcontext"
)

// Build is a build that was or would be: what is done, with which files.
type Build struct {
	Graph *Graph
	// Contexts are the files of the build's context, "", and of directories
	// that --build-context names. Of one that isn't there nothing is known.
	Contexts map[string]*buildcontext.Tree
	// Dockerfile is the Dockerfile's path in the build's context, with
	// slashes; "" if it isn't in it.
	Dockerfile string
}

// Assume is what a prediction takes for given.
type Assume struct {
	// Steps are instructions that are edited, however: what hangs on them
	// changes, as far as the graph can tell. They are indexes into
	// Graph.Steps of the build after the change. An edit leaves the instruction
	// what it is, and doesn't make it set a variable that another sets.
	Steps []int
	// Content tells what is known of content that is built again: whether what
	// an edge of the build after the change reads comes out the same. nil
	// knows nothing.
	Content func(n *Node, e *Edge) (same, known bool)
}

// marks returns the edited instructions as a set.
func (a Assume) marks() set {
	var marks set
	for _, i := range a.Steps {
		marks = marks.or(one(i))
	}
	return marks
}

// contentRules are what counts of files to a builder.
func contentRules(b Builder) buildcontext.Rules {
	switch b {
	case Classic:
		return buildcontext.Classic
	case Buildah:
		return buildcontext.Buildah
	}
	return buildcontext.BuildKit
}

// matcher holds the relation between the nodes of a build and those of builds
// before it.
type matcher struct {
	ctx    context.Context
	after  *Build
	before []Build
	assume Assume
	marks  set
	rules  buildcontext.Rules

	found   map[pair]*outcome
	content map[content]*compared
	err     error // the first of reading files
}

// pair is a node and one of the build of an index before.
type pair struct {
	v, u  *Node
	build int
}

// outcome is how well a node agrees with an earlier one.
type outcome struct {
	state  State
	inputs []input
}

// input is how well an input agrees.
type input struct {
	state    State
	files    []string // of a context, that differ
	frontier bool     // content that is built again decides
	settled  bool     // it would, but what it comes to is given
}

// content is a comparison of what two edges read.
type content struct {
	v, u  *Edge
	build int
}

type compared struct {
	files []string
	known bool
}

// matches compares a node with an earlier one: they agree if their keys do and
// each of their inputs, as well as the worst of them.
func (m *matcher) matches(v, u *Node, build int) *outcome {
	p := pair{v, u, build}
	if o, ok := m.found[p]; ok {
		return o
	}
	o := &outcome{state: Hit}
	m.found[p] = o
	if v == u && build == len(m.before) {
		return o // of the same build
	}
	if v.key != u.key || v.deps.intersects(m.marks) || len(v.In) != len(u.In) || v.Kind == KindUnknown {
		o.state = Miss
		return o
	}
	o.inputs = make([]input, len(v.In))
	for i := range v.In {
		o.inputs[i] = m.input(v, &v.In[i], &u.In[i], build, false)
		o.state = max(o.state, o.inputs[i].state)
	}
	return o
}

// becomes is matches for what becomes of the node itself. A node that isn't to
// be cached leads those that read it to no record, but by content; once they
// have run, they are what they were to those that read them.
func (m *matcher) becomes(v, u *Node, build int) *outcome {
	o := m.matches(v, u, build)
	if o.state == Miss || !slices.ContainsFunc(v.In, func(e Edge) bool { return e.From.Uncached }) {
		return o
	}
	own := &outcome{inputs: slices.Clone(o.inputs), state: Hit}
	for i := range v.In {
		if v.In[i].From.Uncached {
			own.inputs[i] = m.input(v, &v.In[i], &u.In[i], build, true)
		}
		own.state = max(own.state, own.inputs[i].state)
	}
	return own
}

// differ tells at a glance that nodes can't agree: they stand on things that
// can't. Nodes whose keys say little, such as merges, are many.
func differ(v, u *Node) bool {
	for i := range v.In {
		if v.In[i].Content == nil && v.In[i].From.key != u.In[i].From.key {
			return true
		}
	}
	return false
}

// input compares an input with that of an earlier node; by content alone if that
// is told.
func (m *matcher) input(v *Node, a, b *Edge, build int, contentAlone bool) (in input) {
	in.state = Miss
	// The files of a context come anew with each build: only content counts.
	if a.Selector == b.Selector && !a.deps.intersects(m.marks) && a.From.Kind != KindLocal && !contentAlone {
		in.state = m.matches(a.From, b.From, build).state
	}
	if in.state == Hit || a.Content == nil || b.Content == nil {
		return in
	}
	switch {
	case a.From.Kind == KindLocal && b.From.Kind == KindLocal:
		c := m.compare(a, b, build)
		in.files = c.files
		switch {
		case !c.known:
			in.state, in.frontier = MayMiss, true
		case len(c.files) > 0:
			in.state = Miss
		default:
			in.state = Hit
		}
		if c.known {
			return in
		}
	case a.From.Kind == KindInline && b.From.Kind == KindInline && !a.From.deps.intersects(m.marks):
		if in.state = Miss; a.From.part("text") == b.From.part("text") {
			in.state = Hit
		}
		return in
	case a.From.Kind == KindInline && b.From.Kind == KindInline:
		in.state = Miss
		return in
	case a.From.Kind == KindHTTP && b.From.Kind == KindHTTP && a.From.part("checksum") != "" && b.From.part("checksum") != "":
		if in.state = Miss; a.From.part("checksum") == b.From.part("checksum") {
			in.state = Hit
		}
		return in
	case m.rules.Names && otherPaths(a, b):
		in.state = Miss
		return in
	default:
		in.state, in.frontier = MayMiss, true
	}
	if m.assume.Content != nil {
		if same, known := m.assume.Content(v, a); known {
			if in.state, in.frontier, in.settled = Miss, false, true; same {
				in.state = Hit
			}
		}
	}
	return in
}

// compare compares what two edges read of contexts.
func (m *matcher) compare(a, b *Edge, build int) *compared {
	k := content{a, b, build}
	if c, ok := m.content[k]; ok {
		return c
	}
	c := &compared{}
	m.content[k] = c
	then := m.after.Contexts[b.From.Context] // a node of the same build
	if build < len(m.before) {
		then = m.before[build].Contexts[b.From.Context]
	}
	now := m.after.Contexts[a.From.Context]
	if now == nil || then == nil {
		// Of files that aren't known, the same ones are the same.
		c.known = now == nil && then == nil && a.From.Context == b.From.Context && a.Selector == b.Selector
		return c
	}
	files, err := buildcontext.Differ(m.ctx, then, b.Content, now, a.Content, m.rules)
	if _, ok := errors.AsType[*buildcontext.NoMatchError](err); ok {
		// The builder fails; Check tells.
		c.files, c.known = []string{a.Selector}, true
		return c
	}
	if err != nil {
		if m.err == nil {
			m.err = fmt.Errorf("comparing the files of the context: %w", err)
		}
		return c
	}
	if build < len(m.before) && m.rewritesIgnore(a) && !slices.Contains(files, ignoreFile) {
		files = append(files, ignoreFile)
	}
	c.files, c.known = files, !a.unpack || slices.ContainsFunc(files, func(f string) bool { return !isArchive(f) }) || len(files) == 0
	return c
}

const ignoreFile = ".dockerignore"

// rewritesIgnore tells whether what an edge reads of a context has its
// .dockerignore, and that is another in each build: the classic builder's client
// sends a Dockerfile that isn't in the context under a name of chance, and adds
// that to the file.
func (m *matcher) rewritesIgnore(a *Edge) bool {
	if m.after.Graph.Options.Builder != Classic || m.after.Dockerfile != "" || a.From.Context != "" {
		return false
	}
	all, err := m.after.Contexts[""].Files(m.ctx, a.Content)
	return err == nil && slices.ContainsFunc(all, func(e *buildcontext.Entry) bool { return e.Path == ignoreFile })
}

// part returns the value of a part of a node's key, "" if it has none.
func (n *Node) part(name string) string {
	for _, p := range n.Parts {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// best is what a node comes to: how it agrees with the earlier node that it
// agrees with best.
type best struct {
	state   State // of the node
	outcome *outcome
	with    *Node // nil if no earlier node has its key
	build   int
}

// twin looks for what a node equals among those before it in the same build: a
// chain of images finds what the build itself has made.
func (m *matcher) twin(v *Node, b *best, earlier []*Node) {
	for _, u := range earlier {
		if b.state == Hit {
			return
		}
		if differ(v, u) || u.Uncached || u.deps.intersects(m.marks) {
			continue
		}
		if o := m.matches(v, u, len(m.before)); o.state < b.state {
			b.state, b.outcome, b.with = o.state, o, u
		}
	}
}

// find finds for every node of the build the best earlier one.
func (m *matcher) find() []best {
	type known struct {
		node  *Node
		build int
	}
	byKey, same := map[string][]known{}, map[string]known{}
	for i, b := range m.before {
		for _, n := range b.Graph.Nodes {
			byKey[n.key] = append(byKey[n.key], known{n, i})
			same[n.sig] = known{n, i}
		}
	}
	twins := map[string][]*Node{}
	all := make([]best, len(m.after.Graph.Nodes))
	for i, v := range m.after.Graph.Nodes {
		b := best{state: Miss}
		if k, ok := same[v.sig]; ok {
			b.outcome, b.with, b.build = m.becomes(v, k.node, k.build), k.node, k.build
			b.state = b.outcome.state
		}
		for _, k := range byKey[v.key] {
			if b.state == Hit && b.with != nil {
				break // there is no better
			}
			if b.with != nil && differ(v, k.node) {
				continue
			}
			o := m.becomes(v, k.node, k.build)
			if b.with == nil || o.state < b.state || o.state == b.state && k.node.Label == v.Label && b.with.Label != v.Label {
				b.state, b.outcome, b.with, b.build = o.state, o, k.node, k.build
			}
		}
		if m.after.Graph.Options.Builder != BuildKit {
			m.twin(v, &b, twins[v.key])
			twins[v.key] = append(twins[v.key], v)
		}
		if v.Kind == KindLocal {
			b.state = Hit // each build reads its contexts; what counts is their files
		}
		if v.Uncached {
			b.state = Miss
		}
		all[i] = b
	}
	return all
}
