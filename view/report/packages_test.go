package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/view/text"
)

func TestNoPackages(t *testing.T) {
	if err := Packages(io.Discard, new(analyze.Image), 1, TextOptions{}); !errors.Is(err, ErrIncomplete) {
		t.Errorf("an image that isn't read gives error %v", err)
	}
	m := sample(t) // read without its packages
	for name, err := range map[string]error{
		"text": Packages(io.Discard, m, 1, TextOptions{}),
		"JSON": PackagesJSON(io.Discard, m, Tool{}),
	} {
		if !errors.Is(err, ErrNoPackages) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// packaged is an image of packages of long and odd names, and of files that
// can't be read.
func packaged(t *testing.T) *analyze.Image {
	long := strings.Repeat("wide字[red]", 15)
	l := synth.Layer{}
	for i := range 40 {
		dir := fmt.Sprintf("%s/node_modules/%d%s", long, i, long)
		l = append(l,
			synth.File(dir+"/package.json", fmt.Sprintf(`{"name":"%d%s\u202e","version":"1%s"}`, i, long, long)),
			synth.File(dir+"bad/package.json", long))
	}
	return analyzetest.ImageWith(t, synth.Image{Steps: []synth.Step{{CreatedBy: "RUN npm install", Layer: l}}}, analyze.Options{Packages: true})
}

// TestPackagesWidth holds every line to the width, whatever the names.
func TestPackagesWidth(t *testing.T) {
	m := packaged(t)
	for width := 60; width <= 140; width += 5 {
		for _, ascii := range []bool{false, true} {
			var b bytes.Buffer
			if err := Packages(&b, m, 30, TextOptions{Width: width, ASCII: ascii}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(b.String()) {
				line = strings.TrimSuffix(line, "\n")
				if text.Width(line) > width || text.Printable(line) != line {
					t.Errorf("width %d: line of %d cells: %q", width, text.Width(line), line)
				}
				if ascii && strings.ContainsFunc(line, func(r rune) bool { return r > '~' }) {
					t.Errorf("width %d: not ASCII: %q", width, line)
				}
			}
		}
	}
}

// TestPackagesLimit counts the rows.
func TestPackagesLimit(t *testing.T) {
	m := packaged(t)
	for _, tt := range []struct{ limit, rows int }{{0, 0}, {1, 1}, {30, 30}, {40, 40}, {50, 40}, {AllPackages, 40}} {
		var b bytes.Buffer
		if err := Packages(&b, m, tt.limit, TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(b.String(), "  npm  "); n != tt.rows {
			t.Errorf("with limit %d there are %d packages, want %d", tt.limit, n, tt.rows)
		}
		if n := strings.Count(b.String(), ": it isn't JSON"); n != tt.rows {
			t.Errorf("with limit %d there are %d unread, want %d", tt.limit, n, tt.rows)
		}
		if got, want := strings.Count(b.String(), "--all lists them"), 2; (got == want) != (tt.rows < 40) {
			t.Errorf("with limit %d there are %d notes of more", tt.limit, got)
		}
	}
}

func TestPackagesDeterministic(t *testing.T) {
	m := packaged(t)
	sameTwice(t, map[string]func(io.Writer) error{
		"text": func(w io.Writer) error { return Packages(w, m, 30, TextOptions{}) },
		"JSON": func(w io.Writer) error { return PackagesJSON(w, m, Tool{}) },
	})
}
