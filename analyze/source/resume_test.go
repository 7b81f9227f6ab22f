package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func init() { firstPause = time.Millisecond }

// script opens a blob by what a test says happens each time: how many bytes
// come before the connection is cut, and whether ranges are ignored.
type script struct {
	blob  []byte
	cuts  []int // bytes until the cut; -1: none
	whole bool
	opens []int64
}

func (s *script) open(off int64) (io.ReadCloser, int64, error) {
	s.opens = append(s.opens, off)
	start := off
	if s.whole {
		start = 0
	}
	rest := s.blob[start:]
	cut := -1
	if n := len(s.opens); n <= len(s.cuts) {
		cut = s.cuts[n-1]
	}
	if cut < 0 || cut >= len(rest) {
		return io.NopCloser(bytes.NewReader(rest)), start, nil
	}
	r := io.MultiReader(bytes.NewReader(rest[:cut]), iotest.ErrReader(io.ErrUnexpectedEOF))
	return io.NopCloser(r), start, nil
}

func TestResumer(t *testing.T) {
	blob := []byte(strings.Repeat("0123456789", 1000))
	tests := []struct {
		name  string
		cuts  []int
		whole bool
		opens int
	}{
		{"whole", nil, false, 1},
		{"cut twice", []int{100, 1}, false, 3},
		{"cut at once", []int{0, 0, 0, 0, 0}, false, 6},
		{"progress between cuts", []int{0, 0, 0, 10, 0, 0, 0, 0, 10, 0, 0, 0}, false, 13},
		{"cut at the last byte", []int{9999}, false, 2},
		{"ranges ignored", []int{5000, 6000}, true, 3},
		{"ranges ignored, cut while skipping", []int{5000, 4000, 6000}, true, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{blob: blob, cuts: tt.cuts, whole: tt.whole}
			r := newResumer(t.Context(), int64(len(blob)), s.open)
			defer r.Close()
			if err := iotest.TestReader(readAtMost{r}, blob); err != nil {
				t.Error(err)
			}
			if len(s.opens) != tt.opens {
				t.Errorf("opened at %v, want %d times", s.opens, tt.opens)
			}
		})
	}
}

// readAtMost hides all methods but Read.
type readAtMost struct{ io.Reader }

func TestResumerGivesUp(t *testing.T) {
	s := &script{blob: make([]byte, 100), cuts: []int{10, 0, 0, 0, 0, 0, 0, 0, 0}}
	r := newResumer(t.Context(), 100, s.open)
	got, err := io.ReadAll(r)
	if len(got) != 10 || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "after 10 of 100 bytes") {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if len(s.opens) != 1+maxResumes {
		t.Errorf("opened %d times", len(s.opens))
	}
}

// TestResumerShort: a server that ends a body early, cleanly, is one that cuts.
func TestResumerShort(t *testing.T) {
	s := &script{blob: make([]byte, 90)}
	_, err := io.ReadAll(newResumer(t.Context(), 100, s.open))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

func TestResumerOpenError(t *testing.T) {
	gone := errors.New("gone")
	opens := 0
	r := newResumer(t.Context(), 100, func(int64) (io.ReadCloser, int64, error) {
		opens++
		return nil, 0, gone
	})
	if _, err := io.ReadAll(r); err != gone || opens != 1 {
		t.Errorf("got %v after %d attempts", err, opens)
	}
}

func TestResumerCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer func(d time.Duration) { firstPause = d }(firstPause)
	firstPause = time.Hour
	s := &script{blob: make([]byte, 100), cuts: []int{10}}
	r := newResumer(ctx, 100, s.open)
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := io.ReadAll(r); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCheckRange(t *testing.T) {
	for _, h := range []string{"bytes 10-99/100", "bytes 10-99/*"} {
		if err := checkRange(h, 10, 100); err != nil {
			t.Errorf("%q: %v", h, err)
		}
	}
	for _, h := range []string{"", "bytes", "bytes 0-99/100", "bytes 10-99/101", "bytes 10", "bytes */100", "items 10-99/100", "bytes 010-99/100"} {
		if checkRange(h, 10, 100) == nil {
			t.Errorf("%q passes", h)
		}
	}
}
