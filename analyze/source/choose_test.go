package source

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// platformImage returns an image that can be told from others by its config.
func platformImage(t testing.TB, platform string) sample {
	t.Helper()
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		t.Fatal(err)
	}
	return sample{os: p.OS, arch: p.Architecture, variant: p.Variant, layers: []string{layerTar(t, "p", platform)}}
}

// TestChoose checks which image of several is taken. Images are told by their
// platform, or by their tag.
func TestChoose(t *testing.T) {
	other := "s390x" // never the machine's
	host := "linux/" + defaultPlatform().Architecture
	multi := func(platforms ...string) []item {
		b := newBlobs(t)
		var ds []v1.Descriptor
		for _, p := range platforms {
			ds = append(ds, b.image(platformImage(t, p)))
		}
		return b.layout(named(b.index(ds...), "x:1"))
	}
	flat := func(platforms ...string) []item {
		b := newBlobs(t)
		var ds []v1.Descriptor
		for _, p := range platforms {
			ds = append(ds, b.image(platformImage(t, p)))
		}
		return b.layout(ds...)
	}
	tagged := func(tags ...string) []item {
		b := newBlobs(t)
		var ds []v1.Descriptor
		for _, tag := range tags {
			ds = append(ds, named(b.image(amd64(tag, layerTar(t, "t", tag))), tag))
		}
		return b.layout(ds...)
	}
	// Two indexes that share an image, as two tags of one repository may.
	shared := func() []item {
		b := newBlobs(t)
		a, c, d := b.image(platformImage(t, host)), b.image(platformImage(t, "linux/"+other)), b.image(platformImage(t, "linux/mips"))
		return b.layout(named(b.index(a, c), "x:1"), named(b.index(a, d), "x:2"))
	}
	partly := func() []item {
		b := newBlobs(t)
		have := b.image(platformImage(t, host))
		gone := newBlobs(t).image(platformImage(t, "linux/"+other))
		return b.layout(named(b.index(gone, have), "x:1"))
	}
	docker := func(tags ...string) []item {
		var images []sample
		for _, tag := range tags {
			images = append(images, amd64(tag, layerTar(t, "t", tag)))
		}
		return legacy(t, images...)
	}
	for name, tt := range map[string]struct {
		items     []item
		tag       string
		platform  string
		want      string // platform or first tag of the image, or
		wantError string // a part of the error
	}{
		"one of another platform":          {multi("linux/" + other), "", "", "linux/" + other, ""},
		"the machine's":                    {multi("linux/"+other, host, "windows/amd64"), "", "", host, ""},
		"the machine's, flat":              {flat("linux/"+other, host), "", "", host, ""},
		"none for the machine":             {multi("linux/"+other, "linux/mips"), "", "", "", "there is linux/" + other + ", linux/mips"},
		"asked for":                        {multi("linux/"+other, host), "", "linux/" + other, "linux/" + other, ""},
		"asked for, not there":             {multi("linux/"+other, host), "", "linux/mips", "", "no image for linux/mips; there is linux/" + other},
		"asked for, the one is another":    {multi("linux/" + other), "", "linux/mips", "", "no image for linux/mips; there is linux/" + other},
		"asked for, listed but absent":     {partly(), "", "linux/" + other, "", "not there"},
		"absent ones don't count":          {partly(), "", "", host, ""},
		"arm is arm/v7":                    {multi("linux/arm/v5", "linux/arm/v7", "linux/arm/v6"), "", "linux/arm", "linux/arm/v7", ""},
		"arm64/v8 is arm64":                {multi("linux/arm64", "linux/"+other), "", "linux/arm64/v8", "linux/arm64", ""},
		"no tag":                           {tagged("x:1", "y:1"), "", "", "", `several images: "x:1", "y:1"`},
		"tag":                              {tagged("x:1", "y:1"), "y:1", "", "y:1", ""},
		"tag by repository":                {tagged("x:1", "y:1"), "y", "", "y:1", ""},
		"tag by the tag alone":             {tagged("x:1", "y:2"), "2", "", "y:2", ""},
		"tag fits two":                     {tagged("a/x:1", "b/x:1"), "x:1", "", "", `several images: "a/x:1", "b/x:1"`},
		"tag fits one better":              {tagged("a/x:1", "x:1"), "x:1", "", "x:1", ""},
		"tag in full":                      {tagged("x:1", "y:1"), "docker.io/library/x:1", "", "x:1", ""},
		"tag without latest":               {tagged("x:latest", "x:1"), "x", "", "x:latest", ""},
		"no such tag":                      {tagged("x:1", "y:1"), "z", "", "", `no image "z"; there is "x:1", "y:1"`},
		"tag by digest":                    {tagged("x:1", "y:1"), sampleDigest(t, "y:1"), "", "y:1", ""},
		"tag by digest's beginning":        {tagged("x:1", "y:1"), sampleDigest(t, "x:1")[7:19], "", "x:1", ""},
		"two tags share an image":          {shared(), "", "", "", "several images"},
		"tag whose index shares its image": {shared(), "x:2", "", host, ""},
		"tag and platform":                 {shared(), "x:2", "linux/mips", "linux/mips", ""},
		"platform tells alone":             {shared(), "", "linux/mips", "linux/mips", ""},
		"docker, no tag":                   {docker("x:1", "y:1"), "", "", "", `several images: "x:1", "y:1"`},
		"docker, tag":                      {docker("x:1", "y:1"), "y:1", "", "y:1", ""},
		"docker, another platform":         {docker("x:1"), "", "linux/mips", "", "no image for linux/mips; there is linux/amd64"},
	} {
		t.Run(name, func(t *testing.T) {
			opts := Options{Tag: tt.tag}
			if tt.platform != "" {
				opts.Platform, _ = v1.ParsePlatform(tt.platform)
			}
			path := writeFile(t, pack(t, tt.items...))
			agree(t, path, opts)
			d, err := readAll(t, path, opts)
			if tt.wantError != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantError) {
					t.Errorf("got %v, want %q", err, tt.wantError)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := platformName(d.Platform); got != tt.want && d.Tags[0] != tt.want {
				t.Errorf("got %s %q, want %s", got, d.Tags, tt.want)
			}
		})
	}
}

// sampleDigest returns the digest of the manifest that TestChoose gives a tag.
func sampleDigest(t testing.TB, tag string) string {
	return newBlobs(t).image(amd64(tag, layerTar(t, "t", tag))).Digest.String()
}

// TestListIsBounded checks that a message doesn't list every image of many.
func TestListIsBounded(t *testing.T) {
	b := newBlobs(t)
	var ds []v1.Descriptor
	for i := range 100 {
		ds = append(ds, named(b.image(amd64("", layerTar(t, "t", fmt.Sprint(i)))), fmt.Sprintf("x:%d\x1b[31m", i)))
	}
	_, err := readAll(t, writeFile(t, pack(t, b.layout(ds...)...)), Options{})
	var hint *HintError
	if !errors.As(err, &hint) || !strings.Contains(hint.Err.Error(), "and 80 more") || len(hint.Err.Error()) > 1000 {
		t.Errorf("got %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "\x1b") {
		t.Error("a name stands in the message unquoted")
	}
}

// TestNotOffered checks that what an index lists beside images is remembered,
// if it is about the image, and not offered.
func TestNotOffered(t *testing.T) {
	b := newBlobs(t)
	image := b.image(amd64("", layerTar(t, "a", "base")))
	other := b.image(platformImage(t, "linux/s390x"))
	about := func(d, subject v1.Descriptor) v1.Descriptor {
		d.Platform = &v1.Platform{OS: "unknown", Architecture: "unknown"}
		d.Annotations = map[string]string{referenceType: "attestation-manifest", referenceDigest: subject.Digest.String()}
		return d
	}
	statement := b.add("application/vnd.in-toto+json", `{"predicateType":"x"}`)
	attestation := func(s v1.Descriptor) v1.Descriptor {
		config := b.add(types.OCIConfigJSON, `{"os":"unknown","architecture":"unknown","for":"`+s.Digest.Hex+`"}`)
		return about(b.manifest(v1.Manifest{Config: config, Layers: []v1.Descriptor{statement}}), s)
	}
	mine, theirs := attestation(image), attestation(other)
	empty := b.add(types.OCIEmptyJSON, "{}")
	sbom := b.manifest(v1.Manifest{Config: empty, ArtifactType: "application/sbom", Layers: []v1.Descriptor{statement}, Subject: &image})
	signature := named(b.manifest(v1.Manifest{
		Config: b.add(types.OCIConfigJSON, `{}`), Layers: []v1.Descriptor{b.add("application/vnd.dev.cosign.simplesigning.v1+json", `{"s":1}`)},
	}), "sha256-"+image.Digest.Hex+".sig")
	chart := b.manifest(v1.Manifest{Config: b.add("application/vnd.cncf.helm.config.v1+json", `{"h":1}`), Layers: []v1.Descriptor{statement}})
	items := b.layout(named(b.index(image, other, mine, theirs), "x:1"), sbom, signature, chart)
	platform := &v1.Platform{OS: "linux", Architecture: "amd64"}
	path := writeFile(t, pack(t, items...))
	agree(t, path, Options{Platform: platform})
	d, err := readAll(t, path, Options{Platform: platform})
	if err != nil {
		t.Fatal(err)
	}
	if d.Digest != image.Digest {
		t.Errorf("got %s, want %s", d.Digest, image.Digest)
	}
	if diff := cmp.Diff([]v1.Descriptor{mine, sbom}, d.Attestations); diff != "" {
		t.Errorf("attestations (-want, +got):\n%s", diff)
	}
	if _, err := readAll(t, path, Options{Tag: "sha256-" + image.Digest.Hex + ".sig"}); err == nil {
		t.Error("a signature was opened as an image")
	}
}

// TestNestedTooDeep checks that indexes within indexes come to an end.
func TestNestedTooDeep(t *testing.T) {
	b := newBlobs(t)
	d := b.image(amd64("", layerTar(t, "a", "base")))
	for range 2 * maxIndexDepth {
		d = b.index(d, d)
	}
	if _, err := readAll(t, writeFile(t, pack(t, b.layout(d)...)), Options{}); err == nil || !strings.Contains(err.Error(), "indexes within indexes") {
		t.Errorf("got %v", err)
	}
}
