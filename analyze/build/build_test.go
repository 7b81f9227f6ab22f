package build

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestNoDocker(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Open(t.Context(), Options{Dir: "."})
	if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(e.Error(), "no docker command") || !strings.Contains(e.Advice(), "--image") {
		t.Errorf("error %v", err)
	}
}

func TestAtLeast(t *testing.T) {
	for _, tt := range []struct {
		version string
		numbers []int
		want    bool
	}{
		{"23.0.1", []int{23}, true}, {"28.2.2", []int{23}, true}, {"20.10.24+dfsg1", []int{23}, false}, {"18.09.1", []int{18, 9}, true},
		{"18.06.3", []int{18, 9}, false}, {"1.39", []int{1, 39}, true}, {"1.9", []int{1, 39}, false}, {"2.0", []int{1, 39}, true},
		{"", []int{1}, false}, {"dev", []int{1}, false}, {"1", []int{1, 2}, false},
	} {
		if got := atLeast(tt.version, tt.numbers...); got != tt.want {
			t.Errorf("%q at least %v: %v", tt.version, tt.numbers, got)
		}
	}
}

// What BuildKit, the classic builder and docker itself write when they fail.
func TestSaid(t *testing.T) {
	for _, tt := range []struct{ stdout, stderr, want string }{
		{"", "#5 0.1 hello\n------\n > [2/2] RUN false:\n------\nexecutor failed running [/bin/sh -c false]: exit code: 1\n", "executor failed running [/bin/sh -c false]: exit code: 1"},
		{"", "DEPRECATED: The legacy builder\n\nThe command '/bin/sh -c false' returned a non-zero code: 1\n", "The command '/bin/sh -c false' returned a non-zero code: 1"},
		{"", "Dockerfile:2\n--------\nERROR: failed to solve: exit code: 1\n\nView build details: docker-desktop://x\n", "ERROR: failed to solve: exit code: 1"},
		{"", "unknown flag: --x\nSee 'docker build --help'.\n", "unknown flag: --x"},
		{"only here\n", "", "only here"},
		{"", "", "docker says nothing: exit status 1"},
	} {
		out := &output{}
		out.stdout.Write([]byte(tt.stdout))
		out.stderr.Write([]byte(tt.stderr))
		if got := said(out, errors.New("exit status 1")).Error(); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.stderr, got, tt.want)
		}
	}
}

func TestStepImages(t *testing.T) {
	out := "Step 1/3 : FROM scratch\n ---> \nStep 2/3 : COPY a /\n ---> Using cache\n ---> 0123456789ab\nStep 3/3 : RUN x\n ---> Running in ffffffffffff\n" +
		" ---> not one\nRemoving intermediate container ffffffffffff\n ---> ba9876543210\nSuccessfully built ba9876543210\n"
	if diff := cmp.Diff([]string{"0123456789ab", "ba9876543210"}, stepImages([]byte(out))); diff != "" {
		t.Error(diff)
	}
}

// What a command wrote that failed, as docker 20.10 writes it, and buildx.
func TestCommandOutput(t *testing.T) {
	long := strings.Repeat("#7 1.0 x\n", 100)
	for _, tt := range []struct {
		log      string
		buildKit bool
		want     []string
	}{
		{"Step 2/2 : RUN make\n ---> Running in 0123456789ab\ncc a.c\n\x1b[91mno b.c\n\x1b[0mRemoving intermediate container 0123456789ab\n", false, []string{"cc a.c", "no b.c"}},
		{" ---> Running in 0123456789ab\nfine\nRemoving intermediate container 0123456789ab\n ---> ba9876543210\nStep 3/3 : COPY gone /\n", false, nil},
		{" ---> Running in 0123456789ab\nfine\n ---> ba9876543210\nStep 3/3 : RUN x\n ---> Running in ab0123456789\nnot\n", false, []string{"not"}},
		{"Sending build context\n", false, nil},
		{"", false, nil},
		{"#7 [2/2] RUN make\n#7 sha256:00\n#7 0.068 cc a.c\n#8 0.1 of another\n#7 0.07 no b.c\r\n#7 ERROR: executor failed\n------\n > [2/2] RUN make:\n------\nexecutor failed\n", true, []string{"cc a.c", "no b.c"}},
		{"#7 0.1 \n#7 0.1 one\n#17 0.1 two\n#7 ERROR: process\n#17 CANCELED\n------\n > RUN:\n0.1 one\n------\nERROR: failed to solve\n", true, []string{"one"}},
		{"#7 0.1 fine\n#7 DONE 0.1s\n#9 ERROR: not found\n", true, nil},
		{"#7 0.1 fine\n#7 DONE 0.1s\n", true, nil},
		{long + "#7 ERROR: x\n", true, slices.Repeat([]string{"x"}, 20)},
	} {
		if diff := cmp.Diff(tt.want, commandOutput(tt.log, tt.buildKit), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.log, diff)
		}
	}
}

func TestLineTeller(t *testing.T) {
	var got []string
	told := lineTeller{tell: func(line string) { got = append(got, line) }}
	for _, s := range []string{"on", "e\ntwo\n\n", strings.Repeat("x", 2*maxLine), "y\n", " three \r\nunfinished"} {
		if n, err := told.Write([]byte(s)); n != len(s) || err != nil {
			t.Errorf("%q: %d, %v", s, n, err)
		}
	}
	if diff := cmp.Diff([]string{"one", "two", strings.Repeat("x", maxLine), "three"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTail(t *testing.T) {
	var out tail
	line := []byte(strings.Repeat("x", 1<<20-1) + "\n")
	for range 50 {
		out.Write(line)
	}
	out.Write([]byte("last\n"))
	if n := len(out.Bytes()); n > 2*maxTail || n < maxTail || !strings.HasSuffix(out.String(), "\nlast\n") {
		t.Errorf("%d bytes are kept", n)
	}
}

// fakeDocker writes a docker command that keeps its images in a file: those that
// it removes it notes, and it refuses what has children.
func fakeDocker(t *testing.T, images string) (removed func() string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the docker command is a shell script")
	}
	dir := t.TempDir()
	script := `#!/bin/sh
cd ` + dir + `
case "$1 $2" in
"version "*) echo '{"Client":{"Version":"20.10.0"},"Server":{"Os":"linux","ApiVersion":"1.41"}}' ;;
"image ls") cut -d' ' -f1 images ;;
"image inspect")
	shift 4
	for id; do
		grep "^$id " images | while read -r id parent tag; do
			echo "{\"Id\":\"$id\",\"Parent\":\"${parent#-}\",\"RepoTags\":[${tag:+\"$tag\"}]}"
		done
	done ;;
"image rm")
	[ "$3" = --no-prune ] || exit 9
	shift 3
	for id; do
		if grep -q "^[^ ]* $id" images; then echo "has children" >&2; bad=1; continue; fi
		echo "$id" >>removed
		grep -v "^$id " images >rest; mv rest images
	done
	exit $bad ;;
"build "*) cat later >>images; cat says; exit 1 ;;
esac
`
	for name, text := range map[string]string{"docker": script, "images": "", "later": images, "removed": "", "says": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := os.Getenv("PATH")
	t.Setenv("PATH", dir+string(os.PathListSeparator)+path)
	if _, err := exec.LookPath("docker"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_BUILDKIT", "0")
	return func() string {
		b, err := os.ReadFile(filepath.Join(dir, "removed"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(string(b)), " ")
	}
}

// What was there, what has a name and what others made meanwhile stays; children
// go before their parents, in whatever order they are listed.
func TestClose(t *testing.T) {
	id := func(s string) string { return "sha256:" + strings.Repeat(s, 12) + "ff" }
	listed := strings.Join([]string{
		id("a") + " -",
		id("b") + " " + id("a"),
		id("c") + " " + id("b"),
		id("d") + " - somebody/else:1",
		id("e") + " " + id("0"), // another build's, of what was there
		id("1") + " " + id("b"), // of the last step but one
		id("2") + " " + id("c"), // of the last step
	}, "\n") + "\n"
	for _, interrupted := range []bool{false, true} {
		removed := fakeDocker(t, listed)
		b, err := Open(t.Context(), Options{Dir: "."})
		if err != nil {
			t.Fatal(err)
		}
		b.before[id("0")] = true
		b.printed = []string{strings.Repeat("0", 12), strings.Repeat("a", 12), strings.Repeat("d", 12), strings.Repeat("b", 12), strings.Repeat("c", 12)}
		if _, err := b.Build(t.Context(), Target{Name: "x"}); err == nil {
			t.Fatal("the build doesn't fail")
		}
		err = b.remove(t.Context(), interrupted)
		want := ""
		if interrupted {
			want = id("2") + " " + id("c")
		}
		if got := removed(); got != want {
			t.Errorf("interrupted %v: removed %s, want %s", interrupted, got, want)
		}
		if err == nil || !strings.Contains(err.Error(), "has children") {
			t.Errorf("error %v", err) // another build's image hangs on it
		}
		if _, err := os.Stat(b.temp); err != nil {
			t.Error(err)
		}
		if err := b.Close(t.Context(), true); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(b.temp); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("its folder: %v", err)
		}
	}
}

// The classic builder doesn't tell of each image that it makes: what those that
// it tells of are made of goes too, but for what was there before or was pulled.
// Of what has a name by now nothing goes.
func TestCloseParents(t *testing.T) {
	id := func(s string) string { return "sha256:" + strings.Repeat(s, 12) + "ff" }
	removed := fakeDocker(t, strings.Join([]string{
		id("1") + " " + id("0"), // of an ONBUILD instruction
		id("2") + " " + id("1"), // of another
		id("3") + " " + id("2"), // told of
		id("4") + " " + id("0"), // of somebody else
		id("6") + " " + id("0"),
		id("7") + " " + id("6") + " a:1",
		id("8") + " " + id("7"), // told of
	}, "\n")+"\n")
	b, err := Open(t.Context(), Options{Dir: "."})
	if err != nil {
		t.Fatal(err)
	}
	b.before[id("0")] = true
	b.printed = []string{strings.Repeat("3", 12), strings.Repeat("8", 12)}
	if _, err := b.Build(t.Context(), Target{Name: "x"}); err == nil {
		t.Fatal("the build doesn't fail")
	}
	if err := b.Close(t.Context(), false); err != nil {
		t.Error(err)
	}
	if got, want := removed(), strings.Join([]string{id("3"), id("8"), id("2"), id("1")}, " "); got != want {
		t.Errorf("removed %s, want %s", got, want)
	}
}

// What was interrupted after the last build has nothing of an engine to wait for:
// a child of the last image is somebody else's.
func TestCloseCancelled(t *testing.T) {
	id := func(s string) string { return "sha256:" + strings.Repeat(s, 12) + "ff" }
	removed := fakeDocker(t, id("1")+" -\n"+id("2")+" - \n"+id("3")+" "+id("2")+"\n")
	ctx, cancel := context.WithCancel(t.Context())
	b, err := Open(ctx, Options{Dir: "."})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Build(ctx, Target{Name: "x"}); err == nil {
		t.Fatal("the build doesn't fail")
	}
	b.printed = []string{strings.Repeat("1", 12), strings.Repeat("2", 12)}
	cancel()
	if err := b.Close(ctx, false); err == nil || !strings.Contains(err.Error(), "has children") {
		t.Errorf("error %v", err)
	}
	if got, want := removed(), id("1"); got != want {
		t.Errorf("removed %s, want %s", got, want)
	}
}
