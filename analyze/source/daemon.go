package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// daemonImage is an image of a daemon. What the daemon says of it is known at
// once; what it is comes with the image.
type daemonImage struct {
	engine   engine
	name     string // as asked for
	ref      string // what to save: an ID, for a tag may move meanwhile
	platform *v1.Platform
	desc     *Description
	opts     Options
	saved    *streamImage // what the daemon sent, once it is read
}

// openDaemon asks a daemon for an image, and has it pulled first if it isn't
// there and opts say so.
func openDaemon(ctx context.Context, name string, opts Options) (Image, error) {
	ep, err := findEndpoint(opts)
	if err != nil {
		return nil, err
	}
	e, err := dialDaemon(ep, opts.UserAgent)
	if err != nil {
		return nil, fmt.Errorf("connecting to the daemon: %w", err)
	}
	img, err := openInEngine(ctx, e, name, opts)
	if err != nil {
		e.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	return img, nil
}

func openInEngine(ctx context.Context, e engine, name string, opts Options) (Image, error) {
	found, err := findInEngine(ctx, e, name, opts)
	if err != nil {
		return nil, err
	}
	if err := checkPlatform(opts.Platform, found.platform); err != nil {
		return nil, fmt.Errorf("opening %q in the daemon: %w", name, err)
	}
	img := &daemonImage{engine: e, name: name, ref: found.id, opts: opts}
	if found.manifest != nil && found.manifest.MediaType.IsIndex() {
		img.platform = &found.platform // one of several that may be there
	}
	records, err := e.history(ctx, found.id, img.platform)
	if err != nil {
		return nil, err
	}
	img.desc, err = describeInspected(name, found, records)
	if err != nil {
		return nil, fmt.Errorf("opening %q in the daemon: %w", name, err)
	}
	return img, nil
}

// findInEngine inspects an image, having it pulled if it isn't there and opts
// say so. What is found may be of another platform than is asked for.
func findInEngine(ctx context.Context, e engine, name string, opts Options) (*inspected, error) {
	found, err := e.inspect(ctx, name, opts.Platform)
	if !errors.Is(err, errNotInDaemon) {
		return found, err
	}
	if opts.Pull {
		if err := pullImage(ctx, e, name, opts); err != nil {
			return nil, err
		}
		return e.inspect(ctx, name, opts.Platform)
	}
	if opts.Platform != nil {
		// Newer engines say no more of an image that isn't there for a
		// platform than of one that isn't there.
		return e.inspect(ctx, name, nil)
	}
	return nil, err
}

// Description returns what the daemon says of the image; its layers have no
// keys yet.
func (d *daemonImage) Description() *Description { return d.desc }

// Read has the daemon save the image and reads it as it comes.
func (d *daemonImage) Read(ctx context.Context, req Request) (*Description, error) {
	body, err := d.engine.save(ctx, d.ref, d.platform)
	if err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	defer body.Close()
	opts := d.opts
	opts.Tag, opts.Platform = "", d.platform // one image is saved
	d.saved = newStream(body, nil, 0, archiveForm, opts)
	got, err := d.saved.Read(ctx, req)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("reading %q from the daemon: %w", d.name, err)
	}
	return d.complete(got)
}

// complete checks that the image that came is the one that was asked for, and
// adds what only the daemon knows.
func (d *daemonImage) complete(got *Description) (*Description, error) {
	asked := d.desc
	if asked.ID != (v1.Hash{}) && got.ID != asked.ID {
		return nil, fmt.Errorf("reading %q from the daemon: asked for image %s, got %s", d.name, asked.ID, got.ID)
	}
	if !slices.Equal(got.Config.RootFS.DiffIDs, asked.Config.RootFS.DiffIDs) {
		return nil, fmt.Errorf("reading %q from the daemon: what came has other layers than the image that was asked for", d.name)
	}
	c := *got
	c.Source, c.Name, c.Tags = asked.Source, asked.Name, asked.Tags
	c.Digest = asked.Digest
	return &c, nil
}

// Close closes the connections to the daemon.
func (d *daemonImage) Close() error { return d.engine.Close() }

// describeInspected makes a provisional description of what a daemon says.
func describeInspected(name string, found *inspected, records []record) (*Description, error) {
	id, err := v1.NewHash(prefixed(found.id))
	if err != nil {
		return nil, fmt.Errorf("the daemon names an image %q", found.id)
	}
	config, err := inspectedConfig(found, records)
	if err != nil {
		return nil, err
	}
	d := &Description{
		Source:      string(Daemon),
		Name:        ownName(name, found.tags),
		Tags:        found.tags,
		ID:          id,
		Digest:      ownDigest(name, found),
		Platform:    found.platform,
		Config:      config,
		Provisional: true,
	}
	if namesManifest(found) {
		d.ID = v1.Hash{}
	}
	for _, diffID := range config.RootFS.DiffIDs {
		d.Layers = append(d.Layers, Layer{DiffID: diffID, Size: -1})
	}
	return d, nil
}

// prefixed returns an ID with its algorithm, which podman used to leave out.
func prefixed(id string) string {
	if strings.Contains(id, ":") {
		return id
	}
	return "sha256:" + id
}

// namesManifest says whether the daemon's ID of an image is its manifest's
// digest: engines with a containerd store do so. No config has a repository
// digest.
func namesManifest(found *inspected) bool {
	if found.manifest != nil && found.manifest.Digest.String() == found.id {
		return true
	}
	return slices.ContainsFunc(found.digests, func(d string) bool { return strings.HasSuffix(d, "@"+found.id) })
}

// ownName returns the image's full name: the one asked for if it has it, else
// its first.
func ownName(name string, tags []string) string {
	asked, _ := fullName(name)
	first := ""
	for _, t := range tags {
		full, _ := fullName(t)
		if full == asked {
			return full
		}
		first = cmp.Or(first, full)
	}
	return first
}

// ownDigest returns the digest of the manifest the image was pulled or pushed
// with. An engine knows one for every repository; it is taken only if there is
// one of the repository asked for. It may be an index's, as engines don't tell.
func ownDigest(name string, found *inspected) v1.Hash {
	if m := found.manifest; m != nil {
		if m.MediaType.IsImage() {
			return m.Digest
		}
		return v1.Hash{}
	}
	asked := repositoryName(name)
	var fitting []v1.Hash
	for _, d := range found.digests {
		repo, digest, _ := strings.Cut(d, "@")
		h, err := v1.NewHash(digest)
		if err == nil && (repositoryName(repo) == asked || len(found.digests) == 1) && !slices.Contains(fitting, h) {
			fitting = append(fitting, h)
		}
	}
	if len(fitting) != 1 {
		return v1.Hash{}
	}
	return fitting[0]
}

// inspectedConfig puts together an image's config from what a daemon says.
func inspectedConfig(found *inspected, records []record) (*v1.ConfigFile, error) {
	c := &v1.ConfigFile{
		OS: found.platform.OS, Architecture: found.platform.Architecture,
		Variant: found.platform.Variant, OSVersion: found.platform.OSVersion,
		Author: found.author,
		Config: found.config,
		RootFS: v1.RootFS{Type: "layers"},
	}
	if t, err := time.Parse(time.RFC3339Nano, found.created); err == nil {
		c.Created = v1.Time{Time: t}
	}
	for _, s := range found.diffIDs {
		h, err := v1.NewHash(s)
		if err != nil {
			return nil, fmt.Errorf("the daemon names a layer %q", s)
		}
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, h)
	}
	empty := emptySteps(records, len(c.RootFS.DiffIDs))
	for i, r := range records {
		c.History = append(c.History, v1.History{
			Created:   v1.Time{Time: time.Unix(r.created, 0).UTC()},
			CreatedBy: r.createdBy, Comment: r.comment, EmptyLayer: empty[i],
		})
	}
	return c, nil
}

// makesLayer matches the instructions that have a layer even if there is
// nothing in it, in BuildKit's words and the classic builder's.
var makesLayer = regexp.MustCompile(`^(RUN|COPY|ADD|WORKDIR)\s|^(\|\d+ .*)?/bin/sh -c (#\(nop\)\s+(COPY|ADD|WORKDIR)\s|[^#])`)

// emptySteps tells which records of a history have no layer. A daemon doesn't
// say; a record with bytes has one, and those without are told by their
// instruction if that makes the number right. The image will say for sure.
func emptySteps(records []record, layers int) []bool {
	empty := make([]bool, len(records))
	byText := make([]bool, len(records))
	n := 0
	for i, r := range records {
		empty[i] = r.size == 0
		byText[i] = r.size == 0 && !makesLayer.MatchString(r.createdBy)
		if !byText[i] {
			n++
		}
	}
	if n == layers {
		return byText
	}
	return empty
}
