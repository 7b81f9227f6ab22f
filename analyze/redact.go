package analyze

import (
	"maps"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/history"
	"github.com/layerscope/layerscope/analyze/secret"
)

// Redacted returns a copy of the image in which the values of its history and
// config that look secret ([secret.Values]) are masked, for what is shown of
// it. Findings are made of the image as it was.
func (m *Image) Redacted() *Image {
	r := secret.NewRedactor(m.history())
	c := *m
	c.Steps = slices.Clone(m.Steps)
	for i := range c.Steps {
		s := &c.Steps[i]
		s.Args = slices.Clone(s.Args)
		for j := range s.Args {
			a := &s.Args[j]
			was := *a
			a.Value = r.Variable(a.Name, a.Value)
			s.CreatedBy = maskArg(s.CreatedBy, was, *a) // while it stands there as it is
		}
		s.Text, s.CreatedBy, s.Comment = r.Text(s.Text), r.Text(s.CreatedBy), r.Text(s.Comment)
	}
	config := *m.Config
	config.Config.Env = slices.Clone(config.Config.Env)
	for i, env := range config.Config.Env {
		name, value, _ := strings.Cut(env, "=")
		if masked := r.Variable(name, value); masked != value {
			config.Config.Env[i] = name + "=" + masked
		}
	}
	config.Config.Entrypoint = r.Args(config.Config.Entrypoint)
	config.Config.Cmd = r.Args(config.Config.Cmd)
	config.Config.Shell = r.Args(config.Config.Shell)
	if h := config.Config.Healthcheck; h != nil {
		masked := *h
		masked.Test = r.Args(h.Test)
		config.Config.Healthcheck = &masked
	}
	config.Config.OnBuild = slices.Clone(config.Config.OnBuild)
	for i, instruction := range config.Config.OnBuild {
		config.Config.OnBuild[i] = r.Text(instruction)
	}
	config.Config.Labels = maps.Clone(config.Config.Labels)
	for name, value := range config.Config.Labels {
		config.Config.Labels[name] = r.Variable(name, value)
	}
	c.Config = &config
	return &c
}

// maskArg masks a build argument in a record, where its value stands as it is
// and may have spaces.
func maskArg(record string, was, is history.Arg) string {
	if was == is {
		return record
	}
	return strings.Replace(record, was.Name+"="+was.Value, is.Name+"="+is.Value, 1)
}

// history returns the steps as package history knows them.
func (m *Image) history() []history.Step {
	steps := make([]history.Step, len(m.Steps))
	for i, s := range m.Steps {
		steps[i] = s.Step
	}
	return steps
}
