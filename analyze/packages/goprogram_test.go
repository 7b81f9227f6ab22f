package packages

import (
	"bytes"
	"debug/buildinfo"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scan puts a body through a scanner in pieces of n bytes.
func scan(body []byte, n int) *file {
	var s programScanner
	if !s.reset(int64(len(body))) {
		return nil
	}
	for len(body) > 0 {
		n := min(n, len(body))
		s.write(body[:n])
		body = body[n:]
	}
	return s.close()
}

// builtFor builds a program of two modules for a platform.
func builtFor(t *testing.T, goos, goarch string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":     "module example.org/program\n\ngo 1.21\n\nrequire (\n\texample.org/one v1.2.3\n\texample.org/two v0.0.0\n)\n\nreplace example.org/one => ./one\n\nreplace example.org/two v0.0.0 => ./two\n",
		"main.go":    "package main\n\nimport (\n\t\"example.org/one\"\n\t\"example.org/two\"\n)\n\nfunc main() { println(one.X, two.X) }\n",
		"one/go.mod": "module example.org/one\n",
		"one/one.go": "package one\n\nvar X = 1\n",
		"two/go.mod": "module example.org/two\n",
		"two/two.go": "package two\n\nvar X = 2\n",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(content), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "program")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOWORK=off")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building for %s/%s: %v\n%s", goos, goarch, err, b)
	}
	return out
}

// TestPrograms compares what is found in real programs with what debug/buildinfo
// reads.
func TestPrograms(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"ELF":            builtFor(t, "linux", "amd64"),
		"PE":             builtFor(t, "windows", "amd64"),
		"Mach-O":         builtFor(t, "darwin", "arm64"),
		"this test":      self, // it has the magic number in other places
		"the go command": goCommand,
	} {
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			info, err := buildinfo.Read(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			want := &file{kind: goProgram, name: info.Main.Path, version: info.Main.Version}
			if want.name == "" {
				want.name = info.Path
			}
			for _, d := range info.Deps {
				if d.Replace != nil {
					d = d.Replace
				}
				want.modules = append(want.modules, Module{d.Path, d.Version})
			}
			for _, n := range []int{len(body), 64 << 10, 4096, 1003, 16} {
				if diff := cmp.Diff(want, scan(body, n), cmp.AllowUnexported(file{})); diff != "" {
					t.Errorf("in pieces of %d bytes: -debug/buildinfo +got\n%s", n, diff)
				}
			}
		})
	}
}

// elf returns a program of parts, each at a multiple of 16.
func elf(parts ...[]byte) []byte {
	b := append([]byte("\x7fELF"), make([]byte, 60)...)
	for _, p := range parts {
		b = append(b, p...)
		b = append(b, make([]byte, -len(b)&(infoAlign-1))...)
	}
	return b
}

// info returns build info of these strings.
func info(version, mod string) []byte {
	b := append([]byte(infoMagic), 8, infoInline)
	b = append(b, make([]byte, infoHeader-len(b))...)
	for _, s := range []string{version, mod} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

// modules wraps module info as the go command does.
func modules(s string) string {
	return strings.Repeat("a", infoSentinel) + s + strings.Repeat("b", infoSentinel)
}

func TestProgramOddities(t *testing.T) {
	good := info("go1.22", modules("path\texample.org/x\nmod\texample.org/x\tv1.0.0\t\n"))
	magic := []byte(infoMagic)
	pointers := append(append([]byte(infoMagic), 8, 0), make([]byte, 16)...)
	huge := append(append([]byte(infoMagic), 8, infoInline), make([]byte, 16)...)
	huge = append(binary.AppendUvarint(append(huge, "\x06go1.22"...), maxInfo+1), "more"...)
	for name, tt := range map[string]struct {
		body []byte
		want string // name, or error
	}{
		"good":                            {elf(good), "example.org/x"},
		"after the magic number alone":    {elf(magic, make([]byte, 100), magic, good), "example.org/x"},
		"after what wants all the rest":   {elf(info("go1.1", strings.Repeat("x", 5000))[:100], good), "example.org/x"},
		"after info cut short":            {elf(info("go1.1", strings.Repeat("x", 500))[:100], good), "example.org/x"},
		"where no info may be":            {append(elf(), append([]byte{0}, good...)...), ""},
		"of Go 1.17":                      {elf(pointers), "its build info is in the format of Go before 1.18"},
		"of Go 1.17, in one of 1.22":      {elf(pointers, good), "example.org/x"},
		"without modules":                 {elf(info("go1.22", "")), ""},
		"too large":                       {elf(huge), "its build info has more than 4194304 bytes"},
		"not a program's":                 {append([]byte("text"), elf(good)...), ""},
		"of a version that isn't Go's":    {elf(info("x1.22", modules("mod\tx\ty\n"))), ""},
		"after too many that are nothing": {elf(bytes.Repeat(info("x", ""), 1), bytes.Repeat(elf(magic), maxCandidates), good), ""},
		"cut short":                       {elf(good)[:130], ""},
	} {
		for _, n := range []int{1, 5, 1 << 20} {
			got := ""
			if f := scan(tt.body, n); f != nil {
				got = f.name
				if f.err != nil {
					got = f.err.Error()
				}
			}
			if got != tt.want {
				t.Errorf("%s, in pieces of %d: %q, want %q", name, n, got, tt.want)
			}
		}
	}
}

// FuzzProgram puts anything through a scanner: it finds the same in any pieces,
// and what debug/buildinfo finds in the good ones.
func FuzzProgram(f *testing.F) {
	f.Add(elf(info("go1.22", modules("path\tx\nmod\tx\tv1\t\n"))), 7)
	f.Add(elf([]byte(infoMagic), info("devel", "")), 64)
	f.Add(elf(info("go1.1", strings.Repeat("x", 500))[:100]), 16)
	f.Fuzz(func(t *testing.T, body []byte, n int) {
		n = max(n%4096, 1)
		whole, parts := scan(body, len(body)+1), scan(body, n)
		if diff := cmp.Diff(whole, parts, cmp.AllowUnexported(file{}), cmp.Comparer(sameError)); diff != "" {
			t.Errorf("-at once +in pieces of %d\n%s", n, diff)
		}
		if whole != nil && whole.err == nil && whole.name == "" {
			t.Error("a program without a name")
		}
	})
}

func sameError(a, b error) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Error() == b.Error()
}

// BenchmarkScan puts a large program without build info through a scanner.
func BenchmarkScan(b *testing.B) {
	body := make([]byte, 64<<20)
	for i := range body {
		body[i] = byte(i * i >> 5)
	}
	copy(body, "\x7fELF")
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		scan(body, 64<<10)
	}
}

// BenchmarkScanMagic puts one through that is nothing but the magic number, out
// of place.
func BenchmarkScanMagic(b *testing.B) {
	body := append([]byte("\x7fELF"), bytes.Repeat([]byte(infoMagic+"\x08\x02"), 1<<20)...)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		scan(body, 64<<10)
	}
}
