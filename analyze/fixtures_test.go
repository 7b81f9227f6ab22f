package analyze_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/synth/fixture"
	"github.com/layerscope/layerscope/analyze/tree"
)

func analyzeFixture(t *testing.T, path string, opts source.Options) (*analyze.Image, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return analyze.Analyze(ctx, path, analyze.Options{Source: opts})
}

// refused are the images listed as usable that are no container image, have
// parts that don't fit, or can't be told from others: what the error must say.
var refused = map[string]string{
	"appc_docker2aci__fixture-test-depsloop.docker":                                      "is its own ancestor",
	"containers_image__oci_layout_fixtures_delete_image_two_identical_references.ocidir": "several images",
	"google_go-containerregistry__hist-7db8a550__bundle.tar":                             "several images",
	"google_go-containerregistry__test_index_media_type.ocidir":                          "application/vnd.cncf.helm.config.v1+json",
	"oras-project_oras__zot_command_artifacts.ocidir":                                    "it has 1 layer, its config 0",
	"oras-project_oras__zot_command_images.ocidir":                                       "several images",
	"regclient_regclient__external.ocidir":                                               "application/example.sbom",
	"regclient_regclient__testrepo.ocidir":                                               "several images",
	"sylabs_oci-tools__test_images_overlayfs-docker-v2-manifest.ocidir":                  "application/vnd.sylabs.image.layer.v1.squashfs",
}

func TestFixtures(t *testing.T) {
	for _, f := range fixture.Listed(t) {
		name, use := f.Name, f.Usable
		t.Run(name, func(t *testing.T) {
			m, err := analyzeFixture(t, f.Path, source.Options{})
			switch {
			case err == nil && use == "no":
				t.Error("read an image that can't be used")
			case err == nil:
				checkImage(t, m)
			case refused[name] != "":
				if !strings.Contains(err.Error(), refused[name]) {
					t.Errorf("error %v, want %q", err, refused[name])
				}
			case use == "yes":
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestFixturesBySelection reads every image of an archive or layout of several.
func TestFixturesBySelection(t *testing.T) {
	dir := fixture.Dir(t)
	for _, tt := range []struct {
		file string
		tags []string
	}{
		{"built/docker2010-three-images.tar", []string{"local/busybox:deb", "local/mini:bk20", "local/mini:classic"}},
		{"built/podman-docker-multi.tar", []string{"localhost/mini:l", "localhost/mini:nl", "localhost/local/busybox:deb"}},
		{"images/google_go-containerregistry__hist-7db8a550__bundle.tar", []string{"img1", "img2"}},
		{"images/containers_image__oci_layout_fixtures_delete_image_two_identical_references.ocidir", []string{"sha256:49d1584496c6", "sha256:ecfa463536cb"}},
	} {
		for _, tag := range tt.tags {
			t.Run(tt.file+"/"+tag, func(t *testing.T) {
				m, err := analyzeFixture(t, filepath.Join(dir, tt.file), source.Options{Tag: tag})
				var missing *source.HintError
				if errors.As(err, &missing) {
					t.Fatalf("error %v (%s)", err, missing.Hint)
				}
				if err != nil && !strings.Contains(err.Error(), "reading layer 0") {
					t.Fatal(err)
				}
				if err == nil {
					checkImage(t, m)
				}
			})
		}
	}
}

// checkImage holds an image to what is true of all.
func checkImage(t *testing.T, m *analyze.Image) {
	t.Helper()
	if !m.Complete || m.Tree == nil {
		t.Fatal("not complete")
	}
	checkBase(t, m)
	var layers, steps tree.Sums
	byLayer := map[int]int{}
	for i, l := range m.Layers {
		if l.Stored != l.Live+l.Dead {
			t.Errorf("layer %d: stored %d, live %d, dead %d", i, l.Stored, l.Live, l.Dead)
		}
		layers.Stored += l.Stored
		layers.Live += l.Live
		if m.Steps[l.Step].Layer != i {
			t.Errorf("layer %d is of step %d, whose layer is %d", i, l.Step, m.Steps[l.Step].Layer)
		}
	}
	for i, s := range m.Steps {
		if s.Text == "" {
			t.Errorf("step %d has no text", i)
		}
		if s.Layer >= 0 {
			byLayer[s.Layer]++
			steps.Stored += s.Stored
			steps.Live += s.Live
		}
	}
	for i := range m.Layers {
		if byLayer[i] != 1 {
			t.Errorf("layer %d has %d steps", i, byLayer[i])
		}
	}
	total := tree.Sums{Stored: m.Totals.Stored, Live: m.Totals.Live}
	if layers != total || steps != total || m.Totals.Stored != m.Totals.Live+m.Totals.Dead {
		t.Errorf("layers add up to %+v, steps to %+v, totals are %+v", layers, steps, m.Totals)
	}
	if root := m.Tree.Final().At(0); root.Total != m.Totals.Live || root.Files != m.Totals.Files {
		t.Errorf("the final tree has %d bytes and %d files, totals are %+v", root.Total, root.Files, m.Totals)
	}
}

// finalTree lists the final filesystem without times, which differ from build
// to build.
func finalTree(m *analyze.Image) []string {
	var list []string
	v := m.Tree.Final()
	for i := range v.Len() {
		it := v.At(i)
		e, x := m.Tree.Entry(it.State.Inode)
		line := "implied"
		if e != nil {
			line = fmt.Sprintf("%v %o %d:%d %d %q %x %v", it.Type, e.Mode, e.UID, e.GID, e.Size, x.Link(e), e.Hash, m.Tree.LiveRefs(it.State.Inode))
		}
		if it.Type == layer.Dir { // an implied directory is one of mode 0755
			line = "dir"
		}
		list = append(list, m.Tree.Path(it.Node)+" "+line)
	}
	return list
}

// traces are what a builder leaves of itself in every image: the mount points
// and files that its containers get.
var traces = regexp.MustCompile(`^(dev|proc|run|sys) dir$|^etc/(hostname|hosts|resolv.conf) file 755 0:0 0 `)

// contextOfBuildah are files that lay in the build context by the time buildah
// ran.
var contextOfBuildah = regexp.MustCompile(`^srv/app/(Containerfile|Dockerfile\.ma) `)

// linkedByBuildah are two names of one file: buildah's single layer keeps the
// hard link, and so one owner, where others' layers make two files.
var linkedByBuildah = regexp.MustCompile(`^(srv/app/data2|srv/cache/hard)\.txt `)

// TestSameDockerfile compares the final trees that builders make of one
// Dockerfile.
func TestSameDockerfile(t *testing.T) {
	dir := filepath.Join(fixture.Dir(t), "built")
	trees := map[string][]string{}
	for file, tag := range map[string]string{
		"docker2010-three-images.tar": "local/mini:classic", "docker2010-classic.tar": "", "docker2010-buildkit.tar": "",
		"buildkit-docker.tar": "", "buildkit-oci-gzip.tar": "", "buildkit-oci-zstd.tar": "", "buildkit-oci-estargz.tar": "",
		"buildkit-oci-uncompressed.tar": "", "buildkit-oci-attest.tar": "", "buildah-layers-oci.tar": "", "buildah-nolayers-oci.tar": "",
		"skopeo-oci-gzip.tar": "", "skopeo-zstdchunked.ocidir": "", "skopeo.dir": "", "podman-docker-multi.tar": "localhost/mini:l",
	} {
		m, err := analyzeFixture(t, filepath.Join(dir, file), source.Options{Tag: tag})
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		checkImage(t, m)
		for _, line := range finalTree(m) {
			if traces.MatchString(line) || contextOfBuildah.MatchString(line) {
				continue
			}
			if name := linkedByBuildah.FindString(line); name != "" {
				line = name
			}
			trees[file] = append(trees[file], line)
		}
	}
	want := trees["docker2010-classic.tar"]
	for file, got := range trees {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s differs from what the classic builder made:\n%s", file, diff)
		}
	}
}
