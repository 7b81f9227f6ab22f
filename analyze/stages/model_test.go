package stages

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/patternmatcher"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cause"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/tree/naive"
)

// This file holds what is taken and left behind against a second computation
// that is as simple as can be: over a map of paths, with patterns matched
// against whole paths.

// naiveStage is a stage as a map.
type naiveStage struct {
	fs     naive.FS
	layers [][]tar.Header
}

// link returns the target of the symbolic link at a path.
func (s naiveStage) link(p string) (string, bool) {
	var k, row int
	if n, _ := fmt.Sscanf(s.fs[p].ID, "%d/%d", &k, &row); n != 2 {
		return "", false
	}
	h := s.layers[k][row]
	return h.Linkname, h.Typeflag == tar.TypeSymlink
}

var errNaive = errors.New("not there")

func (s naiveStage) resolve(p string) (string, error) {
	at, links := "", 0
	for todo := strings.Split(p, "/"); len(todo) > 0; {
		name := todo[0]
		todo = todo[1:]
		if name == "" {
			continue
		}
		if !s.fs[at].Dir {
			return "", errNaive
		}
		next := naive.Clean(at + "/" + name)
		if name == "." || name == ".." {
			at = next
			continue
		}
		if _, ok := s.fs[next]; !ok {
			return "", errNaive
		}
		if target, ok := s.link(next); ok {
			if links++; links > 40 {
				return "", errNaive
			}
			if strings.HasPrefix(target, "/") {
				at = ""
			}
			todo = append(strings.Split(target, "/"), todo...)
			continue
		}
		at = next
	}
	return at, nil
}

// below returns a path as it is below another; false if it isn't.
func below(p, dir string) (string, bool) {
	if dir == "" {
		return p, p != ""
	}
	return strings.CutPrefix(p, dir+"/")
}

func (s naiveStage) sources(sel buildcontext.Selection) ([]string, error) {
	if !sel.Wildcard {
		p, err := s.resolve(sel.Path)
		return []string{p}, err
	}
	var plain []string
	parts := strings.Split(naive.Clean(sel.Path), "/")
	for !buildcontext.HasWildcard(parts[0]) {
		plain, parts = append(plain, parts[0]), parts[1:]
	}
	base, err := s.resolve(strings.Join(plain, "/"))
	if err != nil {
		return nil, err
	}
	var out []string
	for p := range s.fs {
		rel, ok := below(p, base)
		if !ok {
			continue
		}
		if match, _ := path.Match(strings.Join(parts, "/"), rel); !match {
			continue
		}
		if _, ok := s.link(p); ok {
			if p, err = s.resolve(p); err != nil {
				return nil, err
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// take returns the paths that aren't directories.
func (s naiveStage) take(sel buildcontext.Selection) (map[string]bool, error) {
	out := map[string]bool{}
	sources, err := s.sources(sel)
	if err != nil {
		return nil, err
	}
	matches := func(patterns []string, rel string) bool {
		m, err := patternmatcher.New(patterns)
		if err != nil {
			panic(err)
		}
		ok, err := m.MatchesOrParentMatches(rel)
		if err != nil {
			panic(err)
		}
		return ok
	}
	for _, src := range sources {
		if !s.fs[src].Dir {
			out[src] = true
			continue
		}
		for p, o := range s.fs {
			rel, ok := below(p, src)
			if !ok || o.Dir || len(sel.Include) > 0 && !matches(sel.Include, rel) || matches(sel.Exclude, rel) {
				continue
			}
			out[p] = true
		}
	}
	return out, nil
}

// randomSelection makes a selection over the names that naive.RandomLayers has.
func randomSelection(r *rand.Rand) buildcontext.Selection {
	words := []string{"a", "b", "c", "a", "b", "*", "?", "[a-c]", "[!a]", "e*", "..", ".", "*f", `\a*`}
	some := func(n int) string {
		parts := make([]string, 1+r.IntN(n))
		for i := range parts {
			parts[i] = words[r.IntN(len(words))]
		}
		return strings.Join(parts, "/")
	}
	p := path.Join("/", some(3))
	if r.IntN(6) == 0 {
		p = "/"
	}
	sel := buildcontext.Selection{Path: p, Wildcard: buildcontext.HasWildcard(p), FollowLinks: true}
	pattern := func() string {
		return []string{"a", "b", "*", "a/b", "**/b", "a/*", "b*", "c/**", "e f"}[r.IntN(9)]
	}
	for r.IntN(3) == 0 {
		sel.Exclude = append(sel.Exclude, []string{"", "", "!"}[r.IntN(3)]+pattern())
	}
	if r.IntN(4) == 0 {
		sel.Include = []string{pattern()}
	}
	return sel
}

// causeOf is a cause of no sense that can be computed again.
type causeOf struct{}

func (causeOf) Of(r tree.Ref) (cause.Of, bool) {
	return cause.Of{Kind: cause.Kind(r.Row % 3), Part: fmt.Sprint(r.Layer)}, true
}

func TestAgainstNaiveModel(t *testing.T) {
	var taking, missing, filtered int
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 7))
		s := naiveStage{naive.New(), naive.RandomLayers(r, 4)}
		m := &analyze.Image{Complete: true}
		var indexes []*layer.Index
		for k, l := range s.layers {
			for i := range l {
				if l[i].Typeflag == tar.TypeSymlink {
					l[i].Linkname = []string{"a", "/a", "../b", "/a/b/../c", "gone", "..", "/", "b"}[r.IntN(8)]
				}
			}
			s.fs.Apply(k, l)
			x := naive.Index(t, l)
			indexes = append(indexes, x)
			m.Layers = append(m.Layers, analyze.Layer{Index: x})
			m.Totals.Stored += x.Stored
		}
		var err error
		if m.Tree, err = tree.Build(context.Background(), indexes, tree.Options{}); err != nil {
			t.Fatal(err)
		}
		ledger := newLedger(m)
		ids, paths := map[string]bool{}, map[string]bool{}
		for range 1 + r.IntN(4) {
			sel, counts := randomSelection(r), r.IntN(4) > 0
			got, err := ledger.take(context.Background(), []buildcontext.Selection{sel}, counts)
			took, naiveErr := s.take(sel)
			if (err != nil) != (naiveErr != nil) {
				t.Fatalf("seed %d: %+v: error %v, want %v\n%s", seed, sel, err, naiveErr, naive.Describe(s.layers))
			}
			if err != nil {
				missing++
				continue
			}
			want, own := Sum{Files: len(took)}, map[string]bool{}
			for p := range took {
				o := s.fs[p]
				if !own[o.ID] {
					own[o.ID] = true
					want.Bytes += o.Size
				}
				if counts {
					ids[o.ID], paths[p] = true, true
				}
			}
			if got != want {
				t.Fatalf("seed %d: %+v takes %+v, want %+v\n%s", seed, sel, got, want, naive.Describe(s.layers))
			}
			if want.Bytes > 0 {
				taking++
				if len(sel.Include)+len(sel.Exclude) > 0 {
					filtered++
				}
			}
		}
		want := LeftBehind{}
		parts := map[cause.Of]cause.Part{}
		taken := Sum{Files: len(paths)}
		for k, l := range s.layers {
			for row, h := range l {
				switch {
				case !naive.IsCopy(h) || h.Size == 0:
				case ids[naive.ID(k, row)]:
					taken.Bytes += h.Size
				default:
					of, _ := causeOf{}.Of(tree.Ref{Layer: int32(k), Row: int32(row)})
					p := parts[of]
					p.Of, p.Bytes, p.Copies = of, p.Bytes+h.Size, p.Copies+1
					parts[of] = p
					want.Bytes += h.Size
					want.Copies++
				}
			}
		}
		left := ledger.left(m, causeOf{})
		for _, p := range left.Parts {
			want.Parts = append(want.Parts, parts[p.Of])
			delete(parts, p.Of)
		}
		if diff := cmp.Diff(want, left); diff != "" || len(parts) > 0 || ledger.taken != taken {
			t.Fatalf("seed %d: taken %+v, want %+v; not told %v; left -want +got\n%s", seed, ledger.taken, taken, parts, diff)
		}
		if ledger.stored != taken.Bytes+left.Bytes {
			t.Fatalf("seed %d: %d are stored, %d taken and %d left", seed, ledger.stored, taken.Bytes, left.Bytes)
		}
	}
	if taking < 500 || missing < 300 || filtered < 300 {
		t.Errorf("%d selections took something, %d of them with patterns, and %d weren't there: too few to tell", taking, filtered, missing)
	}
}
