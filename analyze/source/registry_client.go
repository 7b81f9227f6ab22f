package source

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// answerLimit is how long a server may take to begin an answer.
const answerLimit = 60 * time.Second

// registryClient reads the manifests and blobs of one repository.
type registryClient struct {
	repo     name.Repository
	insecure bool
	puller   *remote.Puller
	authed   *http.Client     // logged in at the registry
	foreign  foreignTransport // not logged in anywhere
	close    func()
}

// newRegistryClient logs in at a registry, if it wants that.
func newRegistryClient(ctx context.Context, repo name.Repository, opts Options) (*registryClient, error) {
	tr, closeIdle := registryTransport(opts)
	polite := func(t http.RoundTripper) http.RoundTripper {
		return transport.NewUserAgent(retryTransport{t}, opts.UserAgent)
	}
	base := polite(tr)
	auth, err := authn.Resolve(ctx, keychain(opts), repo)
	if err != nil {
		return nil, fmt.Errorf("finding credentials for %s: %w", repo.RegistryStr(), err)
	}
	guarded := http.RoundTripper(base)
	if repo.Registry.Scheme() == "http" && !opts.Insecure && !isLoopback(repo.RegistryStr()) {
		guarded = httpsOnly{base, repo.RegistryStr()}
	}
	authed, err := transport.NewWithContext(ctx, repo.Registry, auth, guarded, []string{repo.Scope(transport.PullScope)})
	if err != nil {
		closeIdle()
		return nil, explain(err, repo.Registry)
	}
	puller, err := remote.NewPuller(remote.WithTransport(authed))
	if err != nil {
		closeIdle()
		return nil, err
	}
	return &registryClient{
		repo: repo, insecure: opts.Insecure, puller: puller,
		authed: &http.Client{Transport: authed}, foreign: foreignTransport{base, polite(outsideTransport(tr))}, close: closeIdle,
	}, nil
}

// keychain returns where credentials are looked up.
func keychain(opts Options) authn.Keychain {
	if opts.Keychain == nil {
		return authn.DefaultKeychain
	}
	return opts.Keychain
}

// registryTransport returns the transport to use, and what closes its idle
// connections if it is ours.
func registryTransport(opts Options) (http.RoundTripper, func()) {
	if opts.Transport != nil {
		return opts.Transport, func() {}
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = answerLimit
	t.MaxIdleConnsPerHost = registryJobs
	if opts.Insecure {
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // what --insecure means
	}
	return t, t.CloseIdleConnections
}

// httpsOnly refuses plain HTTP to a registry. The library falls back to it for
// private addresses, and would send a password along.
type httpsOnly struct {
	http.RoundTripper
	host string
}

func (t httpsOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "http" && req.URL.Host == t.host {
		return nil, errPlainHTTP
	}
	return t.RoundTripper.RoundTrip(req)
}

var errPlainHTTP = errors.New("plain HTTP is not allowed to it")

// isLoopback says whether a registry is on this machine.
func isLoopback(hostport string) bool {
	host := hostOf(hostport)
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

// Close closes the connections that are kept for more.
func (c *registryClient) Close() error {
	c.close()
	return nil
}

// manifest fetches a manifest or an index. If it is asked for by digest it has
// that digest.
func (c *registryClient) manifest(ctx context.Context, ref name.Reference) ([]byte, v1.Hash, types.MediaType, error) {
	d, err := c.puller.Get(ctx, ref)
	if err != nil {
		return nil, v1.Hash{}, "", notFound(explain(err, c.repo.Registry), err)
	}
	return d.Manifest, d.Digest, manifestType(d.MediaType, d.Manifest), nil
}

// blob returns a reader of a blob that fetches it again where a connection is
// cut. If the registry doesn't have it, the first of urls that does is taken.
// Reading it verifies its size, not its digest.
func (c *registryClient) blob(ctx context.Context, h v1.Hash, size int64, urls []string) *resumer {
	own := url.URL{
		Scheme: c.repo.Scheme(),
		Host:   c.repo.RegistryStr(),
		Path:   fmt.Sprintf("/v2/%s/blobs/%s", c.repo.RepositoryStr(), h),
	}
	return newResumer(ctx, size, func(off int64) (io.ReadCloser, int64, error) {
		body, start, err := fetch(ctx, c.authed, own.String(), off, size)
		for _, u := range urls {
			if err == nil || ctx.Err() != nil {
				break
			}
			var ferr error
			if body, start, ferr = c.fetchForeign(ctx, u, off, size); ferr == nil {
				err = nil
			}
		}
		return body, start, explain(err, c.repo.Registry)
	})
}

// fetch requests a blob from off on.
func fetch(ctx context.Context, client *http.Client, url string, off, size int64) (io.ReadCloser, int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		cancel()
		return nil, 0, err
	}
	// A transport that asks for gzip undoes it unasked, and digests are of
	// the blob as it is.
	req.Header.Set("Accept-Encoding", "identity")
	if off > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, size-1))
	}
	resp, err := client.Do(req)
	if err != nil {
		cancel()
		return nil, 0, err
	}
	start, err := bodyStart(resp, off, size)
	if err != nil {
		resp.Body.Close()
		cancel()
		return nil, 0, err
	}
	return &stallBody{resp.Body, cancel}, start, nil
}

// bodyStart returns the offset in the blob at which a response's body begins.
func bodyStart(resp *http.Response, off, size int64) (int64, error) {
	if err := transport.CheckError(resp, http.StatusOK, http.StatusPartialContent); err != nil {
		return 0, err
	}
	if resp.StatusCode == http.StatusOK {
		if n := resp.ContentLength; n >= 0 && n != size {
			return 0, fmt.Errorf("the registry has %d bytes where the manifest says %d", n, size)
		}
		return 0, nil
	}
	return off, checkRange(resp.Header.Get("Content-Range"), off, size)
}

// checkRange checks that a Content-Range (RFC 9110 §14.4) is the rest of the
// blob that was asked for.
func checkRange(h string, off, size int64) error {
	spec, ok := strings.CutPrefix(h, "bytes ")
	rng, total, ok2 := strings.Cut(spec, "/")
	first, _, ok3 := strings.Cut(rng, "-")
	if !ok || !ok2 || !ok3 || first != strconv.FormatInt(off, 10) ||
		total != "*" && total != strconv.FormatInt(size, 10) {
		return fmt.Errorf("asked for bytes from %d of %d, the server sent range %q", off, size, h)
	}
	return nil
}
