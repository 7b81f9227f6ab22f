//go:build linux

package e2e

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/layerscope/layerscope/analyze/buildlog"
	"github.com/layerscope/layerscope/analyze/provenance"
)

// stamper writes the time in front of each line, as it comes.
type stamper struct {
	log    bytes.Buffer
	within bool // a line
}

func (s *stamper) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if !s.within {
			s.log.WriteString(time.Now().UTC().Format("2006-01-02T15:04:05.0000000Z "))
		}
		s.log.Write(line)
		s.within = !bytes.HasSuffix(line, []byte("\n"))
	}
	return len(p), nil
}

// logged runs a build, and returns what it wrote, with times in front of the
// lines or without, and how long it took.
func (l *lab) logged(t *testing.T, stamps bool, args []string) (log string, took time.Duration) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = l.env()
	var plain bytes.Buffer
	var stamped stamper
	var w io.Writer = &plain
	if stamps {
		w = &stamped
	}
	cmd.Stdout, cmd.Stderr = w, w
	start := time.Now()
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s%s", args, err, plain.String(), stamped.log.String())
	}
	took = time.Since(start)
	if stamps {
		return stamped.log.String(), took
	}
	return plain.String(), took
}

// What a real builder's log tells of a step is no less than what it slept, and
// no more than what the build took. A build that finds it in the cache tells
// nothing new.
func TestBuildLog(t *testing.T) {
	for _, tt := range []struct {
		name   string
		needs  string
		format buildlog.Format
		stamps bool
		serial bool // one step after the other
		args   func(l *lab, dockerfile, context string) []string
	}{
		{"rawjson", buildKit, buildlog.RawJSON, false, false, buildctl("rawjson")},
		{"plain", buildKit, buildlog.Plain, false, false, buildctl("plain")},
		{"classic", engine, buildlog.Classic, true, true, func(l *lab, dockerfile, context string) []string {
			return []string{"env", "DOCKER_BUILDKIT=0", l.Docker, "build", "--network", "none", "--file", dockerfile, context}
		}},
		{"buildah", buildah, buildlog.Buildah, true, true, func(_ *lab, dockerfile, context string) []string {
			return []string{"buildah", "build", "--layers", "--isolation", "chroot", "--network", "host", "--file", dockerfile, context}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := open(t, tt.needs)
			dockerfile := filepath.Join(t.TempDir(), "Dockerfile")
			slept := map[string]time.Duration{}
			text := "FROM scratch\nCOPY rootfs/ /\n"
			for _, tenths := range []int{6, 3} {
				run := fmt.Sprintf(`RUN ["/bin/busybox", "sh", "-c", ": %s && sleep 0.%d"]`, tt.name, tenths)
				slept[run] = time.Duration(tenths) * time.Second / 10
				text += run + "\n"
			}
			if err := os.WriteFile(dockerfile, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			args := tt.args(l, dockerfile, once(t, "context", l.context))
			first, took := l.logged(t, tt.stamps, args)
			again, _ := l.logged(t, tt.stamps, args)

			durations := map[string]time.Duration{}
			log := readLog(t, first, tt.format, 1)
			sum := time.Duration(0)
			for _, s := range log.Steps {
				sum += s.Duration
				if least, ok := slept[s.Text]; ok {
					durations[s.Text] = s.Duration
					if s.Duration < least-log.Resolution/2 || s.Duration > took || !s.Timed || s.Cached {
						t.Errorf("%s: %+v, in a build of %v", s.Text, s, took)
					}
				}
			}
			if len(durations) != len(slept) || tt.serial && sum > took {
				t.Errorf("%d steps that slept, %v of %v:\n%s", len(durations), sum, took, first)
			}
			cached := 0
			for _, s := range readLog(t, again, tt.format, 1).Steps {
				if _, ok := slept[s.Text]; ok && s.Cached && !s.Timed && s.Duration == 0 {
					cached++
				}
			}
			if cached != len(slept) {
				t.Errorf("%d steps were cached:\n%s", cached, again)
			}
			both := map[string]time.Duration{}
			for _, s := range readLog(t, first+again, tt.format, 2).Steps {
				if _, ok := slept[s.Text]; ok && s.Timed {
					both[s.Text] = s.Duration
				}
			}
			if diff := cmp.Diff(durations, both); diff != "" {
				t.Errorf("in a log of both builds, -want +got\n%s", diff)
			}
		})
	}
}

func buildctl(progress string) func(l *lab, dockerfile, context string) []string {
	return func(l *lab, dockerfile, context string) []string {
		return []string{l.Buildctl, "--addr", l.BuildKitHost, "build", "--progress", progress, "--frontend", "dockerfile.v0",
			"--local", "context=" + context, "--local", "dockerfile=" + filepath.Dir(dockerfile)}
	}
}

func readLog(t *testing.T, text string, format buildlog.Format, builds int) *buildlog.Log {
	t.Helper()
	log, err := buildlog.Parse(t.Context(), strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	if log.Format != format || log.Builds != builds || log.Truncated {
		t.Errorf("%s, %d builds, truncated: %v; want %s, %d:\n%s", log.Format, log.Builds, log.Truncated, format, builds, text)
	}
	return log
}

// markedFile are instructions, each of which but the metadata's leaves a name in
// the image's root that says its lines.
var markedFile = []string{
	"FROM scratch AS base",
	"COPY rootfs/ /@/",
	`SHELL ["/line_2_2/bin/busybox", "sh", "-c"]`,
	"RUN echo > /@",
	"RUN : && \\\n  # between\n\n  echo > /@",
	"RUN <<EOF\necho > /@\n# not a comment\nEOF",
	"",
	"FROM base AS other",
	"RUN echo > /@",
	"FROM base",
	"WORKDIR /@",
	"COPY --link payload.bin \\\n  /@",
	"ENV A=1",
	"COPY --link tree/keep/ /@/",
	"COPY --from=other /line_2_2/etc \\\n  /line_2_2/tmp \\\n  /@/",
	"ADD <<A <<-B /@/\n1\nA\n\t2\n\tB",
	"RUN --mount=type=bind,from=other,target=/mnt --mount=type=cache,target=/cache \\\n  echo > /@",
	"LABEL a=b",
}

// The layers of an image are those of the lines that their files say, by what
// BuildKit attests.
func TestAttestedLayers(t *testing.T) {
	l := open(t, buildKit)
	var text strings.Builder
	line := 1
	for _, ins := range markedFile {
		n := strings.Count(ins, "\n") + 1
		text.WriteString(strings.ReplaceAll(ins, "@", fmt.Sprintf("line_%d_%d", line, line+n-1)) + "\n")
		line += n
	}
	dir, context := t.TempDir(), once(t, "context", l.context)
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ version, how, options string }{
		{"v1", "gzip", "compression=gzip"},
		{"v0.2", "gzip", "compression=gzip"},
		{"v1", "zstd", "compression=zstd,force-compression=true"},
		{"v1", "timestamps", "rewrite-timestamp=true"},
	} {
		t.Run(tt.version+" "+tt.how, func(t *testing.T) {
			dest := t.TempDir()
			l.tool(t, l.Buildctl, "--addr", l.BuildKitHost, "build", "--frontend", "dockerfile.v0",
				"--local", "context="+context, "--local", "dockerfile="+dir, "--opt", "build-arg:SOURCE_DATE_EPOCH=1",
				"--opt", "attest:provenance=mode=max,version="+tt.version, "--output", "type=oci,tar=false,dest="+dest+","+tt.options)
			img, statement := attestedImage(t, dest)
			steps, err := provenance.ParseSteps(statement)
			if err != nil {
				t.Fatal(err)
			}
			if string(steps.Text) != text.String() {
				t.Errorf("the Dockerfile is told as\n%s", steps.Text)
			}
			layers, err := img.Layers()
			if err != nil {
				t.Fatal(err)
			}
			var digests []v1.Hash
			for _, layer := range layers {
				d, err := layer.Digest()
				if err != nil {
					t.Fatal(err)
				}
				digests = append(digests, d)
			}
			for i, got := range steps.Layers(digests) {
				want := markedLayer(t, layers[i])
				if got.Step == nil || len(got.Step.Lines) != 1 || fmt.Sprintf("line_%d_%d", got.Step.Lines[0].Start, got.Step.Lines[0].End) != want {
					t.Errorf("layer %d has %s, and is told to be %+v", i, want, got.Step)
				}
				// The exporter writes the layers anew for the timestamps; those
				// compressed by zstd are there already or not.
				if tt.how != "zstd" && got.Exact != (tt.how == "gzip") {
					t.Errorf("layer %d: exact is %v", i, got.Exact)
				}
			}
			if len(layers) != 10 {
				t.Errorf("%d layers", len(layers))
			}
		})
	}
}

// attestedImage returns the image in a layout, and what is attested of it.
func attestedImage(t *testing.T, dir string) (img v1.Image, statement []byte) {
	t.Helper()
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	top, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if index, err = index.ImageIndex(top.Manifests[0].Digest); err != nil {
		t.Fatal(err)
	}
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range m.Manifests {
		one, err := index.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if d.Annotations["vnd.docker.reference.type"] != "attestation-manifest" {
			img = one
			continue
		}
		manifest, err := one.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		for _, layer := range manifest.Layers {
			if statement, err = os.ReadFile(filepath.Join(dir, "blobs", "sha256", layer.Digest.Hex)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if img == nil || statement == nil {
		t.Fatalf("the image isn't attested: %+v", m.Manifests)
	}
	return img, statement
}

// markedLayer returns the name in a layer's root that says its lines.
func markedLayer(t *testing.T, layer v1.Layer) string {
	t.Helper()
	r, err := layer.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var marks []string
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if root, _, _ := strings.Cut(strings.TrimPrefix(h.Name, "/"), "/"); strings.HasPrefix(root, "line_") && !slices.Contains(marks, root) {
			marks = append(marks, root)
		}
	}
	return strings.Join(marks, " ")
}
