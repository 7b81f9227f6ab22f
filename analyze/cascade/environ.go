package cascade

import (
	"crypto/sha256"
	"slices"
)

// variable is a variable of the environment, and what set it.
type variable struct {
	name, value string
	by          int // the instruction; -1 for none
	deps        set // instructions that the value hangs on, with by
}

// environ is an environment in the order that counts: that of the latest
// definition of each variable. It is immutable.
type environ struct {
	vars []variable
	// all are the instructions that an edit of may change the environment,
	// those whose variables were set again later too.
	all set
	sum [sha256.Size]byte // of names and values in order
}

// newEnviron returns an environment of variables, each name once.
func newEnviron(vars []variable, all set) *environ {
	e := &environ{vars: vars, all: all}
	h := newHash()
	for i := range vars {
		h.str(vars[i].name)
		h.str(vars[i].value)
		e.all = e.all.or(vars[i].deps)
	}
	e.sum = h.sum()
	return e
}

// with returns the environment after variables are set, the last that are.
func (e *environ) with(vars ...variable) *environ {
	if len(vars) == 0 {
		return e
	}
	next := make([]variable, 0, len(e.vars)+len(vars))
	for _, v := range e.vars {
		if !slices.ContainsFunc(vars, func(w variable) bool { return w.name == v.name }) {
			next = append(next, v)
		}
	}
	for i, v := range vars {
		if !slices.ContainsFunc(vars[i+1:], func(w variable) bool { return w.name == v.name }) {
			next = append(next, v)
		}
	}
	all := e.all
	for _, v := range vars {
		all = all.or(v.deps)
	}
	return newEnviron(next, all)
}

// touched returns the environment, which edits of more instructions may change.
func (e *environ) touched(deps set) *environ {
	if e.all.holds(deps) {
		return e
	}
	t := *e
	t.all = e.all.or(deps)
	return &t
}

// get returns a variable; nil if it isn't set.
func (e *environ) get(name string) *variable {
	for i := range e.vars {
		if e.vars[i].name == name {
			return &e.vars[i]
		}
	}
	return nil
}

// has tells whether one of the variables is set, and hangs on an instruction.
func (e *environ) has(names []string, by int) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		v := e.get(name)
		return v != nil && v.deps.has(by)
	})
}

// lookup is an environment that words are expanded with, and that notes what
// the words hang on. It is BuildKit's shell.EnvGetter.
type lookup struct {
	env  *environ
	deps set

	unsure   unsure
	doubtful bool // something that isn't known was looked up
}

// Get returns a variable's value. Whether a variable is set at all hangs on
// everything that may set one.
func (l *lookup) Get(name string) (string, bool) {
	v := l.env.get(name)
	l.doubtful = l.doubtful || l.unsure.of(name, v != nil)
	if v == nil {
		l.deps = l.deps.or(l.env.all)
		return "", false
	}
	l.deps = l.deps.or(v.deps)
	return v.value, true
}

// Keys returns the names of all variables.
func (l *lookup) Keys() []string {
	names := make([]string, 0, len(l.env.vars))
	for i := range l.env.vars {
		names = append(names, l.env.vars[i].name)
	}
	return names
}
