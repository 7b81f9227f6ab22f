package report

import (
	"io"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/packages"
)

// The types below are docs/json.md, "packages", in its order.

type packagesReport struct {
	SchemaVersion string          `json:"schemaVersion"`
	Tool          Tool            `json:"tool"`
	Image         imageName       `json:"image"`
	Totals        packageTotals   `json:"totals"`
	Ecosystems    []ecosystemJSON `json:"ecosystems"`
	Packages      []packageJSON   `json:"packages"`
	Unowned       ownedJSON       `json:"unowned"`
	Unread        []unreadJSON    `json:"unread"`
}

type packageTotals struct {
	Live     int64 `json:"live"`
	Owned    int64 `json:"owned"`
	Unowned  int64 `json:"unowned"`
	Packages int   `json:"packages"`
}

type ecosystemJSON struct {
	Ecosystem string `json:"ecosystem"`
	Packages  int    `json:"packages"`
	Bytes     int64  `json:"bytes"`
}

type packageJSON struct {
	Ecosystem    string  `json:"ecosystem"`
	Name         string  `json:"name"`
	Version      *string `json:"version"`
	Architecture *string `json:"architecture"`
	pathJSON
	Layer *int `json:"layer"`
	Step  *int `json:"step"`
	ownedJSON
	Modules []moduleJSON `json:"modules"`
}

// ownedJSON stands among the keys of what it is part of.
type ownedJSON struct {
	Bytes  int64            `json:"bytes"`
	Files  int              `json:"files"`
	Layers []layerBytesJSON `json:"layers"`
}

type layerBytesJSON struct {
	Layer int   `json:"layer"`
	Step  int   `json:"step"`
	Bytes int64 `json:"bytes"`
}

type moduleJSON struct {
	Path    string  `json:"path"`
	Version *string `json:"version"`
}

type unreadJSON struct {
	pathJSON
	Layer  int    `json:"layer"`
	Step   int    `json:"step"`
	Reason string `json:"reason"`
}

// PackagesJSON writes the packages as docs/json.md describes.
func PackagesJSON(w io.Writer, m *analyze.Image, tool Tool) error {
	if err := hasPackages(m); err != nil {
		return err
	}
	r := packagesReport{
		SchemaVersion: schemaVersion,
		Tool:          tool,
		Image:         imageName{m.Reference, nullable(m.ID)},
		Totals:        packageTotals{Live: m.Totals.Live, Unowned: m.Packages.Unowned.Bytes, Packages: len(m.Packages.Packages)},
		Ecosystems:    newEcosystemsJSON(m.Packages.Packages),
		Packages:      []packageJSON{},
		Unowned:       newOwnedJSON(m, m.Packages.Unowned),
		Unread:        newUnreadJSON(m),
	}
	for _, p := range m.Packages.Packages {
		r.Totals.Owned += p.Bytes
		r.Packages = append(r.Packages, newPackageJSON(m, p))
	}
	return writeJSON(w, r)
}

func newUnreadJSON(m *analyze.Image) []unreadJSON {
	out := []unreadJSON{}
	for _, u := range m.Packages.Unread {
		out = append(out, unreadJSON{newPathJSON(rooted(m.Tree, u.Path)), u.Layer, m.Layers[u.Layer].Step, u.Why.Error()})
	}
	return out
}

// newEcosystemsJSON adds up the packages of each ecosystem that the image has.
func newEcosystemsJSON(ps []*packages.Package) []ecosystemJSON {
	out := []ecosystemJSON{}
	for _, eco := range packages.Ecosystems {
		e := ecosystemJSON{Ecosystem: string(eco)}
		for _, p := range ps {
			if p.Ecosystem == eco {
				e.Packages++
				e.Bytes += p.Bytes
			}
		}
		if e.Packages > 0 {
			out = append(out, e)
		}
	}
	return out
}

func newPackageJSON(m *analyze.Image, p *packages.Package) packageJSON {
	out := packageJSON{
		Ecosystem: string(p.Ecosystem), Name: p.Name, Version: nullable(p.Version), Architecture: nullable(p.Arch),
		pathJSON:  newPathJSON(rooted(m.Tree, p.Metadata)),
		ownedJSON: newOwnedJSON(m, p.Sum),
		Modules:   []moduleJSON{},
	}
	if p.Layer != packages.UnknownLayer {
		out.Layer, out.Step = nullIndex(p.Layer), nullIndex(m.Layers[p.Layer].Step)
	}
	for _, mod := range p.Modules {
		out.Modules = append(out.Modules, moduleJSON{mod.Path, nullable(mod.Version)})
	}
	return out
}

func newOwnedJSON(m *analyze.Image, s packages.Sum) ownedJSON {
	out := ownedJSON{s.Bytes, s.Copies, []layerBytesJSON{}}
	for _, l := range s.Layers {
		out.Layers = append(out.Layers, layerBytesJSON{l.Layer, m.Layers[l.Layer].Step, l.Bytes})
	}
	return out
}
