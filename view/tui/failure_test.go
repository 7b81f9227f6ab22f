package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/view/text"
)

// failing is an image that can't be read to its end.
type failing struct {
	source.Image
	described bool
	err       error
	held      chan struct{} // the failure comes once it is closed
}

func (f failing) Description() *source.Description {
	if !f.described {
		return nil
	}
	return f.Image.Description()
}

func (f failing) Read(ctx context.Context, req source.Request) (*source.Description, error) {
	if _, err := f.Image.Read(ctx, source.Request{
		Want:  func(l source.Layer) bool { return f.described && l.Key == "0" },
		Visit: req.Visit,
	}); err != nil {
		return nil, err
	}
	<-f.held
	return nil, f.err
}

// fail shows an image of which one layer is read before err ends the reading.
func fail(t *testing.T, err error, w, h int) (*stage, chan struct{}) {
	t.Helper()
	img := failing{hostileImage(), true, err, make(chan struct{})}
	s := play(t, analyze.StartImage(t.Context(), img, analyze.Options{}), w, h, Options{Reference: "app.tar"})
	return s, img.held
}

var (
	errTorn     = errors.New("the line went dead\x1b[31m")
	errMismatch = fmt.Errorf("layer 0 (sha256:%s): digest mismatch: the image names sha256:%[1]s, the bytes are sha256:%s",
		strings.Repeat("f8ae", 16), strings.Repeat("1430", 16))
	errGzip = errors.New(`reading "/srv/images/gztrunc.tar": reading layer 0 ("l0/layer.tar"): reading tar entry "big": decompressing gzip: unexpected EOF`)
)

func TestFailureWithNothingToShow(t *testing.T) {
	free := make(chan struct{})
	close(free)
	job := analyze.StartImage(t.Context(), failing{hostileImage(), false, errTorn, free}, analyze.Options{})
	if err := play(t, job, 80, 24, Options{}).ended(); !errors.Is(err, errTorn) {
		t.Errorf("the interface ends with %v", err)
	}
}

// TestFailureCanBeRead looks for all of an error on the screen, at once and
// later again.
func TestFailureCanBeRead(t *testing.T) {
	for _, err := range []error{errTorn, errMismatch, errGzip, &source.HintError{Err: errTorn, Hint: "try again"}} {
		for _, size := range [][2]int{{60, 16}, {80, 24}} {
			s, held := fail(t, err, size[0], size[1])
			close(held)
			s.settled()
			s.wantWhole(err.Error(), "failed: 1 of 2 layers read; not verified, not complete")
			if hint := (*source.HintError)(nil); errors.As(err, &hint) {
				s.want(hint.Hint)
			}
			s.press("q")
			s.want("error: ", "e more", "q quit", "? help", "not verified")
			s.press("Tab", "e")
			s.wantWhole(err.Error())
			s.press("Esc")
			if got := s.quit("q"); !errors.Is(got, err) {
				t.Errorf("the interface ends with %v", got)
			}
		}
	}
}

// wantWhole fails unless all the texts are on the screen, however wrapped.
func (s *stage) wantWhole(texts ...string) {
	s.t.Helper()
	squeeze := func(x string) string { return strings.Join(strings.Fields(text.Printable(x)), "") }
	screen := squeeze(strings.ReplaceAll(s.text(), "\n", " "))
	for _, x := range texts {
		if !strings.Contains(screen, squeeze(x)) {
			s.t.Errorf("%q isn't on the screen, whole:\n%s", x, s.text())
		}
	}
}

func TestFailureOffersNoImage(t *testing.T) {
	s, held := fail(t, errTorn, 120, 40)
	close(held)
	s.settled()
	s.press("q", "End")
	s.want("This step made no layer")
	s.wantNot("shows the image after it")
	s.press("v")
	s.want("Not all layers were read")
}

// TestFailureWhileTyping: the keys that come next are the page's, not text.
func TestFailureWhileTyping(t *testing.T) {
	s, held := fail(t, errTorn, 80, 24)
	s.read(1)
	s.press("/", "e")
	close(held)
	s.settled()
	s.want("Error", "q close")
	s.press("x", "q")
	s.want("/e")
	s.wantNot("/ex", "q close")
}

func TestBrief(t *testing.T) {
	for _, test := range []struct {
		err   error
		width int
		want  string
	}{
		{errTorn, 80, `error: the line went dead\x1b[31m`},
		{errTorn, 20, `error: the line wen…`},
		{errMismatch, 200, "error: layer 0 (sha256:f8aef8ae…): digest mismatch: the image names sha256:f8aef8ae…, the bytes are sha256:14301430…"},
		{errMismatch, 54, "error: … digest mismatch: the image names sha256:f8ae…"},
		{errGzip, 54, "error: … decompressing gzip: unexpected EOF"},
		{errGzip, 74, `error: … reading tar entry "big": decompressing gzip: unexpected EOF`},
		{errors.New("short"), 3, "er…"},
	} {
		if got := brief(test.err.Error(), test.width); got != test.want {
			t.Errorf("in %d cells:\n%s, want\n%s", test.width, got, test.want)
		}
	}
}
