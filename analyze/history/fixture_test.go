package history

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"

	"github.com/layerscope/layerscope/analyze/synth/fixture"
)

// maxConfig bounds what may be a config.
const maxConfig = 1 << 20

// configs calls visit with everything in a file, or in a file of an archive,
// that looks like an image config.
func configs(t *testing.T, path string, visit func(*v1.ConfigFile)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := plain(f)
	if err != nil {
		return
	}
	var head bytes.Buffer
	if cfg := asConfig(io.TeeReader(io.LimitReader(r, maxConfig), &head)); cfg != nil {
		visit(cfg)
		return
	}
	tr := tar.NewReader(io.MultiReader(&head, r))
	for {
		h, err := tr.Next()
		if err != nil {
			return // the end, or no archive: other tests' affair
		}
		if h.Size > maxConfig {
			continue
		}
		if cfg := asConfig(tr); cfg != nil {
			visit(cfg)
		}
	}
}

// asConfig reads a config; nil if there is none.
func asConfig(r io.Reader) *v1.ConfigFile {
	data, err := io.ReadAll(r)
	if err != nil || !bytes.Contains(data, []byte(`"diff_ids"`)) {
		return nil
	}
	var cfg v1.ConfigFile
	if json.Unmarshal(data, &cfg) != nil {
		return nil
	}
	return &cfg
}

// plain takes off an outer compression.
func plain(f *os.File) (io.Reader, error) {
	magic := make([]byte, 6)
	n, _ := f.ReadAt(magic, 0)
	switch magic := string(magic[:n]); {
	case strings.HasPrefix(magic, "\x1f\x8b"):
		return gzip.NewReader(f)
	case strings.HasPrefix(magic, "\x28\xb5\x2f\xfd"):
		return zstd.NewReader(f)
	case strings.HasPrefix(magic, "\xfd7zXZ\x00"):
		return xz.NewReader(f, 0)
	}
	return f, nil
}

// TestFixtures reads the history of every image there is.
func TestFixtures(t *testing.T) {
	builders, fits, guessed := map[Builder]int{}, map[Fit]int{}, 0
	for _, name := range []string{"images", "built"} {
		dir := filepath.Join(fixture.Dir(t), name)
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			configs(t, path, func(cfg *v1.ConfigFile) {
				r := Read(cfg, cfg.RootFS.DiffIDs)
				checkInvariants(t, cfg.History, len(cfg.RootFS.DiffIDs), r)
				if t.Failed() {
					t.Fatalf("in %s", path)
				}
				builders[r.Builder]++
				fits[r.Fit]++
				if baseSteps(r) > 0 {
					guessed++
				}
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%v, %v, %d with a base", builders, fits, guessed)
	for _, b := range []Builder{BuildKit, Classic, Buildah, Kaniko, Jib, Buildpacks, Bazel, Apko, Import} {
		if builders[b] == 0 {
			t.Errorf("no image by %v", b)
		}
	}
	if fits[Short] == 0 {
		t.Error("no image with too short a history")
	}
}

// mini is the Dockerfile that the images of fixtures/built were made of, but
// for its COPY, which differs by dialect.
var mini = []string{
	"RUN echo app:x:1000:1000:app:/srv/app:/bin/sh >> /etc/passwd RUN adduser -D -u 1000 appRUN adduser -D -u 1000 app echo app:x:1000: >> /etc/group",
	"LABEL org.opencontainers.image.title=mini",
	"RUN mkdir -p /srv/cache && cp /srv/app/data1.txt /srv/cache/ && ln /srv/app/data2.txt /srv/cache/hard.txt && ln -s ../app/data3.txt /srv/cache/sym.txt",
	"RUN rm /srv/app/id_rsa",
	"RUN chown -R 1000:1000 /srv/app",
	"RUN rm -rf /srv/app/conf.d && mkdir /srv/app/conf.d && echo a=1 > /srv/app/conf.d/1.conf",
	"RUN mv /srv/app/data3.txt /srv/app/data-3.txt",
	"RUN chmod 600 /srv/app/data1.txt",
	"ENV APP=1",
	"RUN true",
	"WORKDIR /srv/app",
	"USER 1000",
	`CMD ["sh"]`,
}

// TestSameDockerfile reads one Dockerfile from the images that eight tools made
// of it.
func TestSameDockerfile(t *testing.T) {
	dir := filepath.Join(fixture.Dir(t), "built")
	tests := []struct {
		file    string
		builder Builder
		copy    string
	}{
		{"docker2010-classic.tar", Classic, "COPY dir:1c39245f0d15 in /srv/app/"},
		{"docker2010-buildkit.tar", BuildKit, "COPY . /srv/app/"},
		{"buildkit-docker.tar", BuildKit, "COPY . /srv/app/"},
		{"buildkit-oci-attest.tar", BuildKit, "COPY . /srv/app/"},
		{"buildkit-oci-estargz.tar", BuildKit, "COPY . /srv/app/"},
		{"buildkit-oci-gzip.tar", BuildKit, "COPY . /srv/app/"},
		{"buildkit-oci-uncompressed.tar", BuildKit, "COPY . /srv/app/"},
		{"buildkit-oci-zstd.tar", BuildKit, "COPY . /srv/app/"},
		{"buildah-layers-oci.tar", Buildah, "COPY dir:e7f6c61774f1 in /srv/app/"},
		{"buildah-nolayers-oci.tar", Buildah, "COPY dir:e7f6c61774f1 in /srv/app/"},
		{"skopeo-oci-gzip.tar", Classic, "COPY dir:1c39245f0d15 in /srv/app/"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			found := 0
			configs(t, filepath.Join(dir, tt.file), func(cfg *v1.ConfigFile) {
				found++
				r := Read(cfg, cfg.RootFS.DiffIDs)
				if r.Builder != tt.builder || r.Fit != Exact || baseSteps(r) != 1 || r.Steps[0].Builder != Import {
					t.Errorf("builder %v, fit %v, %d base steps of which the first by %v", r.Builder, r.Fit, baseSteps(r), r.Steps[0].Builder)
				}
				if diff := cmp.Diff(miniFor(tt.builder, tt.copy), texts(r.Steps[1:])); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
			if found != 1 {
				t.Errorf("%d configs in the archive", found)
			}
		})
	}
}

// miniFor is mini as the builder tells it: buildah keeps the author's quotes.
func miniFor(b Builder, copied string) []string {
	want := []string{mini[0], mini[1], copied}
	if b == Buildah {
		want[1] = `LABEL org.opencontainers.image.title="mini"`
	}
	return append(want, mini[2:]...)
}

func texts(steps []Step) []string {
	var ts []string
	for _, s := range steps {
		ts = append(ts, s.Text)
	}
	return ts
}
