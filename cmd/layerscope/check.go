package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/analyze/gate"
	"github.com/layerscope/layerscope/view/report"
)

// checkFlags are the flags of the check command.
type checkFlags struct {
	*reportFlags
	config string
	// overrides are what the flags say of limits, in their order.
	overrides []func(*gate.Limits)
}

func newCheck(a *app) *cobra.Command {
	var f checkFlags
	cmd := a.imageCommand("check", "Hold an image to limits, for CI", checkUsage, func(ctx context.Context, ref string) error {
		return a.check(ctx, ref, f)
	})
	for _, r := range gate.Rules() {
		f.ruleFlags(cmd, r)
	}
	f.globFlag(cmd, "ignore", "paths that don't count", func(l *gate.Limits) *gate.Globs { return &l.Ignore })
	cmd.Flags().BoolFunc("own", "count only what doesn't come from the base image", func(s string) error {
		own, err := strconv.ParseBool(s)
		if err == nil {
			f.override(func(l *gate.Limits) { l.Own = own })
		}
		return err
	})
	cmd.Flags().StringVar(&f.config, "config", "", "file of limits")
	f.reportFlags = a.reportFlags(cmd, formatMarkdown, formatSARIF)
	return cmd
}

func (f *checkFlags) override(o func(*gate.Limits)) { f.overrides = append(f.overrides, o) }

// ruleFlags adds the flags of a rule: the limit to fail at and that to warn of.
func (f *checkFlags) ruleFlags(cmd *cobra.Command, r gate.Rule) {
	for level, name := range map[gate.Level]string{gate.Fail: failFlag(r), gate.Warn: "warn-" + r.String()} {
		usage := level.String() + ifBeyond[r]
		if r == gate.Forbid {
			f.globFlag(cmd, name, usage, func(l *gate.Limits) *gate.Globs { return l.Forbidden(level) })
			continue
		}
		cmd.Flags().Func(name, usage, func(s string) error {
			n, err := gate.ParseLimit(r, s)
			if err == nil {
				f.override(func(l *gate.Limits) { l.Set(r, level, n) })
			}
			return err
		})
	}
}

// failFlag returns the name of the flag that sets the limit to fail at.
func failFlag(r gate.Rule) string {
	switch {
	case r == gate.Forbid:
		return r.String()
	case r.Min():
		return "min-" + r.String()
	}
	return "max-" + r.String()
}

// ifBeyond says what is beyond a rule's limit, as shells show it.
var ifBeyond = map[gate.Rule]string{
	gate.Size:        " if more is stored",
	gate.Dead:        " if more is dead",
	gate.DeadPercent: " if a larger part is dead",
	gate.Efficiency:  " if a smaller part is live",
	gate.Layers:      " if there are more layers",
	gate.Disposable:  " if more is in files that images rarely need",
	gate.Duplicates:  " if more is in files that are there twice",
	gate.Leaks:       " if there are more leaks",
	gate.Forbid:      " if a path matches a glob",
}

// globFlag adds a flag that may be repeated. The first of them takes the place
// of a file's globs.
func (f *checkFlags) globFlag(cmd *cobra.Command, name, usage string, globs func(*gate.Limits) *gate.Globs) {
	given := gate.Globs{}
	cmd.Flags().Func(name, usage, func(s string) error {
		if s == gate.OffWord {
			given = gate.Globs{}
		} else if g, err := gate.ParseGlob(s); err == nil {
			given = append(given, g)
		} else {
			return err
		}
		set := given
		f.override(func(l *gate.Limits) { *globs(l) = set })
		return nil
	})
}

// limits reads the file of limits, if there is one, and puts the flags' over
// them.
func (f *checkFlags) limits() (file string, l *gate.Limits, err error) {
	if file = f.config; file == "" {
		if file, err = gate.Find("."); err != nil {
			return "", nil, err
		}
	}
	l = new(gate.Limits)
	if file != "" {
		if l, err = gate.Read(file); err != nil {
			return "", nil, err
		}
	}
	for _, o := range f.overrides {
		o(l)
	}
	return file, l, nil
}

// check writes the report of an image with its gates. An image that fails is
// a gateError.
func (a *app) check(ctx context.Context, ref string, f checkFlags) error {
	file, limits, err := f.limits()
	if err != nil {
		return err
	}
	if !limits.Any() {
		fmt.Fprintln(a.err, "warning: no limits are set: every image passes")
	}
	s, err := a.subject(ctx, ref, f.reportFlags)
	if err != nil {
		return err
	}
	s.Gates = &report.Gates{File: file, Limits: limits, Results: gate.Evaluate(s.Image, s.Findings, limits)}
	if err := a.write(s, f.format); err != nil {
		return err
	}
	return failed(s.Gates.Results)
}

// gateError says that an image isn't good enough.
type gateError struct{ rules []string }

func (e *gateError) Error() string { return strings.Join(e.rules, ", ") }

// failed returns a gateError if a rule failed.
func failed(results []gate.Result) error {
	var names []string
	for _, r := range results {
		if r.Level == gate.Fail {
			names = append(names, r.Rule.String())
		}
	}
	if names == nil {
		return nil
	}
	return &gateError{names}
}
