package cascade

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// readEpoch reads SOURCE_DATE_EPOCH, which directories that are made have for
// their time: what is given to the build, else the value of an ARG before the
// first FROM. It is a number of seconds, or names what has a time that can't be
// known here; then there is none, as if none were given.
func (p *planner) readEpoch() error {
	const name = "SOURCE_DATE_EPOCH"
	value, given := p.opt.Args[name]
	global := p.globals.get(name)
	if global != nil {
		p.epochs = global.deps
		if !given {
			value = global.value
		}
	}
	if value == "" {
		return nil
	}
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		p.epoch = strconv.FormatInt(seconds, 10)
	} else if !p.timed(value) {
		return &Error{File: p.file.Name, Err: fmt.Errorf("invalid %s: %s", name, value)}
	}
	if value == p.epoch {
		return nil
	}
	if given {
		p.opt.Args = maps.Clone(p.opt.Args)
		if p.opt.Args[name] = p.epoch; p.epoch == "" {
			delete(p.opt.Args, name)
		}
	}
	if global != nil && p.epoch != "" {
		v := *global
		v.value = p.epoch
		p.globals = p.globals.with(v)
	}
	return nil
}

// timed tells whether SOURCE_DATE_EPOCH may name what has a time: a context, or
// a stage.
func (p *planner) timed(name string) bool {
	if name == "context" || p.namedContext(name, nil) != nil {
		return true
	}
	return slices.ContainsFunc(p.g.Stages, func(s *Stage) bool { return strings.EqualFold(s.Name, name) })
}
