package report

import (
	"io"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/waste/disposable"
)

// The types below are what layerscope writes of SARIF 2.1.0 (OASIS, section 3).
// They are few, and a library's would bring another JSON encoder.

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool    sarifTool     `json:"tool"`
	Results []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID      string      `json:"id"`
	Short   sarifText   `json:"shortDescription"`
	Full    sarifText   `json:"fullDescription"`
	Help    sarifText   `json:"help"`
	HelpURI string      `json:"helpUri"`
	Default sarifConfig `json:"defaultConfiguration"`
}

type sarifConfig struct {
	Level string `json:"level"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Related      []sarifLocation   `json:"relatedLocations,omitempty"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Properties   sarifProperties   `json:"properties"`
}

// sarifProperties are layerscope's own: the bytes that the finding is about,
// null where it is about none, and the index of the step, null of the image.
type sarifProperties struct {
	Bytes *int64 `json:"bytes"`
	Step  *int   `json:"step"`
}

type sarifLocation struct {
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations"`
	Message  *sarifText     `json:"message,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine int `json:"startLine"`
	EndLine   int `json:"endLine"`
}

// sarifLogical is a step of an image.
type sarifLogical struct {
	Name          string `json:"name"`
	QualifiedName string `json:"fullyQualifiedName"`
}

// project is where layerscope and its pages are.
const project = "https://github.com/layerscope/layerscope"

// SARIF writes what was found in an image as SARIF 2.1.0, for code scanning:
// what is found in steps of its own, not in those of the base. Where the image
// has its Dockerfile, findings are on the lines of the steps that wrote.
func SARIF(w io.Writer, s Subject, tool Tool) error {
	if err := s.check(); err != nil {
		return err
	}
	return writeJSON(w, newSARIF(s, tool, disposable.Rules()))
}

func newSARIF(s Subject, tool Tool, classes []*disposable.Rule) sarifLog {
	f := newFinder(s, sarifRules(classes))
	f.gates()
	f.secretFiles()
	f.secretValues()
	f.dead()
	f.disposable()
	f.duplicates()
	return sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0",
		Runs: []sarifRun{{
			Tool:    sarifTool{sarifDriver{tool.Name, tool.Version, project, f.rules}},
			Results: f.results,
		}},
	}
}

// location returns where a step is, or the image for -1: in the Dockerfile, if
// there is one, and in the image.
func (f *finder) location(step int) sarifLocation {
	l := sarifLocation{Logical: []sarifLogical{{f.Image.Reference, f.Image.Reference}}}
	if step >= 0 {
		name := stepName(step)
		l.Logical[0] = sarifLogical{name, f.Image.Reference + " " + name}
	}
	df := f.Image.Dockerfile
	if df == nil {
		return l
	}
	l.Physical = &sarifPhysical{Artifact: sarifArtifact{fileURI(df.Name)}}
	if lines := f.lines(step); !lines.IsZero() {
		l.Physical.Region = &sarifRegion{lines.Start, lines.End}
	}
	return l
}

// lines returns a step's lines: one of the base that has none has FROM's.
func (f *finder) lines(step int) dockerfile.Range {
	if step < 0 {
		return dockerfile.Range{}
	}
	s := &f.Image.Steps[step]
	if s.Base && s.Line.IsZero() {
		return f.Image.FromLine
	}
	return s.Line
}

// fileURI returns a path as a URI, a relative one if the path is.
func fileURI(name string) string {
	slashed := path.Clean(filepath.ToSlash(name))
	if !filepath.IsAbs(name) {
		return (&url.URL{Path: slashed}).String()
	}
	return (&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(slashed, "/")}).String()
}
