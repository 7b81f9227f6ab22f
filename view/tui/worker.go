package tui

import (
	"context"
	"sync"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// subject is a filesystem that the files pane can show. Subjects are
// comparable.
type subject struct {
	tree    *tree.Tree   // nil while not all layers are read
	index   *layer.Index // the one layer to show then
	windows bool         // how to stack it
	layer   int          // index into the tree's layers
	whole   bool         // the image up to layer, not what layer changed
}

// request is what the worker is to work out.
type request struct {
	id      int
	subject subject
	order   order
	filter  string // "" for none
	folds   folds  // not shared with the loop
}

// listing is what the worker made of a request.
type listing struct {
	request
	view *tree.View
	rows []fileRow
	hits int   // of the filter
	err  error // view and rows are nil then
}

// worker builds views and rows, one request at a time, away from the event
// loop. A newer request ends the one before it.
type worker struct {
	deliver func(*listing)
	asked   chan struct{} // 1 if next may be set

	mu     sync.Mutex
	next   *request
	cancel context.CancelFunc // of the request being worked on; nil if idle

	views viewCache
	found foundCache
}

func newWorker(deliver func(*listing)) *worker {
	return &worker{deliver: deliver, asked: make(chan struct{}, 1)}
}

// ask makes r the request to work on. It reports whether the worker was idle,
// so that an answer may come at once.
func (w *worker) ask(r request) (idle bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	idle = w.cancel == nil && w.next == nil
	if w.cancel != nil {
		w.cancel()
	}
	w.next = &r
	select {
	case w.asked <- struct{}{}:
	default:
	}
	return idle
}

// run works until ctx is done.
func (w *worker) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.asked:
			w.serve(ctx)
		}
	}
}

// serve works on the next request and delivers its listing, unless a newer one
// came.
func (w *worker) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := w.begin(cancel)
	if r == nil {
		return
	}
	l, err := w.work(ctx, *r)
	w.finish()
	if err != nil {
		l = &listing{request: *r, err: err}
	}
	if ctx.Err() == nil {
		w.deliver(l)
	}
}

func (w *worker) begin(cancel context.CancelFunc) *request {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.next
	w.next = nil
	if r != nil {
		w.cancel = cancel
	}
	return r
}

func (w *worker) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cancel = nil
}

// work makes the listing of a request.
func (w *worker) work(ctx context.Context, r request) (*listing, error) {
	v, err := w.views.get(ctx, r.subject)
	if err != nil {
		return nil, err
	}
	l := &listing{request: r, view: v}
	b := rowBuilder{view: v, order: r.order, all: r.folds.all, flipped: r.folds.nodes(v.Tree())}
	if r.filter != "" {
		if b.found, err = w.found.get(ctx, v, r.filter); err != nil {
			return nil, err
		}
		l.hits = b.found.hits
	}
	l.rows, err = b.rows(ctx)
	return l, err
}
