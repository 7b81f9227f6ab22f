package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/cli/cli/connhelper"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// engine is what is asked of a daemon. A nil platform is the image's own, or
// the one the daemon takes of several.
type engine interface {
	list(ctx context.Context) (tags []string, err error)
	inspect(ctx context.Context, name string, p *v1.Platform) (*inspected, error)
	history(ctx context.Context, name string, p *v1.Platform) ([]record, error)
	save(ctx context.Context, name string, p *v1.Platform) (io.ReadCloser, error)
	pull(ctx context.Context, name, platform, auth string) (io.ReadCloser, error)
	Close() error
}

// inspected is what a daemon says of an image.
type inspected struct {
	id       string
	tags     []string // NAME:TAG, as familiar as the daemon likes them
	digests  []string // NAME@DIGEST
	created  string   // RFC 3339
	author   string
	platform v1.Platform
	config   v1.Config
	diffIDs  []string
	manifest *v1.Descriptor // or index; from API 1.48 on, of engines that keep manifests
}

// record is one instruction of an image's history.
type record struct {
	created   int64 // Unix seconds
	createdBy string
	comment   string
	size      int64
}

var (
	errNoDaemon    = errors.New("no daemon answers")
	errNotInDaemon = errors.New("no such image")
)

// dockerClient is an engine behind docker's client. Podman's socket speaks the
// same API.
type dockerClient struct {
	c    *client.Client
	host string // for errors: behind ssh the client's own is a dummy
}

// dialDaemon makes a client of the daemon at an endpoint. It doesn't connect.
func dialDaemon(ep endpoint, userAgent string) (engine, error) {
	opts, err := clientOpts(ep)
	if err != nil {
		return nil, err
	}
	if userAgent != "" {
		opts = append(opts, client.WithUserAgent(userAgent))
	}
	opts = append(opts, client.WithVersionFromEnv(), client.WithAPIVersionNegotiation())
	c, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, err
	}
	host := ep.host
	if host == "" {
		host = c.DaemonHost()
	}
	return dockerClient{c, host}, nil
}

// clientOpts says how to reach an endpoint: through ssh, with TLS, or plainly.
func clientOpts(ep endpoint) ([]client.Opt, error) {
	if ep.host == "" {
		return nil, nil
	}
	helper, err := connhelper.GetConnectionHelper(ep.host)
	if err != nil {
		return nil, err
	}
	if helper != nil {
		tr := &http.Transport{DialContext: helper.Dialer}
		return []client.Opt{
			client.WithHTTPClient(&http.Client{Transport: tr, CheckRedirect: client.CheckRedirect}),
			client.WithHost(helper.Host),
			client.WithDialContext(helper.Dialer),
		}, nil
	}
	var opts []client.Opt
	if u, err := client.ParseHostURL(ep.host); err == nil && u.Scheme == "tcp" && ep.tls != nil {
		tr := &http.Transport{TLSClientConfig: ep.tls}
		opts = append(opts, client.WithHTTPClient(&http.Client{Transport: tr, CheckRedirect: client.CheckRedirect}))
	}
	return append(opts, client.WithHost(ep.host)), nil
}

func (d dockerClient) list(ctx context.Context) ([]string, error) {
	images, err := d.c.ImageList(ctx, image.ListOptions{})
	if err != nil {
		return nil, d.explain(err, "")
	}
	var tags []string
	for _, img := range images {
		tags = append(tags, img.RepoTags...)
	}
	return tags, nil
}

func (d dockerClient) inspect(ctx context.Context, name string, p *v1.Platform) (*inspected, error) {
	var opts []client.ImageInspectOption
	if p != nil {
		d.c.NegotiateAPIVersion(ctx)
	}
	if p != nil && d.speaks("1.49") {
		opts = append(opts, client.ImageInspectWithPlatform(ociPlatform(p)))
	}
	r, err := d.c.ImageInspect(ctx, name, opts...)
	if err != nil {
		return nil, d.explain(err, name)
	}
	return inspection(r)
}

// inspection takes from a response what is known of an image.
func inspection(r image.InspectResponse) (*inspected, error) {
	i := &inspected{
		id:       r.ID,
		tags:     r.RepoTags,
		digests:  r.RepoDigests,
		created:  r.Created,
		author:   r.Author,
		platform: v1.Platform{OS: r.Os, Architecture: r.Architecture, Variant: r.Variant},
		diffIDs:  r.RootFS.Layers,
	}
	if r.Os == "windows" { // podman gives its builder's version here
		i.platform.OSVersion = r.OsVersion
	}
	if d := r.Descriptor; d != nil {
		h, err := v1.NewHash(d.Digest.String())
		if err != nil {
			return nil, fmt.Errorf("the daemon names a manifest %q", d.Digest)
		}
		i.manifest = &v1.Descriptor{Digest: h, MediaType: types.MediaType(d.MediaType)}
	}
	// The two types of config agree in JSON and nowhere else.
	raw, err := json.Marshal(r.Config)
	if err != nil {
		return nil, err
	}
	return i, json.Unmarshal(raw, &i.config)
}

func (d dockerClient) history(ctx context.Context, name string, p *v1.Platform) ([]record, error) {
	var opts []client.ImageHistoryOption
	if p != nil && d.speaks("1.48") {
		opts = append(opts, client.ImageHistoryWithPlatform(*ociPlatform(p)))
	}
	items, err := d.c.ImageHistory(ctx, name, opts...)
	if err != nil {
		return nil, d.explain(err, name)
	}
	records := make([]record, len(items))
	for i, it := range items {
		records[i] = record{it.Created, it.CreatedBy, it.Comment, it.Size}
	}
	slices.Reverse(records) // the newest comes first
	return records, nil
}

func (d dockerClient) save(ctx context.Context, name string, p *v1.Platform) (io.ReadCloser, error) {
	var opts []client.ImageSaveOption
	if p != nil && d.speaks("1.48") {
		opts = append(opts, client.ImageSaveWithPlatforms(*ociPlatform(p)))
	}
	body, err := d.c.ImageSave(ctx, []string{name}, opts...)
	return body, d.explain(err, name)
}

func (d dockerClient) pull(ctx context.Context, name, platform, auth string) (io.ReadCloser, error) {
	body, err := d.c.ImagePull(ctx, name, image.PullOptions{Platform: platform, RegistryAuth: auth})
	if err != nil && client.IsErrConnectionFailed(err) {
		return nil, d.explain(err, name)
	}
	return body, err // what the registry told the daemon
}

// Close closes the connections that are kept for more.
func (d dockerClient) Close() error { return d.c.Close() }

// speaks says whether the daemon speaks a version of the API. The first request
// tells, and every image is inspected first.
func (d dockerClient) speaks(version string) bool {
	return versions.GreaterThanOrEqualTo(d.c.ClientVersion(), version)
}

func ociPlatform(p *v1.Platform) *ocispec.Platform {
	return &ocispec.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion}
}

// explain says why the daemon didn't do what it was asked, and what can be
// done.
func (d dockerClient) explain(err error, name string) error {
	switch {
	case err == nil, isCancelled(err):
		return err
	case errors.Is(err, fs.ErrPermission):
		return &HintError{
			Err:  fmt.Errorf("%w at %s: permission denied", errNoDaemon, d.host),
			Hint: "join the group that owns the socket (docker), or use registry:// or an archive",
		}
	case client.IsErrConnectionFailed(err):
		return &HintError{fmt.Errorf("%w at %s%s", errNoDaemon, d.host, reason(err)), noDaemonHint(d.host)}
	case cerrdefs.IsNotFound(err):
		err = fmt.Errorf("%w in the daemon: %q", errNotInDaemon, name)
		if repositoryName(name) == "" {
			return err // an ID is nowhere else
		}
		return &HintError{err, "pull it with --pull, or use registry://" + name}
	}
	return fmt.Errorf("the daemon at %s: %w", d.host, err)
}

// reason returns what is known of why a connection failed, as an addition to a
// sentence. Of most failures the client keeps the cause to itself.
func reason(err error) string {
	cause := errors.Unwrap(err)
	for cause != nil && errors.Unwrap(cause) != nil {
		cause = errors.Unwrap(cause)
	}
	if cause == nil || cause.Error() == err.Error() {
		return ""
	}
	return ": " + cause.Error()
}

// noDaemonHint says what to do where no daemon answers.
func noDaemonHint(host string) string {
	const hint = "start it, or use registry:// or an archive"
	if host != client.DefaultDockerHost {
		return hint
	}
	for _, socket := range podmanSockets() {
		if st, err := os.Stat(socket); err == nil && st.Mode()&fs.ModeSocket != 0 {
			return hint + "; for podman set DOCKER_HOST=unix://" + socket
		}
	}
	return hint
}

// podmanSockets are where podman listens, a user's own first.
func podmanSockets() []string {
	sockets := []string{"/run/podman/podman.sock"}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		sockets = append([]string{filepath.Join(dir, "podman", "podman.sock")}, sockets...)
	}
	return sockets
}
