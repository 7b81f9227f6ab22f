package tui

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"

	"github.com/layerscope/layerscope/analyze"
)

// ui is the running interface. All of it belongs to tview's event loop; other
// goroutines reach it through its mailbox.
type ui struct {
	app    *tview.Application
	screen tcell.Screen
	job    *analyze.Job
	opts   Options
	theme  *theme
	look   *look
	keys   keymap
	all    []action

	box    *mailbox
	worker *worker
	listed chan struct{} // 1 when the worker has put a listing into the box
	ended  chan struct{} // closed once the loop is over

	frame *frame
	home  *home
	pages []*page // over the home screen, the topmost last

	news    news
	stopped bool  // the user stopped the job
	crash   error // a panic in a goroutine

	interrupted bool // from without: the context is done

	flash span // a message for the status line, until the next key
}

func newUI(screen tcell.Screen, job *analyze.Job, opts Options) *ui {
	if opts.ASCII {
		screen = asciiScreen{screen}
	}
	u := &ui{
		app:    tview.NewApplication(),
		screen: screen,
		job:    job,
		opts:   opts,
		theme:  newTheme(opts.NoColor),
		look:   &look{marks: newMarks(opts.ASCII), bytes: opts.Bytes},
		all:    actions(),
		box:    newMailbox(screen),
		listed: make(chan struct{}, 1),
		ended:  make(chan struct{}),
	}
	u.keys = newKeymap(u.all)
	u.worker = newWorker(func(l *listing) {
		u.box.put(func(m *mail) { m.listing = l })
		select {
		case u.listed <- struct{}{}:
		default:
		}
	})
	u.home = newHome(u)
	u.app.SetScreen(screen)
	u.app.EnableMouse(opts.Mouse)
	u.app.EnablePaste(true)
	u.frame = newFrame(u)
	u.app.SetRoot(u.frame, true)
	u.app.SetInputCapture(u.input)
	return u
}

// run runs the event loop and, beside it, the goroutines that feed it.
func (u *ui) run(ctx context.Context) error {
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	defer close(u.ended)
	u.box.guard(func() { u.box.postman(ctx, u.job, u.ended) })
	u.box.guard(func() { u.worker.run(work) })
	return u.app.Run()
}

// input is called for every key before any widget gets it.
func (u *ui) input(ev *tcell.EventKey) *tcell.EventKey {
	if isWake(ev) {
		u.readMail()
		return nil
	}
	u.flash = span{}
	if a := u.keys.find(keyName(ev), u.scopes()); a != nil {
		a.do(u)
		return nil
	}
	if u.home.typing {
		return ev
	}
	return nil
}

// scopes returns where the user is, the innermost first.
func (u *ui) scopes() []scope {
	switch {
	case len(u.pages) > 0:
		return []scope{inPage, inLists, anywhere}
	case u.home.typing:
		return []scope{inFilter}
	case u.home.focus == paneFiles:
		return []scope{inFiles, inHome, inLists, anywhere}
	}
	return []scope{inSteps, inHome, inLists, anywhere}
}

// scroller is what movement keys move.
type scroller interface {
	row() int     // where it is
	move(row int) // there, or to the nearest there is
	page() int    // rows that fit
	length() int  // rows that there are
}

// scroller returns what moves now.
func (u *ui) scroller() scroller {
	if n := len(u.pages); n > 0 {
		return u.pages[n-1]
	}
	return u.home.list[u.home.focus]
}

// readMail takes in what came from other goroutines.
func (u *ui) readMail() {
	m := u.box.take()
	if m.listing != nil {
		u.home.files.take(m.listing)
	}
	if m.news != nil {
		u.takeNews(*m.news)
	}
	if m.crash != nil {
		u.crash = m.crash
	}
	if m.quit {
		u.interrupted = true
	}
	if u.interrupted || u.crash != nil {
		u.quit()
	}
}

// takeNews shows what the job has read since.
func (u *ui) takeNews(n news) {
	changed := n.image != u.news.image
	u.news = n
	if n.err != nil && n.image == nil {
		u.quit() // there is nothing to look at
		return
	}
	if changed || n.ended {
		u.home.update()
		for _, p := range u.pages {
			p.update()
		}
	}
	if n.ended && u.failure() != nil {
		u.stopTyping()
		u.showFailure()
	}
}

// grace is how long a key waits for an idle worker. What takes no longer comes
// with the same frame; what does comes later, and no key waits for it.
const grace = 8 * time.Millisecond

// ask has the worker make a listing.
func (u *ui) ask(r request) {
	select {
	case <-u.listed:
	default:
	}
	if !u.worker.ask(r) {
		return
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	for u.home.files.behind() {
		select {
		case <-u.listed:
			u.readMail()
		case <-late.C:
			return
		}
	}
}

// state returns how far the job is.
func (u *ui) state() state {
	switch m := u.news.image; {
	case m != nil && m.Complete:
		return complete
	case !u.news.ended:
		return reading
	case u.failure() == nil:
		return stopped
	}
	return failed
}

// failure returns the job's error, unless it is that the user stopped it.
func (u *ui) failure() error {
	if u.stopped && errors.Is(u.news.err, context.Canceled) {
		return nil
	}
	return u.news.err
}

// state is how far a job is.
type state uint8

const (
	reading state = iota
	complete
	stopped // by the user
	failed
)

// say shows a message until the next key.
func (u *ui) say(r role, format string, args ...any) {
	u.flash = span{fmt.Sprintf(format, args...), r}
}

func (u *ui) quit() { u.app.Stop() }

// stop stops the job if it still runs, else quits.
func (u *ui) stop() {
	running := u.state() == reading && !u.stopped && u.news.image != nil
	u.stopped = true
	if !running {
		u.quit()
		return
	}
	u.job.Cancel()
	u.say(roleWarning, "stopping; Ctrl-C again quits")
}

// back goes one step back, and at the end of the way says how to quit.
func (u *ui) back() {
	switch n := len(u.pages); {
	case n > 0:
		u.pages = u.pages[:n-1]
	case u.home.files.filter != "":
		u.clearFilter()
	case u.home.focus == paneFiles:
		u.otherPane()
	default:
		u.say(roleDim, "q quits")
	}
}

func (u *ui) redraw() { u.screen.Sync() }

func (u *ui) help() { u.open(helpPage(u)) }

// open shows a page.
func (u *ui) open(p *page) { u.pages = append(u.pages, p) }
