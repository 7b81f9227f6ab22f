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
	j := newJudge(t)
	for i := range *rounds {
		j.round(*seed + uint64(i))
		if t.Failed() {
			t.Fatalf("context of seed %d", *seed+uint64(i))
		}
	}
	j.log(*rounds)
}

type judge struct {
	t      *testing.T
	ours   map[string]buildcontext.Digest // of each of BuildKit's digests
	theirs map[buildcontext.Digest]string

	what map[string]string // that each of BuildKit's digests was of

	states, digests, refusals, pairs, same int
}

func newJudge(t *testing.T) *judge {
	return &judge{t: t, ours: map[string]buildcontext.Digest{}, theirs: map[buildcontext.Digest]string{}, what: map[string]string{}}
}

func (j *judge) log(rounds int) {
	j.t.Logf("%d contexts, %d states, %d comparisons of selections: %d different digests, %d refusals by both; %d pairs of states compared, %d of them equal",
		rounds, j.states, j.digests, len(j.ours), j.refusals, j.pairs, j.same)
	if j.same == 0 || j.same == j.pairs || j.refusals == 0 {
		j.t.Error("the run has no cases of a kind")
	}
}

// state is a context at one time.
type state struct {
	tree   *buildcontext.Tree
	theirs *received
}

// newWorld makes a random context.
func newWorld(t *testing.T, seed uint64) (w *world, cleanup func()) {
	tmp, err := os.MkdirTemp("", "content")
	if err != nil {
		t.Fatal(err)
	}
	w = &world{Rand: rand.New(rand.NewPCG(seed, 0)), dir: filepath.Join(tmp, "context"), name: fmt.Sprint("the context of seed ", seed), root: os.Getuid() == 0, xattr: keepsAttributes(tmp)}
	if err := os.Mkdir(w.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	w.fill(w.dir, 0)
	if w.chance(60) {
		w.ignore()
	}
	return w, func() { os.RemoveAll(tmp) }
}

func (j *judge) round(seed uint64) {
	w, cleanup := newWorld(j.t, seed)
	defer cleanup()
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
		now := j.read(w, dockerfile, fmt.Sprint(w.dir, step))
		if now == nil {
			return
		}
		for _, s := range sels {
			j.compare(w, last, now, s)
		}
		last = now
	}
}

// read reads the context and sends it to a BuildKit that has nothing.
func (j *judge) read(w *world, dockerfile, dir string) *state {
	if err := os.Mkdir(dir, 0o755); err != nil {
		j.t.Fatal(err)
	}
	r := &received{id: dir, dir: dir, external: map[string][]byte{}}
	tree := j.send(w, r, dockerfile)
	if tree == nil {
		return nil
	}
	return &state{tree, r}
}

// send reads the context and sends it to BuildKit; nil if that fails.
func (j *judge) send(w *world, r *received, dockerfile string) *buildcontext.Tree {
	ctx := context.Background()
	j.states++
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
	return tree
}

// TestHeld sends each context's states to the same BuildKit, which holds the
// one before and is told of what changed alone.
func TestHeld(t *testing.T) {
	j := newJudge(t)
	stale := 0
	for i := range *rounds {
		stale += j.held(*seed + uint64(i))
		if t.Failed() {
			t.Fatalf("context of seed %d", *seed+uint64(i))
		}
	}
	j.log(*rounds)
	t.Logf("%d states were not as BuildKit held them", stale)
	if stale == 0 {
		t.Error("the run has no change that BuildKit takes no note of")
	}
}

func (j *judge) held(seed uint64) (stale int) {
	w, cleanup := newWorld(j.t, seed)
	defer cleanup()
	sels := [][]buildcontext.Selection{{{Path: "/"}}}
	for range kinds {
		sels = append(sels, w.selections())
	}
	dir := w.dir + "-held"
	if err := os.Mkdir(dir, 0o755); err != nil {
		j.t.Fatal(err)
	}
	r := &received{id: dir, dir: dir, external: map[string][]byte{}}
	var last *state
	for step := range steps {
		if step > 0 {
			w.change()
		}
		tree := j.send(w, r, "")
		if tree == nil || last == nil && len(tree.Entries()) == 0 {
			return stale
		}
		now := &state{tree, r}
		if last != nil {
			now.tree = tree.After(last.tree)
			if diff, err := buildcontext.Differ(context.Background(), tree, nil, now.tree, nil, buildcontext.BuildKit); err != nil || len(diff) > 0 {
				stale++
			}
		}
		for _, s := range sels {
			j.compare(w, last, now, s)
		}
		last = now
	}
	return stale
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
		j.what[theirs] = fmt.Sprintf("after %q in %s: %s", w.did, w.name, describe(now.tree, sels))
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
