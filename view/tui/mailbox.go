package tui

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/progress"
)

// mailbox holds what other goroutines have for the event loop: of each kind the
// latest. They put it there and wake the loop by an event; the loop takes it
// all at once. tview's own QueueUpdate waits for the loop, for ever once that
// has ended; nothing here waits for anything.
type mailbox struct {
	screen tcell.Screen
	filled chan struct{} // 1 if mail came that nobody has looked after

	mu   sync.Mutex
	mail mail
}

// mail is the content of a mailbox; nil for what there is nothing new of.
type mail struct {
	news    *news
	listing *listing
	crash   error
	quit    bool
}

// news is how far the job is.
type news struct {
	image    *analyze.Image // nil before anything is known
	progress progress.Snapshot
	ended    bool
	err      error // set with ended
}

func newMailbox(s tcell.Screen) *mailbox {
	return &mailbox{screen: s, filled: make(chan struct{}, 1)}
}

// put changes the mail and wakes the loop.
func (b *mailbox) put(change func(*mail)) {
	b.mu.Lock()
	change(&b.mail)
	b.mu.Unlock()
	select {
	case b.filled <- struct{}{}:
	default:
	}
	b.wake()
}

// take empties the mailbox.
func (b *mailbox) take() mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.mail
	b.mail = mail{}
	return m
}

func (b *mailbox) waiting() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mail != mail{}
}

// wakeKey is a key that no terminal has.
const wakeKey tcell.Key = 0x7fff

// wake sends the loop an event that only isWake knows. It may get lost, if the
// queue is full or amid a paste, and then the postman sends another.
func (b *mailbox) wake() {
	_ = b.screen.PostEvent(tcell.NewEventKey(wakeKey, 0, tcell.ModNone))
}

func isWake(ev *tcell.EventKey) bool { return ev.Key() == wakeKey }

// pollEvery is how often the job is looked at and lost wakes are repeated.
const pollEvery = 60 * time.Millisecond

// postman puts the job's news into the mailbox until the loop has ended, and
// asks the loop to end when ctx is done. With no news to come it sleeps.
func (b *mailbox) postman(ctx context.Context, job *analyze.Job, ended <-chan struct{}) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	interrupt := ctx.Done()
	var last news
	for {
		switch n := newsOf(job); {
		case !n.same(last):
			last = n
			shown := n
			if n.image != nil {
				shown.image = n.image.Redacted()
			}
			b.put(func(m *mail) { m.news = &shown })
		case b.waiting():
			b.wake()
		case last.ended:
			tick.Stop()
		}
		select {
		case <-ended:
			return
		case <-interrupt:
			interrupt = nil
			b.put(func(m *mail) { m.quit = true })
		case <-b.filled:
			tick.Reset(pollEvery)
		case <-tick.C:
		}
	}
}

// same reports whether there is nothing new in n. Errors aren't compared: they
// come with the end, and not all can be.
func (n news) same(o news) bool {
	return n.image == o.image && n.progress == o.progress && n.ended == o.ended
}

func newsOf(job *analyze.Job) news {
	var n news
	select {
	case <-job.Done():
		_, n.err = job.Wait()
		n.ended = true
	default:
	}
	// Taken after Done, so that the last image isn't missed.
	n.image, n.progress = job.Latest(), job.Progress()
	return n
}

// guard runs f in a goroutine. A panic in it would leave the terminal unusable;
// it becomes an error that ends the loop instead.
func (b *mailbox) guard(f func()) {
	go func() {
		defer func() {
			if p := recover(); p != nil {
				err := fmt.Errorf("drawing the image: panic: %v\n%s", p, debug.Stack())
				b.put(func(m *mail) { m.crash = err })
			}
		}()
		f()
	}()
}
