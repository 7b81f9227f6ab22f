package conformance

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/cases"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/compare"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/edit"
	"github.com/layerscope/layerscope/analyze/synth/fixture"
)

// TestFrontend holds the product's verdicts against those of BuildKit's own
// frontend: our cases with every edit and every change of their contexts, and
// other projects' Dockerfiles, where they are, with some edits each.
//
// CONFORMANCE_EDITS is how many edits each of those gets, 12 unless told;
// CONFORMANCE_ONLY names the cases and files to run, by a part of their names.
func TestFrontend(t *testing.T) {
	count := &tally{explained: map[string]int{}, kinds: map[string]int{}}
	start := time.Now()
	t.Run("cases", func(t *testing.T) {
		count.cases = true
		all, err := cases.All()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if c.For("buildkit") && wanted(c.Name) {
				t.Run(c.Name, func(t *testing.T) {
					t.Parallel()
					(&frontendCase{t: t, tally: count}).run(c)
				})
			}
		}
	})
	t.Run("refusals", func(t *testing.T) {
		count.refusals = true
		compareRefusals(t, count)
	})
	t.Run("others", func(t *testing.T) { others(t, count) })
	count.report(t, time.Since(start))
	figures(t, count.edits+count.changes >= 20_000, "1-frontend", "BuildKit's frontend v0.34.2", count.files, &Tally{Builds: count.edits + count.changes, Verdicts: count.vertices,
		Wrong: count.differing, MayMisses: count.may, Settled: count.settled / 3}, start) // each was settled in three ways
}

func wanted(name string) bool { return strings.Contains(name, os.Getenv("CONFORMANCE_ONLY")) }

// tally adds up what was compared.
type tally struct {
	cases, refusals bool // ran
	mu              sync.Mutex

	files, edits, changes, refused, vertices, differing int
	may, frontier, settled                              int
	held, pessimistic, needed, unsound                  int
	explained, kinds                                    map[string]int
}

func (c *tally) add(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// report logs the figures, and fails for an explanation that explains nothing.
func (c *tally) report(t *testing.T, took time.Duration) {
	t.Logf("%d Dockerfiles, %d edits of them, %d changes of contexts; of all those %d refused by both", c.files, c.edits, c.changes, c.refused)
	t.Logf("%d vertices: %d differ, %d may-miss, %d of those on an edge that decides; %d settled", c.vertices, c.differing, c.may, c.frontier, c.settled)
	t.Logf("any edit of a line: %d instructions held, %d unsound, %d too pessimistic, %d of stages newly needed", c.held, c.unsound, c.pessimistic, c.needed)
	t.Logf("%s", took.Round(time.Second))
	all := c.cases && c.refusals && os.Getenv("CONFORMANCE_ONLY") == ""
	if c.files == 0 {
		t.Error("nothing was compared")
	}
	for _, e := range explanations {
		t.Logf("explained %d times: %s", c.explained[e.name], e.reason)
		if all && !t.Failed() && c.explained[e.name] == 0 {
			t.Errorf("%s explains nothing any more", e.name)
		}
	}
	if testing.Verbose() {
		for _, k := range slices.Sorted(maps.Keys(c.kinds)) {
			t.Logf("%6d %s", c.kinds[k], k)
		}
	}
}

// explanation is a difference that isn't ours to mend.
type explanation struct {
	name, reason string
	of           func(d compare.Difference, before, after *compare.Pair) bool
}

var explanations = []explanation{
	{"target-number", "ours takes a stage's number for a --target, as other builders do; BuildKit wants its name",
		func(d compare.Difference, _, after *compare.Pair) bool {
			_, err := strconv.Atoi(after.Target)
			return d.What == "refused" && err == nil && strings.Contains(d.Them, "target stage")
		}},
	{"linting", "\"# check=\" makes errors of warnings; ours doesn't lint",
		func(d compare.Difference, _, after *compare.Pair) bool {
			return d.What == "refused" && (strings.Contains(d.Them, "lint violation") || strings.Contains(d.Them, "check options"))
		}},
	{"parser-line", "of some errors BuildKit's parser tells the line before; ours the line itself",
		func(d compare.Difference, _, after *compare.Pair) bool {
			return d.What == "line" && strings.Contains(d.Them, "parser directive can be used")
		}},
	{"numbered-twice", "the frontend counts a FROM twice whose stage only a trigger of ONBUILD needs",
		func(d compare.Difference, _, after *compare.Pair) bool {
			text := string(after.Dockerfile)
			return d.What == "label" && strings.Contains(text, "ONBUILD") && strings.Contains(text, "from=")
		}},
	{"epoch-stage", "what SOURCE_DATE_EPOCH names has a time that can't be known here; ours takes any stage for it, the frontend one of an ADD alone",
		func(d compare.Difference, _, after *compare.Pair) bool {
			return d.What == "refused" && strings.Contains(d.Them, "SOURCE_DATE_EPOCH stage")
		}},
	{"owner-of-nothing", "a --chown by name onto scratch is refused by the solver, when the step is about to run; ours goes on as if the name were known",
		func(d compare.Difference, _, _ *compare.Pair) bool {
			return d.What == "refused" && strings.Contains(d.Them, "invalid user index -1")
		}},
	{"pinned-url", "a URL with a checksum is the same by that; ours calls the URL another, and what reads it the same",
		func(d compare.Difference, _, after *compare.Pair) bool {
			return d.What == "state" && strings.HasPrefix(d.Node, "http ") && d.Ours == "miss" && d.Them == "hit"
		}},
	{"renamed-stage", "an edit of AS makes an image of what was a stage: the FROM that names it gets a vertex that it didn't have",
		func(d compare.Difference, before, after *compare.Pair) bool {
			return d.What == "unsound" && d.Node == "FROM" && len(before.Theirs.Vertices) > 0 && newImage(before, after)
		}},
	{"several-names", "of several FROMs that name no image the frontend, which looks at them at once, reports any",
		func(d compare.Difference, _, after *compare.Pair) bool {
			const refusal = "failed to parse stage name"
			return d.What == "line" && strings.Contains(d.Ours, refusal) && strings.Contains(d.Them, refusal)
		}},
}

// newImage tells whether a FROM is of an image that was of a stage before.
func newImage(before, after *compare.Pair) bool {
	for i, s := range after.Ours.Graph.Steps {
		if s.Keyword == "FROM" && i < len(before.Ours.Graph.Steps) && len(s.Nodes) > len(before.Ours.Graph.Steps[i].Nodes) {
			return true
		}
	}
	return false
}

// frontendCase is a Dockerfile that is compared.
type frontendCase struct {
	t      *testing.T
	tally  *tally
	name   string
	before *compare.Pair
	any    *compare.Somehow
	shown  int
}

// run compares a case of ours: every edit, every change of the context.
func (f *frontendCase) run(c *cases.Case) {
	t, ctx := f.t, context.Background()
	dir := t.TempDir()
	if err := c.Write(dir); err != nil {
		t.Fatal(err)
	}
	b := caseBuild(t, c, dir)
	if !f.begin(c.Name, b) {
		t.Fatalf("refused: %v, %v", f.before.OurRefusal, f.before.TheirRefusal)
	}
	edits := edit.All(c.Dockerfile, c.Args)
	for i, e := range edits {
		after := b
		after.Dockerfile = e.Dockerfile
		if e.Args != nil {
			after.Args = e.Args
		}
		if c.Inside && e.Args == nil {
			again := filepath.Join(dir, "edits", strconv.Itoa(i))
			if err := c.Write(again); err != nil {
				t.Fatal(err)
			}
			if err := c.WriteDockerfile(again, e.Dockerfile); err != nil {
				t.Fatal(err)
			}
			after.Folders = caseBuild(t, c, again).Folders
		}
		f.edit(ctx, e.Kind, e.Line, after)
	}
	f.options(ctx, b)
	f.history(ctx, b, edits)
	f.contexts(ctx, c, b, dir)
}

// caseBuild is a case's build, of what is written below dir.
func caseBuild(t *testing.T, c *cases.Case, dir string) compare.Build {
	b := compare.Build{
		Dockerfile: c.Dockerfile, Target: c.Target, Platform: c.Platform, Args: c.Args, Inside: c.Inside,
		Contexts: map[string]string{}, Folders: map[string]*compare.Folder{}, Images: known,
	}
	if text, err := os.ReadFile(c.DockerfilePath(dir) + ".dockerignore"); err == nil {
		b.Dockerignore = text
	}
	read := func(name, dockerfile string) {
		folder, err := compare.NewFolder(context.Background(), c.ContextPath(dir, name), dockerfile)
		if err != nil {
			t.Fatal(err)
		}
		b.Folders[name] = folder
	}
	read("", c.DockerfilePath(dir))
	for name, what := range c.Contexts {
		if strings.Contains(what, "://") {
			b.Contexts[name] = what
			continue
		}
		b.Contexts[name] = ""
		read(name, "")
	}
	return b
}

// known is what the images of the tests are configured with.
func known(reference string) *cascade.Image {
	i := &cascade.Image{Env: []string{"PATH=/usr/local/bin:/usr/bin:/bin"}}
	is := func(name string) bool { return strings.Contains(reference, name) }
	switch {
	case is("onbuild"):
		i.OnBuild = []string{"WORKDIR /usr/src/app", "COPY package.json .", "ARG NODE_ENV", "RUN npm install", "COPY . ."}
	case is("golang"):
		i.Env = []string{"PATH=/go/bin:/usr/bin:/bin", "GOPATH=/go"}
		i.WorkingDir = "/go"
	case is("nginx"):
		i.User, i.WorkingDir = "nginx", "html"
	case is("debian"), is("ubuntu"):
		i.Shell = []string{"/bin/bash", "-c"}
	case is("empty"):
		i.Empty = true
	case is("alpine"):
		return nil
	}
	return i
}

// begin converts the Dockerfile before any edit. It tells whether both engines
// take it.
func (f *frontendCase) begin(name string, b compare.Build) bool {
	var err error
	if f.before, err = compare.Convert(context.Background(), b); err != nil {
		f.t.Errorf("%s: %v", name, err)
		return false
	}
	f.name = name
	f.tally.add(func() { f.tally.files++ })
	if f.before.Refused() {
		return false
	}
	f.any = compare.NewSomehow(f.before)
	r := f.verdicts(context.Background(), "nothing", 0, f.before, f.before)
	if r != nil && (r.May > 0 || misses(r) > 0 && len(b.Contexts) == 0) {
		f.t.Errorf("%s: a build that nothing is changed in has %d may-misses and %d misses", name, r.May, misses(r))
	}
	return true
}

func misses(r *compare.Result) (n int) {
	for _, o := range r.Prediction.Nodes {
		if o.State == cascade.Miss {
			n++
		}
	}
	return n
}

// edit compares a build after an edit.
func (f *frontendCase) edit(ctx context.Context, kind string, line int, b compare.Build) {
	after, err := compare.Convert(ctx, b)
	if err != nil {
		f.t.Errorf("%s, %s on line %d: %v", f.name, kind, line, err)
		return
	}
	f.tally.add(func() { f.tally.edits++; f.tally.kinds[kind]++ })
	r := f.verdicts(ctx, kind, line, after, f.before)
	if r == nil || !maps.Equal(b.Args, f.before.Args) || b.Target != f.before.Target || b.Platform != f.before.Platform || len(b.NoCache) > 0 {
		return
	}
	s, err := f.any.Hold(ctx, after, r.Prediction)
	if err != nil {
		f.t.Error(err)
	}
	if s == nil {
		return
	}
	f.tally.add(func() {
		f.tally.held += s.Instructions
		f.tally.pessimistic += s.Pessimistic
		f.tally.needed += s.Needed
	})
	unsound := f.differences(kind, line, f.before, after, s.Unsound, nil)
	f.tally.add(func() { f.tally.unsound += unsound })
}

// verdicts compares a build after others; nil if it is refused.
func (f *frontendCase) verdicts(ctx context.Context, kind string, line int, after *compare.Pair, before ...*compare.Pair) *compare.Result {
	if d := after.Refusals(); d != nil {
		f.differences(kind, line, f.before, after, []compare.Difference{*d}, func(b, a *compare.Pair) []compare.Difference {
			if d := a.Refusals(); d != nil {
				return []compare.Difference{*d}
			}
			return nil
		})
		return nil
	}
	if after.Refused() {
		f.tally.add(func() { f.tally.refused++ })
		return nil
	}
	r, err := compare.Verdicts(ctx, after, before...)
	if err != nil {
		f.t.Errorf("%s, %s on line %d: %v", f.name, kind, line, err)
		return nil
	}
	f.tally.add(func() {
		f.tally.vertices += r.Vertices
		f.tally.may += r.May
		f.tally.frontier += r.Frontier
		f.tally.settled += r.Settled
	})
	f.differences(kind, line, before[0], after, r.Differences, func(b, a *compare.Pair) []compare.Difference {
		if b.Refused() || a.Refused() {
			return nil
		}
		r, err := compare.Verdicts(ctx, a, b)
		if err != nil {
			return nil
		}
		return r.Differences
	})
	if len(r.Differences) > 0 {
		return nil
	}
	return r
}

// differences shows those that no explanation is of, the first ones as the
// smallest Dockerfiles that again has them for.
func (f *frontendCase) differences(kind string, line int, before, after *compare.Pair, ds []compare.Difference, again func(b, a *compare.Pair) []compare.Difference) int {
	ds = slices.DeleteFunc(slices.Clone(ds), func(d compare.Difference) bool { return f.explained(d, before, after) })
	if len(ds) == 0 {
		return 0
	}
	f.tally.add(func() { f.tally.differing += len(ds) })
	if f.shown++; f.shown > 3 {
		f.t.Fail()
		return len(ds)
	}
	x, y := before.Dockerfile, after.Dockerfile
	if again != nil {
		x, y = compare.Shrink(x, y, func(x, y []byte) bool {
			b, a := before.Build, after.Build
			b.Dockerfile, a.Dockerfile = x, y
			p, err := compare.Convert(context.Background(), b)
			if err != nil || p.Refused() {
				return false
			}
			q, err := compare.Convert(context.Background(), a)
			if err != nil {
				return false
			}
			return slices.ContainsFunc(again(p, q), func(d compare.Difference) bool {
				return d.What == ds[0].What && !f.explains(d, p, q)
			})
		})
	}
	var b strings.Builder
	for _, d := range ds[:min(len(ds), 5)] {
		fmt.Fprintf(&b, "  %v\n", d)
	}
	f.t.Errorf("%s, %s on line %d: %d differences\n%sbefore:\n%s\nafter, with %v:\n%s", f.name, kind, line, len(ds), &b, indent(x), after.Args, indent(y))
	return len(ds)
}

func indent(text []byte) string { return "\t" + strings.ReplaceAll(string(text), "\n", "\n\t") }

func (f *frontendCase) explains(d compare.Difference, before, after *compare.Pair) bool {
	return slices.ContainsFunc(explanations, func(e explanation) bool { return e.of(d, before, after) })
}

func (f *frontendCase) explained(d compare.Difference, before, after *compare.Pair) bool {
	for _, e := range explanations {
		if e.of(d, before, after) {
			f.tally.add(func() { f.tally.explained[e.name]++ })
			return true
		}
	}
	return false
}

// options compares builds that are told otherwise.
func (f *frontendCase) options(ctx context.Context, b compare.Build) {
	for _, platform := range []string{"", "linux/amd64", "linux/arm64", "linux/arm/v7"} {
		after := b
		after.Platform = platform
		f.edit(ctx, "option-platform", 0, after)
	}
	for _, moved := range f.before.Ours.Graph.Bases() {
		after := b
		after.Images = func(reference string) *cascade.Image {
			i := b.Images(reference)
			if reference == moved {
				pushed := cascade.Image{}
				if i != nil {
					pushed = *i
				}
				pushed.Digest = "sha256:" + strings.Repeat("4", 64)
				i = &pushed
			}
			return i
		}
		f.edit(ctx, "option-base", 0, after)
	}
	names := []string{"", "0", "no-such-stage"}
	for _, s := range f.before.Ours.Graph.Stages {
		names = append(names, s.Name)
	}
	for _, name := range names {
		after := b
		after.Target = name
		f.edit(ctx, "option-target", 0, after)
		after = b
		after.NoCache = []string{name}
		f.edit(ctx, "option-no-cache", 0, after)
	}
}

// history compares builds after several others, and back again.
func (f *frontendCase) history(ctx context.Context, b compare.Build, edits []edit.Edit) {
	var pairs []*compare.Pair
	for i := 0; i < len(edits); i += 7 {
		after := b
		after.Dockerfile = edits[i].Dockerfile
		p, err := compare.Convert(ctx, after)
		if err != nil {
			f.t.Fatal(err)
		}
		if !p.Refused() {
			pairs = append(pairs, p)
		}
	}
	for i := 2; i < len(pairs); i++ {
		f.tally.add(func() { f.tally.edits++; f.tally.kinds["history"]++ })
		f.verdicts(ctx, "history", 0, pairs[i], f.before, pairs[i-1], pairs[i-2])
	}
}

// contexts compares builds after changes of their contexts.
func (f *frontendCase) contexts(ctx context.Context, c *cases.Case, b compare.Build, dir string) {
	names := []string{""}
	for name, what := range b.Contexts {
		if what == "" {
			names = append(names, name)
		}
	}
	for _, name := range names {
		for i, change := range edit.Context(c.ContextPath(dir, name)) {
			again := filepath.Join(dir, "changes"+name, strconv.Itoa(i))
			if err := c.Write(again); err != nil {
				f.t.Fatal(err)
			}
			if err := change.Apply(c.ContextPath(again, name)); err != nil {
				if strings.HasSuffix(change.Kind, "owner") && os.Geteuid() != 0 {
					continue
				}
				f.t.Fatal(err)
			}
			if _, err := os.Stat(c.DockerfilePath(again)); err != nil {
				continue // it was the Dockerfile
			}
			after := b
			after.Folders = caseBuild(f.t, c, again).Folders
			if after.Dockerfile, _ = os.ReadFile(c.DockerfilePath(again)); string(after.Dockerfile) != string(b.Dockerfile) {
				continue
			}
			p, err := compare.Convert(ctx, after)
			if err != nil {
				f.t.Fatal(err)
			}
			f.tally.add(func() { f.tally.changes++; f.tally.kinds["context-"+change.Kind]++ })
			f.verdicts(ctx, change.Kind+" of "+change.Path, 0, p, f.before)
			if err := os.RemoveAll(again); err != nil {
				f.t.Fatal(err)
			}
		}
	}
}

// others compares other projects' Dockerfiles, of whose contexts nothing is
// known.
func others(t *testing.T, count *tally) {
	each := 12
	if text := os.Getenv("CONFORMANCE_EDITS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		each = n
	}
	t.Chdir("../../..") // where the folder is looked for from
	files := fixture.Dockerfiles(t)
	next := make(chan fixture.Dockerfile)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for d := range next {
				other(t, count, d, each)
			}
		})
	}
	for _, d := range files {
		if wanted(d.Name) {
			next <- d
		}
	}
	close(next)
	wg.Wait()
}

func other(t *testing.T, count *tally, d fixture.Dockerfile, each int) {
	text, err := os.ReadFile(d.Path)
	if err != nil {
		t.Error(err)
		return
	}
	f := &frontendCase{t: t, tally: count}
	b := compare.Build{Dockerfile: text, Images: known}
	if !f.begin(d.Name, b) {
		if f.before != nil {
			if diff := f.before.Refusals(); diff != nil {
				f.differences("nothing", 0, f.before, f.before, []compare.Difference{*diff}, nil)
			} else {
				count.add(func() { count.refused++ })
			}
		}
		return
	}
	h := fnv.New64()
	fmt.Fprint(h, d.Name)
	for _, e := range edit.Sample(text, nil, each, h.Sum64()) {
		after := b
		after.Dockerfile, after.Args = e.Dockerfile, e.Args
		f.edit(context.Background(), e.Kind, e.Line, after)
	}
}
