package tui

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
)

// many is a tree of n files.
func many(t testing.TB, n int) *tree.Tree {
	return buildTree(t, synth.Layer{synth.Many(n, func(i int) synth.Entry {
		return synth.File(fmt.Sprintf("d%03d/f%06d", i%100, i), "")
	})})
}

// TestWorkerAnswersTheLatest asks much more than can be answered: whatever is
// dropped, the last request isn't.
func TestWorkerAnswersTheLatest(t *testing.T) {
	tr := many(t, 20_000)
	delivered := make(chan *listing, 1000)
	w := newWorker(func(l *listing) { delivered <- l })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.run(ctx) }()
	const last = 200
	for id := 1; id <= last; id++ {
		w.ask(request{id: id, subject: subject{tree: tr, whole: id%2 == 0}, filter: fmt.Sprint(id % 7), folds: folds{all: allOpen}})
	}
	previous := 0
	for previous != last {
		select {
		case l := <-delivered:
			if l.id <= previous || l.err != nil {
				t.Fatalf("request %d answered after %d: %v", l.id, previous, l.err)
			}
			previous = l.id
		case <-time.After(patience):
			t.Fatalf("the last answer is to request %d", previous)
		}
	}
	cancel()
	<-ended
}

func TestWorkerIsIdleOnceAnswered(t *testing.T) {
	tr := many(t, 10)
	delivered := make(chan *listing)
	w := newWorker(func(l *listing) { delivered <- l })
	go w.run(t.Context())
	for id := range 20 {
		if !w.ask(request{id: id, subject: subject{tree: tr}}) {
			t.Fatalf("request %d finds the worker busy", id)
		}
		<-delivered
	}
}

func TestViewCache(t *testing.T) {
	a, b := many(t, 10), many(t, 10)
	var c viewCache
	get := func(s subject) *tree.View {
		t.Helper()
		v, err := c.get(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	first := get(subject{tree: a})
	whole := get(subject{tree: a, whole: true})
	if get(subject{tree: a}) != first || get(subject{tree: a, whole: true}) != whole {
		t.Error("a view was built twice")
	}
	get(subject{tree: b})
	if len(c.recent) != 1 {
		t.Error("views of another tree were kept")
	}
}

func TestViewCacheIsBounded(t *testing.T) {
	big := many(t, maxCachedItems/100) // as many items, a hundred times
	var c viewCache
	v := big.Final()
	for i := range 150 {
		c.recent = append([]cachedView{{subject{tree: big, layer: i}, v}}, c.recent...)
		c.trim()
	}
	items := 0
	for _, e := range c.recent {
		items += e.view.Len()
	}
	if items > maxCachedItems || items < maxCachedItems*9/10 {
		t.Errorf("%d items are kept", items)
	}
	if c.recent[0].subject.layer != 149 {
		t.Errorf("the latest view isn't kept but that of %d", c.recent[0].subject.layer)
	}
}
