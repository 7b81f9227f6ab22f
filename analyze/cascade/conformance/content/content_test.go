package content

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/buildcontext"
)

var (
	rounds = flag.Int("rounds", 300, "how many random contexts")
	seed   = flag.Uint64("seed", 1, "of the first of them")
)

const (
	steps = 6  // states of one context, each a small change from the one before
	kinds = 14 // different selections of it
)

// TestDigests makes random contexts, changes them, and selects of them. Every
// two digests of the whole run must be equal to us exactly if they are to
// BuildKit: equalities between selections, states and contexts count.
func TestDigests(t *testing.T) {
	j := &judge{t: t, ours: map[string]buildcontext.Digest{}, theirs: map[buildcontext.Digest]string{}, what: map[string]string{}}
	for i := range *rounds {
		j.round(*seed + uint64(i))
		if t.Failed() {
			t.Fatalf("context of seed %d", *seed+uint64(i))
		}
	}
	t.Logf("%d contexts, %d states, %d comparisons of selections: %d different digests, %d refusals by both; %d pairs of states compared, %d of them equal",
		*rounds, j.states, j.digests, len(j.ours), j.refusals, j.pairs, j.same)
	if j.same == 0 || j.same == j.pairs || j.refusals == 0 {
		t.Error("the run has no cases of a kind")
	}
}

type judge struct {
	t      *testing.T
	ours   map[string]buildcontext.Digest // of each of BuildKit's digests
	theirs map[buildcontext.Digest]string

	what map[string]string // that each of BuildKit's digests was of

	states, digests, refusals, pairs, same int
}

// state is a context at one time.
type state struct {
	tree   *buildcontext.Tree
	theirs *received
}

func (j *judge) round(seed uint64) {
	tmp, err := os.MkdirTemp("", "content")
	if err != nil {
		j.t.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	w := &world{Rand: rand.New(rand.NewPCG(seed, 0)), dir: filepath.Join(tmp, "context"), root: os.Getuid() == 0, xattr: keepsAttributes(tmp)}
	if err := os.Mkdir(w.dir, 0o755); err != nil {
		j.t.Fatal(err)
	}
	w.fill(w.dir, 0)
	if w.chance(60) {
		w.ignore()
	}
	var sels [][]buildcontext.Selection
	for range kinds {
		sels = append(sels, w.selections())
	}
	dockerfile := ""
	if w.chance(50) {
		dockerfile = filepath.Join(w.dir, "Dockerfile")
	}
	var last *state
	for step := range steps {
		if step > 0 {
			w.change()
		}
		now := j.read(w, dockerfile, filepath.Join(tmp, fmt.Sprint(step)))
		if now == nil {
			return
		}
		for _, s := range sels {
			j.compare(w, last, now, s)
		}
		last = now
	}
}

// read reads the context and sends it to BuildKit.
func (j *judge) read(w *world, dockerfile, dir string) *state {
	ctx := context.Background()
	j.states++
	if err := os.Mkdir(dir, 0o755); err != nil {
		j.t.Fatal(err)
	}
	r := &received{id: dir, dir: dir, external: map[string][]byte{}}
	theirErr := r.receive(ctx, w.dir, dockerfile)
	tree, err := buildcontext.Read(ctx, w.dir, buildcontext.Options{Dockerfile: dockerfile})
	if (err != nil) != (theirErr != nil) {
		j.t.Errorf("%v: we say %v, BuildKit says %v", w.did, err, theirErr)
	}
	if err != nil || theirErr != nil {
		j.refusals++
		return nil
	}
	j.files(w, r, tree)
	return &state{tree, r}
}

// files compares what arrived.
func (j *judge) files(w *world, r *received, tree *buildcontext.Tree) {
	var theirs []string
	filepath.WalkDir(r.dir, func(p string, d os.DirEntry, _ error) error {
		if p != r.dir {
			theirs = append(theirs, strings.TrimPrefix(p, r.dir+"/"))
		}
		return nil
	})
	var ours []string
	for _, e := range tree.Entries() {
		ours = append(ours, e.Path)
	}
	slices.Sort(theirs)
	slices.Sort(ours)
	if !slices.Equal(theirs, ours) {
		j.t.Errorf("%q: BuildKit gets %q, we say %q", w.did, theirs, ours)
	}
}

func (j *judge) compare(w *world, last, now *state, sels []buildcontext.Selection) {
	ctx := context.Background()
	j.digests++
	theirs, theirErr := now.theirs.digest(ctx, sels)
	ours, err := now.tree.Digest(ctx, sels, buildcontext.BuildKit)
	if (err != nil) != (theirErr != nil) {
		j.t.Errorf("%+v of %q: we say %v, BuildKit says %v", sels, w.did, err, theirErr)
		return
	}
	if err != nil {
		j.refusals++
		return
	}
	if old, ok := j.ours[theirs]; ok && old != ours {
		j.t.Errorf("%+v of %q: to BuildKit it is what was before, to us it isn't:\n%s\n%s", sels, w.did, j.what[theirs], describe(now.tree, sels))
	}
	if old, ok := j.theirs[ours]; ok && old != theirs {
		j.t.Errorf("%+v of %q: to us it is what was before, to BuildKit it isn't:\n%s\n%s", sels, w.did, j.what[old], describe(now.tree, sels))
	}
	if _, ok := j.what[theirs]; !ok {
		j.what[theirs] = describe(now.tree, sels)
	}
	j.ours[theirs], j.theirs[ours] = ours, theirs
	if last != nil {
		j.differ(w, last, now, sels, ours)
	}
}

// differ holds Differ to the digests.
func (j *judge) differ(w *world, last, now *state, sels []buildcontext.Selection, digest buildcontext.Digest) {
	ctx := context.Background()
	paths, err := buildcontext.Differ(ctx, last.tree, sels, now.tree, sels, buildcontext.BuildKit)
	if err != nil {
		j.t.Errorf("%+v of %q: Differ: %v", sels, w.did, err)
		return
	}
	before, err := last.tree.Digest(ctx, sels, buildcontext.BuildKit)
	if equal := err == nil && before == digest; equal != (len(paths) == 0) {
		j.t.Errorf("%+v of %q: digests equal: %v, but Differ says %q", sels, w.did, equal, paths)
	}
	j.pairs++
	if len(paths) == 0 {
		j.same++
	}
}

// describe returns what is selected of a tree.
func describe(t *buildcontext.Tree, sels []buildcontext.Selection) string {
	var b strings.Builder
	files, err := t.Files(context.Background(), sels)
	fmt.Fprintf(&b, "%+v %v", sels, err)
	for _, e := range files {
		fmt.Fprintf(&b, "\n  %q %v %d %q", e.Path, e.Mode, e.Size, e.Link)
	}
	return b.String()
}
