package diff

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
)

// stacked returns the tree of an image's layers.
func stacked(t testing.TB, layers ...synth.Layer) *tree.Tree {
	t.Helper()
	indexes := make([]*layer.Index, len(layers))
	for k, l := range layers {
		var err error
		blob := l.Open(synth.None)
		if indexes[k], err = layer.Read(context.Background(), blob, layer.Options{}); err != nil {
			t.Fatal(err)
		}
		if err := blob.Close(); err != nil {
			t.Fatal(err)
		}
	}
	tr, err := tree.Build(context.Background(), indexes, tree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func filesOf(t testing.TB, old, new *tree.Tree, opts Options) *Files {
	t.Helper()
	f, err := compareFiles(context.Background(), old, new, opts)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// told returns the changes as lines: state, path, what differs, bytes.
func told(f *Files) []string {
	var lines []string
	for _, c := range f.Changes {
		s := c.State.String()
		if c.State == FileMoved {
			s += " " + f.old.Path(c.Old) + " ->"
		}
		s += " " + f.Path(c.Old, c.New)
		if c.What != 0 {
			s += " " + strings.Join(c.What.Names(), ",")
		}
		lines = append(lines, fmt.Sprintf("%s %d %d", s, c.Bytes.Old, c.Bytes.New))
	}
	return lines
}

var later = synth.ModTime(time.Unix(synth.Epoch+1, 1))

func TestChanges(t *testing.T) {
	type layers = []synth.Layer
	for _, test := range []struct {
		name     string
		old, new layers
		opts     Options
		want     []string
	}{
		{name: "no layers"},
		{
			name: "from nothing",
			new:  layers{{synth.Dir("a"), synth.File("a/f", "123")}},
			want: []string{"added a 0 0", "added a/f 0 3"},
		},
		{
			name: "to nothing",
			old:  layers{{synth.Dir("a"), synth.File("a/f", "123")}},
			want: []string{"removed a 0 0", "removed a/f 3 0"},
		},
		{
			name: "the same in other layers",
			old:  layers{{synth.File("a/f", "123")}, {synth.File("a/g", "4")}},
			new:  layers{{synth.Dir("a"), synth.File("a/g", "4", later), synth.File("a/f", "123"), synth.File("x", "12")}, {synth.Whiteout("x")}},
		},
		{
			name: "content",
			old:  layers{{synth.File("f", "123"), synth.File("g", "1")}},
			new:  layers{{synth.File("f", "124"), synth.File("g", "", synth.Mode(0o600))}},
			want: []string{"modified f content 3 3", "modified g content,mode 1 0"},
		},
		{
			name: "metadata",
			old: layers{{synth.File("f", "1"), synth.File("g", "1"), synth.File("h", "1"), synth.File("i", "1"), synth.File("j", "1", synth.Xattr("user.a", "1")),
				synth.Dir("d"), synth.Dir("e")}},
			new: layers{{
				synth.File("f", "1", synth.Mode(0o4644)), synth.File("g", "1", synth.Owner(0, 1)), synth.File("h", "1", synth.Owner(1, 0)),
				synth.File("i", "1", synth.Xattr("user.a", "")), synth.File("j", "1", synth.Xattr("user.a", "2")), synth.Dir("d", synth.Mode(0o700), synth.Owner(1, 1)), synth.Dir("e", later),
			}},
			want: []string{
				"metadata d mode,owner 0 0", "metadata f mode 1 1", "metadata g owner 1 1", "metadata h owner 1 1", "metadata i xattrs 1 1", "metadata j xattrs 1 1",
			},
		},
		{
			name: "times, strictly",
			old:  layers{{synth.Dir("d"), synth.File("f", "1"), synth.File("g", "1"), synth.File("h", "1"), synth.Symlink("l", "f"), synth.Dir("x")}},
			new: layers{{
				synth.Dir("d", later), synth.File("f", "1", later), synth.File("g", "2", later), synth.File("i", "1", later), synth.Symlink("l", "f", later),
				synth.File("x", "", later),
			}},
			opts: Options{Strict: true},
			want: []string{
				"metadata d mtime 0 0", "metadata f mtime 1 1", "modified g content,mtime 1 1", "moved h -> i mtime 1 1",
				"metadata l mtime 0 0", "typeChanged x type 0 0",
			},
		},
		{
			name: "implied directories",
			old:  layers{{synth.File("a/f", "1"), synth.File("b/f", "1")}},
			new:  layers{{synth.Dir("a", later), synth.File("a/f", "1"), synth.Dir("b", synth.Mode(0o700)), synth.File("b/f", "1")}},
			opts: Options{Strict: true},
			want: []string{"metadata b mode 0 0"},
		},
		{
			name: "links and devices",
			old: layers{{
				synth.Symlink("l", "a"), synth.Symlink("m", "a"), synth.CharDevice("c", 1, 2), synth.BlockDevice("d", 1, 2), synth.Fifo("p"),
				synth.Hardlink("broken", "nothing"), synth.Hardlink("broken2", "nothing"),
			}},
			new: layers{{
				synth.Symlink("l", "b"), synth.Symlink("m", "a", synth.Mode(0o755)), synth.CharDevice("c", 1, 3), synth.BlockDevice("d", 1, 2), synth.Fifo("p"),
				synth.Hardlink("broken", "nowhere"), synth.Hardlink("broken2", "nothing"),
			}},
			want: []string{"modified broken target 0 0", "modified c device 0 0", "modified l target 0 0"},
		},
		{
			name: "types",
			old:  layers{{synth.File("a", "1"), synth.Dir("b"), synth.File("b/f", "12"), synth.File("b/g/h", "3"), synth.Symlink("c", "a"), synth.Symlink("d", "b")}},
			new:  layers{{synth.Dir("a"), synth.File("a/f", "1"), synth.File("b", "1234"), synth.File("c", "5"), synth.File("d/f", "12")}},
			want: []string{
				"typeChanged a type 1 0", "added a/f 0 1", "typeChanged b type 0 4", "removed b/g 0 0", "removed b/g/h 1 0",
				"typeChanged c type 0 1", "typeChanged d type 0 0", "moved b/f -> d/f 2 2",
			},
		},
		{
			name: "order of bytes",
			old:  layers{{synth.File("a/x", ""), synth.File("a-b", ""), synth.File("B", ""), synth.File("\xff", "")}},
			want: []string{"removed B 0 0", "removed a 0 0", "removed a/x 0 0", "removed a-b 0 0", "removed \xff 0 0"},
		},
		{
			name: "a link goes: its bytes stay",
			old:  layers{{synth.File("a", "123"), synth.Hardlink("b", "a"), synth.Hardlink("c", "a")}},
			new:  layers{{synth.File("b", "123"), synth.Hardlink("c", "b")}},
			want: []string{"removed a 0 0"},
		},
		{
			name: "a link comes",
			old:  layers{{synth.File("b", "123")}},
			new:  layers{{synth.File("b", "123")}, {synth.Hardlink("a", "b")}},
			want: []string{"added a 0 0"},
		},
		{
			name: "links become copies",
			old:  layers{{synth.File("a", "123"), synth.Hardlink("b", "a"), synth.File("e", ""), synth.Hardlink("f", "e")}},
			new:  layers{{synth.File("a", "123"), synth.File("b", "123"), synth.File("e", ""), synth.File("f", "")}},
			want: []string{"metadata a links 3 3", "metadata b links 0 3", "metadata e links 0 0", "metadata f links 0 0"},
		},
		{
			name: "links change partners",
			old:  layers{{synth.File("a", "1"), synth.Hardlink("b", "a"), synth.File("c", "1"), synth.Hardlink("d", "c")}},
			new:  layers{{synth.File("a", "1"), synth.Hardlink("c", "a"), synth.File("b", "1"), synth.Hardlink("d", "b")}},
			want: []string{"metadata a links 1 1", "metadata b links 0 1", "metadata c links 1 0", "metadata d links 0 0"},
		},
		{
			name: "a link is replaced by a file of its own",
			old:  layers{{synth.File("a", "123"), synth.Hardlink("b", "a")}},
			new:  layers{{synth.File("a", "123"), synth.Hardlink("b", "a")}, {synth.File("b", "4567")}},
			want: []string{"metadata a links 3 3", "modified b content,links 0 4"},
		},
		{
			name: "linked symbolic links",
			old:  layers{{synth.Symlink("a", "x"), synth.Hardlink("b", "a")}},
			new:  layers{{synth.Symlink("a", "x"), synth.Symlink("b", "x")}},
			want: []string{"metadata a links 0 0", "metadata b links 0 0"},
		},
		{
			name: "all links move",
			old:  layers{{synth.File("x/a", "12"), synth.Hardlink("x/b", "x/a")}},
			new:  layers{{synth.File("y/a", "12"), synth.Hardlink("y/b", "y/a")}},
			want: []string{"removed x 0 0", "added y 0 0", "moved x/a -> y/a 2 2", "moved x/b -> y/b 0 0"},
		},
		{
			name: "a move with other metadata; nothing without bytes moves",
			old:  layers{{synth.File("a", "1"), synth.File("e", ""), synth.Symlink("l", "t")}},
			new:  layers{{synth.File("b", "1", synth.Mode(0o600), synth.Owner(3, 3), synth.Xattr("user.x", "1")), synth.File("f", ""), synth.Symlink("m", "t")}},
			want: []string{"moved a -> b mode,owner,xattrs 1 1", "removed e 0 0", "added f 0 0", "removed l 0 0", "added m 0 0"},
		},
		{
			name: "moves end alike, are in one directory, or in order",
			old:  layers{{synth.File("p/1/y/LICENSE", "l"), synth.File("p/2/x/LICENSE", "l"), synth.File("q/z", "l"), synth.File("s/t", "l"), synth.File("s/u", "l")}},
			new:  layers{{synth.File("a/LICENSE", "l"), synth.File("b/y/LICENSE", "l"), synth.File("c/k", "l"), synth.File("q/q", "l")}},
			want: []string{
				"added a 0 0", "moved p/2/x/LICENSE -> a/LICENSE 1 1",
				"added b 0 0", "added b/y 0 0", "moved p/1/y/LICENSE -> b/y/LICENSE 1 1",
				"added c 0 0", "moved s/t -> c/k 1 1",
				"removed p 0 0", "removed p/1 0 0", "removed p/1/y 0 0", "removed p/2 0 0", "removed p/2/x 0 0",
				"moved q/z -> q/q 1 1", "removed s 0 0", "removed s/u 1 0",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := filesOf(t, stacked(t, test.old...), stacked(t, test.new...), test.opts)
			if diff := cmp.Diff(test.want, told(f)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompareFilesCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	tr := stacked(t)
	if f, err := compareFiles(ctx, tr, tr, Options{}); f != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("with a canceled context: %v, %v", f, err)
	}
}

func TestMovedDirs(t *testing.T) {
	old := synth.Layer{
		synth.File("etc/one", "config"),
		synth.File("lib/a.so", "0123456789"), synth.File("lib/b.so", "123456789"),
		synth.File("opt/py3.10/lib/x.py", "x1"), synth.File("opt/py3.10/lib/y.py", "y12"), synth.File("opt/py3.10/z.py", "z123"),
		synth.File("top", "7"),
		synth.File("work/1/out/f", "ff"), synth.File("work/1/out/g", "g"),
	}
	new := synth.Layer{
		synth.File("etc/two", "config"),
		synth.File("opt/py3.11/lib/x.py", "x1"), synth.File("opt/py3.11/lib/y.py", "y12"), synth.File("opt/py3.11/z.py", "z123"),
		synth.File("sub/top", "7"),
		synth.File("usr/lib/a.so", "0123456789"), synth.File("usr/lib/b.so", "123456789"),
		synth.File("work/out/f", "ff"), synth.File("work/out/g", "g"),
	}
	f := filesOf(t, stacked(t, old), stacked(t, new), Options{})
	var got []string
	for _, m := range f.MovedDirs() {
		got = append(got, fmt.Sprintf("%s -> %s %d %d %d", f.old.Path(m.Old), f.new.Path(m.New), m.Count, m.Bytes.Old, m.Bytes.New))
	}
	want := []string{
		"lib -> usr/lib 2 19 19", "opt/py3.10 -> opt/py3.11 3 9 9", "etc/one -> etc/two 1 6 6",
		"work/1 -> work 2 3 3", "top -> sub/top 1 1 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("moved directories (-want +got):\n%s", diff)
	}
}
