package report

import (
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/packages"
	"github.com/layerscope/layerscope/diff"
)

// The types below are docs/json.md, "diff", in its order.

// layersReport is all that there is of images of which no more than the layers
// are compared.
type layersReport struct {
	SchemaVersion string         `json:"schemaVersion"`
	Tool          Tool           `json:"tool"`
	Old           imageOnly      `json:"old"`
	New           imageOnly      `json:"new"`
	Layers        diffLayersJSON `json:"layers"`
}

type imageOnly struct {
	Image imageJSON `json:"image"`
}

type diffReport struct {
	SchemaVersion string           `json:"schemaVersion"`
	Tool          Tool             `json:"tool"`
	Old           imageAndTotals   `json:"old"`
	New           imageAndTotals   `json:"new"`
	Identical     bool             `json:"identical"`
	Strict        bool             `json:"strict"`
	Layers        diffLayersJSON   `json:"layers"`
	Base          diffBaseJSON     `json:"base"`
	Steps         []diffStepJSON   `json:"steps"`
	Files         diffFilesJSON    `json:"files"`
	Packages      diffPackagesJSON `json:"packages"`
	Config        []diffConfigJSON `json:"config"`
	Causes        []diffCauseJSON  `json:"causes"`
	Budget        *budgetJSON      `json:"budget,omitempty"`
}

type imageAndTotals struct {
	imageOnly
	Totals totalsJSON `json:"totals"`
}

// twoBytes stands among the keys of what has bytes in both images.
type twoBytes struct {
	BytesOld *int64 `json:"bytesOld"`
	BytesNew *int64 `json:"bytesNew"`
}

func newTwoBytes(b diff.Bytes) twoBytes { return twoBytes{nullBytes(b.Old), nullBytes(b.New)} }

type diffLayersJSON struct {
	Shared      []layerPairJSON `json:"shared"`
	SameContent []layerPairJSON `json:"sameContent"`
	OnlyOld     []layerPairJSON `json:"onlyOld"`
	OnlyNew     []layerPairJSON `json:"onlyNew"`
	DeltaPull   deltaPullJSON   `json:"deltaPull"`
}

type layerPairJSON struct {
	Old       *int     `json:"old"`
	New       *int     `json:"new"`
	State     string   `json:"state"`
	DiffIDOld *v1.Hash `json:"diffIDOld"`
	DiffIDNew *v1.Hash `json:"diffIDNew"`
	DigestOld *v1.Hash `json:"digestOld"`
	DigestNew *v1.Hash `json:"digestNew"`

	MediaTypeOld *types.MediaType `json:"mediaTypeOld"`
	MediaTypeNew *types.MediaType `json:"mediaTypeNew"`
	twoBytes
	CompressedOld *int64 `json:"compressedOld"`
	CompressedNew *int64 `json:"compressedNew"`
}

type deltaPullJSON struct {
	Bytes         *int64 `json:"bytes"`
	Reverse       *int64 `json:"reverse"`
	Layers        int    `json:"layers"`
	ReverseLayers int    `json:"reverseLayers"`
	Chain         *int64 `json:"chain"`
	ReverseChain  *int64 `json:"reverseChain"`
}

type diffBaseJSON struct {
	State string            `json:"state"`
	Old   *distributionJSON `json:"old"`
	New   *distributionJSON `json:"new"`

	ReleaseOld *string `json:"releaseOld"`
	ReleaseNew *string `json:"releaseNew"`
	twoBytes
}

type distributionJSON struct {
	ID      string  `json:"id"`
	Version *string `json:"version"`
	Name    *string `json:"name"`
}

type diffStepJSON struct {
	Old     *int    `json:"old"`
	New     *int    `json:"new"`
	State   string  `json:"state"`
	TextOld *string `json:"textOld"`
	TextNew *string `json:"textNew"`
	twoBytes
}

type diffFilesJSON struct {
	Added       fileChangesJSON `json:"added"`
	Removed     fileChangesJSON `json:"removed"`
	Modified    fileChangesJSON `json:"modified"`
	Metadata    fileChangesJSON `json:"metadata"`
	Moved       fileChangesJSON `json:"moved"`
	TypeChanged fileChangesJSON `json:"typeChanged"`
	Unchanged   countedJSON     `json:"unchanged"`
	Dead        twoBytes        `json:"dead"`
	Directories []diffDirJSON   `json:"directories"`
}

type countedJSON struct {
	Count int `json:"count"`
	twoBytes
}

// changesJSON stands among the keys of a list of changes: how many they are and
// what they add up to, Bytes being NEW's less OLD's.
type changesJSON struct {
	Count int    `json:"count"`
	Bytes *int64 `json:"bytes"`
	twoBytes
}

func newChangesJSON(count int, b diff.Bytes) changesJSON {
	return changesJSON{count, nullDiff(b), newTwoBytes(b)}
}

// nullDiff returns by how many bytes NEW has more, null if that isn't known.
func nullDiff(b diff.Bytes) *int64 {
	if !b.Known() {
		return nil
	}
	n := b.Diff()
	return &n
}

type fileChangesJSON struct {
	changesJSON
	Items []diffFileJSON `json:"items"`
}

type diffFileJSON struct {
	pathJSON
	From       *string `json:"from"`
	FromBase64 *string `json:"fromBase64,omitempty"`
	twoBytes
	What []string `json:"what"`
}

type diffDirJSON struct {
	pathJSON
	twoBytes
	Changed int   `json:"changed"`
	Churn   int64 `json:"churn"`
}

type diffPackagesJSON struct {
	Added      packageChangesJSON `json:"added"`
	Removed    packageChangesJSON `json:"removed"`
	Upgraded   packageChangesJSON `json:"upgraded"`
	Downgraded packageChangesJSON `json:"downgraded"`
	Changed    packageChangesJSON `json:"changed"`
	Unchanged  countedJSON        `json:"unchanged"`
	Unowned    twoBytes           `json:"unowned"`
	Dead       twoBytes           `json:"dead"`
	Unread     diffUnreadJSON     `json:"unread"`
}

// diffUnreadJSON is what should tell of packages and can't be read.
type diffUnreadJSON struct {
	Old []unreadJSON `json:"old"`
	New []unreadJSON `json:"new"`
}

type packageChangesJSON struct {
	changesJSON
	Items []diffPackageJSON `json:"items"`
}

type diffPackageJSON struct {
	Ecosystem    string  `json:"ecosystem"`
	Name         string  `json:"name"`
	Architecture *string `json:"architecture"`
	pathJSON
	VersionOld *string `json:"versionOld"`
	VersionNew *string `json:"versionNew"`
	twoBytes
}

type diffConfigJSON struct {
	Key  string   `json:"key"`
	Name *string  `json:"name"`
	Old  []string `json:"old"` // may be null, as New may
	New  []string `json:"new"`
}

type diffCauseJSON struct {
	Cause string          `json:"cause"`
	Title string          `json:"title"`
	Old   int64           `json:"old"`
	New   int64           `json:"new"`
	Parts []causePartJSON `json:"parts"`
}

type causePartJSON struct {
	Part string `json:"part"`
	Old  int64  `json:"old"`
	New  int64  `json:"new"`
}

type budgetJSON struct {
	Limit int64  `json:"limit"`
	Bytes int64  `json:"bytes"`
	Level string `json:"level"`
}

// DiffJSON writes what differs, as docs/json.md describes it. The same images
// give the same bytes.
func DiffJSON(w io.Writer, c Comparison, tool Tool) error {
	layers := newDiffLayersJSON(c.Diff)
	if c.layersOnly() {
		return writeJSON(w, layersReport{
			SchemaVersion: schemaVersion, Tool: tool,
			Old: imageOnly{newImageJSON(c.Old)}, New: imageOnly{newImageJSON(c.New)},
			Layers: layers,
		})
	}
	return writeJSON(w, diffReport{
		SchemaVersion: schemaVersion,
		Tool:          tool,
		Old:           newImageAndTotals(c.Old),
		New:           newImageAndTotals(c.New),
		Identical:     c.Identical(),
		Strict:        c.Options.Strict,
		Layers:        layers,
		Base:          newDiffBaseJSON(c.Base),
		Steps:         newDiffStepsJSON(c.Diff),
		Files:         c.newFilesJSON(),
		Packages:      newDiffPackagesJSON(c.Diff),
		Config:        newDiffConfigJSON(c.Config),
		Causes:        newDiffCausesJSON(c.Causes),
		Budget:        newBudgetJSON(c),
	})
}

func newImageAndTotals(m *analyze.Image) imageAndTotals {
	return imageAndTotals{imageOnly{newImageJSON(m)}, newTotalsJSON(m)}
}

func newDiffLayersJSON(d *diff.Diff) diffLayersJSON {
	out := diffLayersJSON{
		Shared: []layerPairJSON{}, SameContent: []layerPairJSON{}, OnlyOld: []layerPairJSON{}, OnlyNew: []layerPairJSON{},
		DeltaPull: deltaPullJSON{
			nullBytes(d.Layers.Pull.Bytes), nullBytes(d.Layers.Back.Bytes), d.Layers.Pull.Layers, d.Layers.Back.Layers,
			nullBytes(d.Layers.Pull.Chain), nullBytes(d.Layers.Back.Chain),
		},
	}
	for _, p := range d.Layers.Pairs {
		list := map[diff.LayerState]*[]layerPairJSON{
			diff.Shared: &out.Shared, diff.Recompressed: &out.SameContent, diff.Retouched: &out.SameContent,
			diff.OnlyOld: &out.OnlyOld, diff.OnlyNew: &out.OnlyNew,
		}[p.State]
		*list = append(*list, newLayerPairJSON(d, p))
	}
	return out
}

func newLayerPairJSON(d *diff.Diff, p diff.LayerPair) layerPairJSON {
	out := layerPairJSON{
		Old: nullIndex(p.Old), New: nullIndex(p.New), State: p.State.String(), twoBytes: newTwoBytes(p.Stored),
		CompressedOld: nullBytes(p.Compressed.Old), CompressedNew: nullBytes(p.Compressed.New),
	}
	if p.Old >= 0 {
		l := d.Old.Layers[p.Old]
		out.DiffIDOld, out.DigestOld, out.MediaTypeOld = nullable(l.DiffID), nullable(l.Digest), nullable(l.MediaType)
	}
	if p.New >= 0 {
		l := d.New.Layers[p.New]
		out.DiffIDNew, out.DigestNew, out.MediaTypeNew = nullable(l.DiffID), nullable(l.Digest), nullable(l.MediaType)
	}
	return out
}

func newDiffBaseJSON(b diff.BaseChange) diffBaseJSON {
	return diffBaseJSON{
		b.State.String(), newDistributionJSON(b.Old), newDistributionJSON(b.New),
		nullable(b.OldRelease), nullable(b.NewRelease), newTwoBytes(b.Stored),
	}
}

func newDistributionJSON(d *packages.Distribution) *distributionJSON {
	if d == nil {
		return nil
	}
	return &distributionJSON{d.ID, nullable(d.Version), nullable(d.Name)}
}

func newDiffStepsJSON(d *diff.Diff) []diffStepJSON {
	out := make([]diffStepJSON, len(d.Steps))
	for i, s := range d.Steps {
		out[i] = diffStepJSON{Old: nullIndex(s.Old), New: nullIndex(s.New), State: s.State.String(), twoBytes: newTwoBytes(s.Stored)}
		if s.Old >= 0 {
			out[i].TextOld = &d.Old.Steps[s.Old].Text
		}
		if s.New >= 0 {
			out[i].TextNew = &d.New.Steps[s.New].Text
		}
	}
	return out
}

func (c Comparison) newFilesJSON() diffFilesJSON {
	var lists [diff.NumFileStates]fileChangesJSON
	for state, files := range c.filesByState() {
		sum := c.Files.Sums[state]
		list := fileChangesJSON{newChangesJSON(sum.Count, sum.Bytes), make([]diffFileJSON, len(files))}
		for i, f := range files {
			list.Items[i] = c.newFileJSON(f)
		}
		lists[state] = list
	}
	out := diffFilesJSON{
		Added: lists[diff.FileAdded], Removed: lists[diff.FileRemoved], Modified: lists[diff.FileModified],
		Metadata: lists[diff.FileMetadata], Moved: lists[diff.FileMoved], TypeChanged: lists[diff.FileTypeChanged],
		Unchanged:   countedJSON{c.Files.Unchanged.Count, newTwoBytes(c.Files.Unchanged.Bytes)},
		Dead:        newTwoBytes(c.Files.Dead),
		Directories: make([]diffDirJSON, len(c.Files.Dirs)),
	}
	for i, d := range c.Files.Dirs {
		out.Directories[i] = diffDirJSON{newPathJSON(c.path(d.Old, d.New)), newTwoBytes(d.Bytes), d.Changed, d.Churn}
	}
	return out
}

func (c Comparison) newFileJSON(f diff.File) diffFileJSON {
	out := diffFileJSON{pathJSON: newPathJSON(c.path(f.Old, f.New)), twoBytes: newTwoBytes(f.Bytes), What: list(f.What.Names())}
	if f.State == diff.FileMoved {
		from := rooted(c.Old.Tree, f.Old)
		out.From, out.FromBase64 = &from, nullBase64(from)
	}
	return out
}

func newDiffPackagesJSON(d *diff.Diff) diffPackagesJSON {
	sums := d.Packages.Sums
	items := [len(sums)][]diffPackageJSON{}
	for _, p := range d.Packages.Changes {
		items[p.State] = append(items[p.State], newDiffPackageJSON(d, p))
	}
	changes := func(s diff.PackageState) packageChangesJSON {
		if items[s] == nil {
			items[s] = []diffPackageJSON{}
		}
		return packageChangesJSON{newChangesJSON(sums[s].Count, sums[s].Bytes), items[s]}
	}
	return diffPackagesJSON{
		Added: changes(diff.PackageAdded), Removed: changes(diff.PackageRemoved),
		Upgraded: changes(diff.PackageUpgraded), Downgraded: changes(diff.PackageDowngraded), Changed: changes(diff.PackageChanged),
		Unchanged: countedJSON{d.Packages.Unchanged.Count, newTwoBytes(d.Packages.Unchanged.Bytes)},
		Unowned:   newTwoBytes(d.Packages.Unowned),
		Dead:      newTwoBytes(d.Packages.Dead),
		Unread:    diffUnreadJSON{newUnreadJSON(d.Old), newUnreadJSON(d.New)},
	}
}

func newDiffPackageJSON(d *diff.Diff, p diff.Package) diffPackageJSON {
	one, t := p.New, d.New.Tree
	if one == nil {
		one, t = p.Old, d.Old.Tree
	}
	out := diffPackageJSON{
		Ecosystem: string(one.Ecosystem), Name: one.Name, Architecture: nullable(one.Arch),
		pathJSON: newPathJSON(rooted(t, one.Metadata)), twoBytes: newTwoBytes(p.Bytes),
	}
	if p.Old != nil {
		out.VersionOld = nullable(p.Old.Version)
	}
	if p.New != nil {
		out.VersionNew = nullable(p.New.Version)
	}
	return out
}

func newDiffConfigJSON(changes []diff.ConfigChange) []diffConfigJSON {
	out := make([]diffConfigJSON, len(changes))
	for i, c := range changes {
		out[i] = diffConfigJSON{c.Key, nullable(c.Name), c.Old, c.New}
	}
	return out
}

func newDiffCausesJSON(causes []diff.Cause) []diffCauseJSON {
	out := make([]diffCauseJSON, len(causes))
	for i, c := range causes {
		out[i] = diffCauseJSON{c.Kind.String(), c.Kind.Title(), c.Bytes.Old, c.Bytes.New, make([]causePartJSON, len(c.Parts))}
		for j, p := range c.Parts {
			out[i].Parts[j] = causePartJSON{p.ID, p.Bytes.Old, p.Bytes.New}
		}
	}
	return out
}

func newBudgetJSON(c Comparison) *budgetJSON {
	if c.Budget == nil {
		return nil
	}
	return &budgetJSON{*c.Budget, c.Stored.Diff(), c.budgetLevel().String()}
}

// filesByState returns the paths that differ, those that make the largest
// difference first, ties by path.
func (c Comparison) filesByState() [diff.NumFileStates][]diff.File {
	var lists [diff.NumFileStates][]diff.File
	for _, f := range c.Files.Changes {
		lists[f.State] = append(lists[f.State], f)
	}
	for i, files := range lists {
		lists[i] = sorted(files, func(f diff.File) diff.Bytes { return f.Bytes }) // they are in the order of the paths
	}
	return lists
}
