package cascade

import (
	"path"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/layerscope/layerscope/analyze/buildcontext"
)

// Take is what an instruction takes of a stage: the files that a COPY copies, or
// that a RUN mounts.
type Take struct {
	Step *Step // the instruction; the FROM, whose base's ONBUILD put it off
	By   int   // index of the instruction's stage
	Of   int   // index of the stage that it takes of
	Role Role  // RoleCopy or RoleMount

	Selections []buildcontext.Selection
	// Unsure tells that variables of which nothing is known are in the
	// selections' paths: an ENV of an image that isn't known may set them.
	Unsure bool
}

// unsure are variables that an image may have set.
type unsure struct {
	all   bool            // of the image nothing is known
	names map[string]bool // their values aren't known; false for those that are known since
}

// of tells whether a variable's value isn't known.
func (u unsure) of(name string, isSet bool) bool {
	doubt, said := u.names[name]
	return doubt || !said && !isSet && u.all
}

// with returns the same after a variable is set to what may not be known.
func (u unsure) with(name string, doubt bool) unsure {
	if u.of(name, true) == doubt && !u.all {
		return u
	}
	names := make(map[string]bool, len(u.names)+1)
	for n, d := range u.names { // the stages from this one have their own
		names[n] = d
	}
	names[name] = doubt
	return unsure{u.all, names}
}

// doubt keeps which variables an ENV or an ARG leaves in doubt.
func (s *plan) doubt(c command, before *environ, expanded bool) {
	switch cmd := c.ins.Command.(type) {
	case *instructions.EnvCommand:
		for _, kv := range cmd.Env {
			s.unsure = s.unsure.with(kv.Key, expanded)
		}
	case *instructions.ArgCommand:
		for _, a := range cmd.Args {
			if _, given := s.opt.Args[a.Key]; given || a.Value == nil {
				continue // as it is given, or set before the first FROM
			}
			l := &lookup{env: before, unsure: s.unsure}
			if _, _, err := s.lex.ProcessWord(*a.Value, l); err == nil {
				s.unsure = s.unsure.with(a.Key, l.doubtful)
			}
		}
	}
}

// take notes what an instruction takes of a stage. Other images and contexts
// are none.
func (s *plan) take(c command, role Role, from *plan, sels []buildcontext.Selection) {
	if from == nil || from.stage == nil || from.replaced {
		return
	}
	s.g.Takes = append(s.g.Takes, Take{
		Step: s.g.Steps[c.step], By: s.stage.Index, Of: from.stage.Index, Role: role, Selections: sels, Unsure: c.doubtful,
	})
}

// takeCopy notes what a COPY takes of a stage.
func (s *plan) takeCopy(c command, sources []taken) {
	var sels []buildcontext.Selection
	for _, t := range sources {
		if t.from != nil && t.from.Kind == KindInline {
			continue // a heredoc, which comes from no stage
		}
		sels = append(sels, t.sel)
	}
	s.take(c, RoleCopy, c.from, sels)
}

// takeMount notes what a RUN mounts of a stage.
func (s *plan) takeMount(c command, m *instructions.Mount, from *plan) {
	if m.Type != instructions.MountTypeTmpfs {
		s.take(c, RoleMount, from, []buildcontext.Selection{{Path: path.Join("/", m.Source), FollowLinks: true}})
	}
}
