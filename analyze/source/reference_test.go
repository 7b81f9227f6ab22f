package source

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseRef(t *testing.T) {
	hex := strings.Repeat("0a", 32)
	tests := []struct {
		in   string
		want Ref
	}{
		{"alpine", Ref{Name: "alpine"}},
		{"ghcr.io/a/b:1@sha256:" + hex, Ref{Name: "ghcr.io/a/b:1@sha256:" + hex}},
		{"localhost:5000/a", Ref{Name: "localhost:5000/a"}},
		{"./a b.tar", Ref{Name: "./a b.tar"}},
		{"-", Ref{Transport: Stdin}},
		{"docker://alpine:3", Ref{Transport: Daemon, Name: "alpine:3"}},
		{"docker://sha256:" + hex, Ref{Transport: Daemon, Name: "sha256:" + hex}},
		{"docker://" + hex, Ref{Transport: Daemon, Name: hex}},
		{"docker://4bcff63911fc", Ref{Transport: Daemon, Name: "4bcff63911fc"}},
		{"registry://127.0.0.1:5000/a/b:c", Ref{Transport: Registry, Name: "127.0.0.1:5000/a/b:c"}},
		{"docker-archive:a.tar", Ref{Transport: DockerArchive, Path: "a.tar"}},
		{"docker-archive:a:b.tar", Ref{Transport: DockerArchive, Path: "a:b.tar"}},
		{"oci-archive:/x/a.tar", Ref{Transport: OCIArchive, Path: "/x/a.tar"}},
		{"oci:dir", Ref{Transport: Layout, Path: "dir"}},
		{"oci:dir:3.20", Ref{Transport: Layout, Path: "dir", Tag: "3.20"}},
		{"oci:./d:docker.io/library/alpine:3", Ref{Transport: Layout, Path: "./d", Tag: "docker.io/library/alpine:3"}},
		{"oci", Ref{Name: "oci"}},
		{"docker-archive", Ref{Name: "docker-archive"}},
	}
	for _, tt := range tests {
		got, err := ParseRef(tt.in)
		if err != nil {
			t.Errorf("ParseRef(%q): %v", tt.in, err)
			continue
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("ParseRef(%q) (-want +got):\n%s", tt.in, d)
		}
		if got.String() != tt.in {
			t.Errorf("ParseRef(%q).String() = %q", tt.in, got)
		}
	}
}

func TestParseRefErrors(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", "empty"},
		{"docker://UPPER", "lowercase"},
		{"docker://../../info", "parsing image name"},
		{"registry://a b", "parsing image name"},
		{"registry://" + strings.Repeat("0a", 32), "parsing image name"},
		{"https://example.com/a", "unknown transport"},
		{"containers-storage://a", "unknown transport"},
		{"registry://", "registry:// names no image"},
		{"docker://", "docker:// names no image"},
		{"docker-archive:", "names no file"},
		{"oci-archive:", "names no file"},
		{"oci:", "names no directory"},
		{"oci::tag", "names no directory"},
		{"oci:dir:", "names no tag"},
	}
	for _, tt := range tests {
		if r, err := ParseRef(tt.in); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ParseRef(%q) = %+v, %v; want an error with %q", tt.in, r, err, tt.want)
		}
	}
}

// FuzzParseRef: what parses is written as it was read, and has what its
// transport needs.
func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"a", "-", "docker://a:b", "registry://h:1/a@sha256:00", "oci:d:t", "oci:d", "docker-archive:p", "x://y", "oci::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRef(s)
		if err != nil {
			return
		}
		if r.String() != s {
			t.Errorf("%q is written as %q", s, r)
		}
		again, err := ParseRef(r.String())
		if err != nil || again != r {
			t.Errorf("%q parses as %+v and then as %+v, %v", s, r, again, err)
		}
		if r.Transport != Stdin && r.Name == "" && r.Path == "" {
			t.Errorf("%q parses as %+v, which names nothing", s, r)
		}
	})
}

func TestLooksLikePath(t *testing.T) {
	for _, s := range []string{"./a", "../a", "/a", ".", "..", "~/a", "a.tar", "a.tgz", "x/y.tar.gz", "a.tar.zst"} {
		if !looksLikePath(s) {
			t.Errorf("%q doesn't look like a path", s)
		}
	}
	for _, s := range []string{"alpine", "a/b", "tar", "a.tar/b", "ghcr.io/a/b:1.tar-x", "target"} {
		if looksLikePath(s) {
			t.Errorf("%q looks like a path", s)
		}
	}
}

func TestFullName(t *testing.T) {
	hex := strings.Repeat("0a", 32)
	tests := []struct{ in, full, tag string }{
		{"alpine", "docker.io/library/alpine:latest", "latest"},
		{"a/b:c", "docker.io/a/b:c", "c"},
		{"localhost:5000/a", "localhost:5000/a:latest", "latest"},
		{"a@sha256:" + hex, "docker.io/library/a@sha256:" + hex, ""},
		{"sha256:" + hex, "", ""},
		{hex, "", ""},
		{"A", "", ""},
	}
	for _, tt := range tests {
		if full, tag := fullName(tt.in); full != tt.full || tag != tt.tag {
			t.Errorf("fullName(%q) = %q, %q; want %q, %q", tt.in, full, tag, tt.full, tt.tag)
		}
	}
}
