package frontend

import (
	"context"
	"fmt"
)

// State is what becomes of a vertex in a build. The larger is the worse.
type State int

// The states.
const (
	Hit State = iota
	May       // hangs on content that is built again
	Miss
)

func (s State) String() string { return [...]string{"hit", "may-miss", "miss"}[s] }

// Known tells what is known of content that is built again: whether what a
// vertex's input reads comes out the same.
type Known func(v *Vertex, input int) (same, known bool)

// Verdicts returns what becomes of each vertex of a build after others. known
// may be nil.
func Verdicts(ctx context.Context, after *Graph, before []*Graph, known Known) ([]State, error) {
	r := &relation{ctx: ctx, known: known, found: map[[2]*Vertex]State{}}
	byKey := map[string][]*Vertex{}
	for _, g := range before {
		for _, u := range g.Vertices {
			byKey[u.Key.String()] = append(byKey[u.Key.String()], u)
		}
	}
	states := make([]State, len(after.Vertices))
	for i, v := range after.Vertices {
		states[i] = Miss
		for _, u := range byKey[v.Key.String()] {
			states[i] = min(states[i], r.becomes(v, u))
		}
		if v.IgnoreCache {
			states[i] = Miss
		}
	}
	return states, r.err
}

// relation tells how vertices of a build agree with earlier ones.
type relation struct {
	ctx   context.Context
	known Known
	found map[[2]*Vertex]State
	err   error
}

// becomes is match for a vertex itself. One that the cache is ignored for hands
// no keys to those that read it before they run, so that they find nothing by
// its definition; once they have run they have the keys that they had.
func (r *relation) becomes(v, u *Vertex) State {
	worst := r.match(v, u)
	if worst == Miss {
		return Miss
	}
	for i := range v.Inputs {
		if v.Inputs[i].From.IgnoreCache {
			worst = max(worst, r.content(v, u, i))
		}
	}
	return worst
}

// match tells whether a vertex finds the record of an earlier one: its key and
// each of its inputs must lead to that record.
func (r *relation) match(v, u *Vertex) State {
	if v.Key != u.Key || len(v.Inputs) != len(u.Inputs) {
		return Miss
	}
	pair := [2]*Vertex{v, u}
	if s, ok := r.found[pair]; ok {
		return s
	}
	worst := Hit
	for i := range v.Inputs {
		worst = max(worst, r.input(v, u, i))
	}
	r.found[pair] = worst
	return worst
}

// input tells whether an input leads to an earlier vertex's: by its definition,
// else by its content.
func (r *relation) input(v, u *Vertex, i int) State {
	a, b := &v.Inputs[i], &u.Inputs[i]
	byName := Miss
	// A context has another session in each build.
	if a.Output == b.Output && a.Selector == b.Selector && a.From.Kind != KindLocal {
		byName = r.match(a.From, b.From)
	}
	if byName == Hit {
		return Hit
	}
	return min(byName, r.content(v, u, i))
}

// content tells whether an input leads to an earlier vertex's by its content.
func (r *relation) content(v, u *Vertex, i int) State {
	a, b := &v.Inputs[i], &u.Inputs[i]
	if !a.Content || !b.Content {
		return Miss
	}
	state := May
	switch {
	case a.From.Kind == KindLocal && b.From.Kind == KindLocal:
		state = r.files(a, b)
	case a.From.Kind == KindInline && b.From.Kind == KindInline:
		state = Miss // equal documents are equal by definition
	case a.From.sum != "" && b.From.sum != "" && a.From.sum != b.From.sum:
		state = Miss
	}
	if state == May && r.known != nil {
		if same, known := r.known(v, i); known && same {
			state = Hit
		} else if known {
			state = Miss
		}
	}
	return state
}

// files compares what two inputs read of contexts. Of folders that nothing is
// known of the same is read if the same paths of the same context are.
func (r *relation) files(a, b *Input) State {
	switch {
	case a.From.folder == nil && b.From.folder == nil:
		if a.From.Key == b.From.Key && a.Selector == b.Selector {
			return Hit
		}
		return May
	case a.From.folder == nil || b.From.folder == nil:
		return May
	}
	x, err := a.read(r.ctx)
	if err != nil {
		return r.unread(err)
	}
	y, err := b.read(r.ctx)
	if err != nil {
		return r.unread(err)
	}
	if x == y {
		return Hit
	}
	return Miss
}

// unread is what becomes of a vertex whose files aren't there: the build fails,
// or that before it did and there is no record.
func (r *relation) unread(err error) State {
	if cause := r.ctx.Err(); cause != nil && r.err == nil {
		r.err = fmt.Errorf("hashing files: %w (%w)", cause, err)
	}
	return Miss
}
