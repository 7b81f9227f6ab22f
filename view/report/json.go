package report

import (
	"io"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/history"
)

// The types below are docs/json.md, "report", in its order. Pointers are what
// may be null; slices and maps are never nil.

type imageReport struct {
	SchemaVersion string      `json:"schemaVersion"`
	Tool          Tool        `json:"tool"`
	Image         imageJSON   `json:"image"`
	Totals        totalsJSON  `json:"totals"`
	Layers        []layerJSON `json:"layers"`
	Steps         []stepJSON  `json:"steps"`
	findingsJSON
}

type imageJSON struct {
	Reference    string       `json:"reference"`
	Source       string       `json:"source"`
	Name         *string      `json:"name"`
	ID           *v1.Hash     `json:"id"`
	Digest       *v1.Hash     `json:"digest"`
	Platform     platformJSON `json:"platform"`
	Created      *string      `json:"created"`
	Tags         []string     `json:"tags"`
	Attestations []v1.Hash    `json:"attestations"`
	Config       configJSON   `json:"config"`
	History      historyJSON  `json:"history"`
	Base         baseJSON     `json:"base"`
}

type platformJSON struct {
	OS           *string `json:"os"`
	Architecture *string `json:"architecture"`
	Variant      *string `json:"variant"`
}

type configJSON struct {
	Entrypoint   []string          `json:"entrypoint"`
	Cmd          []string          `json:"cmd"`
	Env          []string          `json:"env"`
	WorkingDir   string            `json:"workingDir"`
	User         string            `json:"user"`
	ExposedPorts []string          `json:"exposedPorts"`
	Volumes      []string          `json:"volumes"`
	Labels       map[string]string `json:"labels"`
}

type historyJSON struct {
	Fit     string  `json:"fit"`
	Builder string  `json:"builder"`
	Base    *string `json:"base"`
}

type baseJSON struct {
	How    *string  `json:"how"`
	Name   *string  `json:"name"`
	Digest *v1.Hash `json:"digest"`
	Layers int      `json:"layers"`
	Steps  int      `json:"steps"`
}

type totalsJSON struct {
	sumsJSON
	Base              sumsJSON `json:"base"`
	Own               sumsJSON `json:"own"`
	TarSize           int64    `json:"tarSize"`
	Files             int      `json:"files"`
	Layers            int      `json:"layers"`
	Efficiency        float64  `json:"efficiency"`
	BrokenHardlinks   int      `json:"brokenHardlinks"`
	DanglingWhiteouts int      `json:"danglingWhiteouts"`
}

type layerJSON struct {
	Index     int              `json:"index"`
	DiffID    *v1.Hash         `json:"diffID"`
	Digest    *v1.Hash         `json:"digest"`
	MediaType *types.MediaType `json:"mediaType"`
	sumsJSON
	TarSize int64 `json:"tarSize"`
	Entries int   `json:"entries"`
	Step    int   `json:"step"`
	Base    bool  `json:"base"`
}

type stepJSON struct {
	Index       int       `json:"index"`
	Instruction *string   `json:"instruction"`
	Text        string    `json:"text"`
	CreatedBy   string    `json:"createdBy"`
	Created     *string   `json:"created"`
	Comment     string    `json:"comment"`
	Author      string    `json:"author"`
	Args        []argJSON `json:"args"`
	Builder     string    `json:"builder"`
	Synthetic   bool      `json:"synthetic"`
	Layer       *int      `json:"layer"`
	sumsJSON
	Base  bool      `json:"base"`
	Line  *lineJSON `json:"line"`
	Match *string   `json:"match"`
}

type lineJSON struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// sumsJSON stands among the keys of what it is part of.
type sumsJSON struct {
	Stored     *int64 `json:"stored"`
	Live       *int64 `json:"live"`
	Dead       *int64 `json:"dead"`
	Compressed *int64 `json:"compressed"`
}

type argJSON struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// JSON writes the report that docs/json.md describes. The same image gives the
// same bytes.
func JSON(w io.Writer, s Subject, tool Tool) error {
	if err := s.check(); err != nil {
		return err
	}
	m := s.Image
	return writeJSON(w, imageReport{
		SchemaVersion: schemaVersion,
		Tool:          tool,
		Image:         newImageJSON(m),
		Totals:        newTotalsJSON(m),
		Layers:        newLayersJSON(m.Layers),
		Steps:         newStepsJSON(m.Steps),
		findingsJSON:  newFindingsJSON(s),
	})
}

func newImageJSON(m *analyze.Image) imageJSON {
	p, c := m.Platform, m.Config.Config
	return imageJSON{
		Reference:    m.Reference,
		Source:       m.Source,
		Name:         nullable(m.Name),
		ID:           nullable(m.ID),
		Digest:       nullable(m.Digest),
		Platform:     platformJSON{nullable(p.OS), nullable(p.Architecture), nullable(p.Variant)},
		Created:      nullTime(m.Created),
		Tags:         list(m.Tags),
		Attestations: digests(m.Attestations),
		Config: configJSON{
			Entrypoint:   list(c.Entrypoint),
			Cmd:          list(c.Cmd),
			Env:          list(c.Env),
			WorkingDir:   c.WorkingDir,
			User:         c.User,
			ExposedPorts: list(slices.Sorted(maps.Keys(c.ExposedPorts))),
			Volumes:      list(slices.Sorted(maps.Keys(c.Volumes))),
			Labels:       labels(c.Labels),
		},
		History: historyJSON{m.Fit.String(), m.Builder.String(), nullable(m.Base.How)},
		Base: baseJSON{
			How: nullable(m.Base.How), Name: nullable(m.Base.Name), Digest: nullable(m.Base.Digest),
			Layers: m.Base.Layers, Steps: m.Base.Steps,
		},
	}
}

func newSumsJSON(s analyze.Sums) sumsJSON {
	return sumsJSON{nullBytes(s.Stored), nullBytes(s.Live), nullBytes(s.Dead), nullBytes(s.Compressed)}
}

func newTotalsJSON(m *analyze.Image) totalsJSON {
	t := totalsJSON{
		sumsJSON:          newSumsJSON(m.Totals.Sums),
		Base:              newSumsJSON(m.Totals.Base),
		Own:               newSumsJSON(m.Totals.Own),
		Files:             m.Totals.Files,
		Layers:            m.Totals.Layers,
		Efficiency:        m.Totals.Efficiency(),
		BrokenHardlinks:   m.Tree.BrokenHardlinks(),
		DanglingWhiteouts: m.Tree.DanglingWhiteouts(),
	}
	for _, l := range m.Layers {
		t.TarSize += l.Index.TarSize
	}
	return t
}

func newLayersJSON(layers []analyze.Layer) []layerJSON {
	out := make([]layerJSON, len(layers))
	for i, l := range layers {
		out[i] = layerJSON{
			Index:     i,
			DiffID:    nullable(l.DiffID),
			Digest:    nullable(l.Digest),
			MediaType: nullable(l.MediaType),
			sumsJSON:  newSumsJSON(l.Sums),
			TarSize:   l.Index.TarSize,
			Entries:   l.Entries,
			Step:      l.Step,
			Base:      l.Base,
		}
	}
	return out
}

func newStepsJSON(steps []analyze.Step) []stepJSON {
	out := make([]stepJSON, len(steps))
	for i, s := range steps {
		out[i] = stepJSON{
			Index:       i,
			Instruction: nullable(s.Instruction),
			Text:        s.Text,
			CreatedBy:   s.CreatedBy,
			Created:     nullTime(s.Created),
			Comment:     s.Comment,
			Author:      s.Author,
			Args:        newArgsJSON(s.Args),
			Builder:     s.Builder.String(),
			Synthetic:   s.Synthetic,
			Layer:       nullIndex(s.Layer),
			sumsJSON:    newSumsJSON(s.Sums),
			Base:        s.Base,
		}
		if s.Match != history.Unmatched {
			line := lineJSON(s.Line)
			out[i].Line, out[i].Match = &line, nullable(s.Match.String())
		}
	}
	return out
}

func newArgsJSON(args []history.Arg) []argJSON {
	out := make([]argJSON, len(args))
	for i, a := range args {
		out[i] = argJSON(a)
	}
	return out
}

// digests returns the digests of manifests, those that have one.
func digests(ds []v1.Descriptor) []v1.Hash {
	out := []v1.Hash{}
	for _, d := range ds {
		if d.Digest != (v1.Hash{}) {
			out = append(out, d.Digest)
		}
	}
	return out
}

// nullIndex returns null for an index that is none.
func nullIndex(i int) *int {
	if i < 0 {
		return nil
	}
	return &i
}

// list returns s, empty instead of nil.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// labels returns m, empty instead of nil.
func labels(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
