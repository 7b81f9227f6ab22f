package main

import (
	"context"
	"errors"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/buildlog"
	"github.com/layerscope/layerscope/analyze/cascade"
	costs "github.com/layerscope/layerscope/analyze/cascade/measure"
	"github.com/layerscope/layerscope/analyze/provenance"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/view/report"
)

// measure gathers what is known of what instructions cost. An image or a log of
// something else is said to be one, and tells nothing.
func (a *app) measure(ctx context.Context, f *cascadeFlags, p *plan, c *report.Cascade) error {
	g := p.before.Graph
	var m cascade.Measures
	if f.image != "" {
		r, err := a.measureImage(ctx, f.image, p)
		if err := take(&m, c, report.CascadeSource{Kind: "image", Name: f.image}, r, err); err != nil {
			return err
		}
	}
	for _, name := range f.logs {
		log, err := buildlog.Read(ctx, name)
		if err != nil {
			return err
		}
		r, err := costs.FromLog(g, log, name)
		if err := take(&m, c, report.CascadeSource{Kind: "log", Name: name}, r, err); err != nil {
			return err
		}
	}
	c.Measures = costs.Carry(g, m, p.after.Graph)
	return nil
}

// take adds what a source tells to what is known.
func take(m *cascade.Measures, c *report.Cascade, s report.CascadeSource, r *costs.Result, err error) error {
	if foreign, ok := errors.AsType[*costs.ForeignError](err); ok {
		s.Problem = foreign.Reason()
	} else if err != nil {
		return err
	} else {
		s.How, s.Instructions = r.How, r.Known
		*m = costs.Merge(*m, r.Measures)
	}
	c.Sources = append(c.Sources, s)
	return nil
}

// keptOpen is an image that an analysis leaves open.
type keptOpen struct{ source.Image }

func (keptOpen) Close() error { return nil }

// measureImage reads an image and what its builder attests of it.
func (a *app) measureImage(ctx context.Context, ref string, p *plan) (_ *costs.Result, err error) {
	opts := a.analyzeOptions()
	img, err := source.Open(ctx, ref, opts.Source)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, img.Close()) }()
	m, err := a.wait(ctx, analyze.StartImage(ctx, keptOpen{img}, opts))
	if err != nil {
		return nil, err
	}
	// What can't be read of the attestations says nothing.
	statements, _ := source.Statements(ctx, img, &m.Description, provenance.Is)
	var raw [][]byte
	for _, s := range statements {
		raw = append(raw, s.Raw)
	}
	return costs.FromImage(p.before.Graph, m, raw)
}
