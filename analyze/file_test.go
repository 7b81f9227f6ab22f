package analyze_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
)

// passing is an image whose layers pass by as in a stream: all of them are
// handed out, and things that are no layers.
type passing struct {
	layers []synth.Layer
	read   []string // keys of what was read from
}

func (p *passing) Description() *source.Description { return nil }
func (p *passing) Close() error                     { return nil }

func (p *passing) Read(ctx context.Context, req source.Request) (*source.Description, error) {
	d := &source.Description{Config: new(v1.ConfigFile)}
	for i, l := range p.layers {
		key := string(rune('a' + i))
		d.Layers = append(d.Layers, source.Layer{Key: key, Size: -1})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		// What isn't a layer is an error to read, and dropped.
		_ = req.Visit(ctx, source.Blob{Key: "junk" + key, Reader: p.note("junk"+key, strings.NewReader("junk"))})
		if err := req.Visit(ctx, source.Blob{Key: key, Reader: p.note(key, l.Open(synth.Gzip))}); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// note notes that the blob is read from.
func (p *passing) note(key string, r io.Reader) io.Reader {
	return readerFunc(func(b []byte) (int, error) {
		if n := len(p.read); n == 0 || p.read[n-1] != key {
			p.read = append(p.read, key)
		}
		return r.Read(b)
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestCopyFile(t *testing.T) {
	img := func(second string) *passing {
		return &passing{layers: []synth.Layer{
			{synth.File("a", "first"), synth.Dir("dir")},
			{synth.File("b", second), synth.Hardlink("c", "b")},
			{synth.File("a", "third")},
		}}
	}
	m, err := analyze.StartImage(context.Background(), img("second"), analyze.Options{}).Wait()
	if err != nil {
		t.Fatal(err)
	}
	at := func(path string, k int) tree.Ref {
		n, err := m.Tree.Resolve(path, k)
		if err != nil {
			t.Fatal(err)
		}
		s, _ := m.Tree.StateAt(n, k)
		return s.Inode
	}
	gone := img("second")
	gone.layers = gone.layers[:1]
	failed := errors.New("disk full")
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		name string
		ctx  context.Context
		from *passing
		ref  tree.Ref
		w    io.Writer
		want string
		err  error
		read string // layers that are read
	}{
		{name: "bottom", ref: at("a", 0), want: "first", read: "a"},
		{name: "middle", ref: at("b", 2), want: "second", read: "b"},
		{name: "hard link", ref: at("c", 2), want: "second", read: "b"},
		{name: "top", ref: at("a", 2), want: "third", read: "c"},
		{name: "changed since", ref: at("b", 2), from: img("SECOND"), want: "SECOND", err: layer.ErrBody, read: "b"},
		{name: "layer gone", ref: at("b", 2), from: gone, err: layer.ErrBody},
		{name: "write error", ref: at("b", 2), w: failing{failed}, err: failed, read: "b"},
		{name: "canceled", ctx: canceled, ref: at("b", 2), err: context.Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got bytes.Buffer
			if tt.w == nil {
				tt.w = &got
			}
			if tt.ctx == nil {
				tt.ctx = context.Background()
			}
			if tt.from == nil {
				tt.from = img("second")
			}
			err := analyze.CopyFile(tt.ctx, tt.w, tt.from, m, tt.ref, analyze.Options{})
			if !errors.Is(err, tt.err) {
				t.Errorf("got error %v, want %v", err, tt.err)
			}
			if got.String() != tt.want {
				t.Errorf("got %q, want %q", got.String(), tt.want)
			}
			if read := strings.Join(tt.from.read, ""); read != tt.read {
				t.Errorf("read layers %q, want %q", read, tt.read)
			}
		})
	}
	t.Run("directory", func(t *testing.T) {
		if err := analyze.CopyFile(context.Background(), io.Discard, img(""), m, at("dir", 2), analyze.Options{}); err == nil {
			t.Error("no error for a directory")
		}
	})
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
