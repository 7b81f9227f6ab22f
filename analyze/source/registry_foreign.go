package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"
)

// foreignTransport is how foreign layers are fetched.
type foreignTransport struct {
	anywhere http.RoundTripper
	outside  http.RoundTripper // connects to the internet only
}

// outsideTransport returns a transport like tr that connects to no private
// address, whatever name resolves to it. What goes through a proxy is the
// proxy's to resolve and to judge.
func outsideTransport(tr http.RoundTripper) http.RoundTripper {
	t, ok := tr.(*http.Transport)
	if !ok {
		return tr // the caller's, who knows
	}
	direct := t.Clone()
	direct.Proxy = nil
	direct.DisableKeepAlives = true // there are few such layers, and nobody closes the idle ones
	dialer := &net.Dialer{Timeout: answerLimit, KeepAlive: 30 * time.Second, Control: refusePrivate}
	direct.DialContext = dialer.DialContext
	return proxyOr{t, direct}
}

// proxyOr uses proxied for requests that a proxy is set for.
type proxyOr struct{ proxied, direct *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t proxyOr) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.proxied.Proxy != nil {
		if u, err := t.proxied.Proxy(req); u != nil || err != nil {
			return t.proxied.RoundTrip(req)
		}
	}
	return t.direct.RoundTrip(req)
}

// refusePrivate is a [net.Dialer.Control] that refuses private addresses. It
// sees the address that a name was resolved to.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	if isPrivate(hostOf(address)) {
		return fmt.Errorf("foreign layer at the private address %q", address)
	}
	return nil
}

// fetchForeign requests a blob from where its descriptor says it is
// distributed (image-spec, descriptor.md, "urls"), with no credentials.
func (c *registryClient) fetchForeign(ctx context.Context, rawURL string, off, size int64) (io.ReadCloser, int64, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, 0, err
	}
	inside := c.insecure || isInside(ctx, hostOf(c.repo.RegistryStr()))
	if err := checkForeign(u, inside); err != nil {
		return nil, 0, err
	}
	client := &http.Client{
		Transport: c.foreign.outside,
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) >= 10 {
				return errors.New("too many redirects")
			}
			return checkForeign(req.URL, inside)
		},
	}
	if inside {
		client.Transport = c.foreign.anywhere
	}
	return fetch(ctx, client, rawURL, off, size)
}

// checkForeign refuses what an image, which is untrusted, must not make this
// machine ask for: other schemes, and, unless the registry is inside a private
// network too, hosts that are plainly in one. Those that only their addresses
// tell are refused by [refusePrivate].
func checkForeign(u *url.URL, inside bool) error {
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("foreign layer at a URL of scheme %q", u.Scheme)
	case isPrivate(u.Hostname()) && !inside:
		return fmt.Errorf("foreign layer at the private address %q", u.Host)
	}
	return nil
}

// isInside says whether a host is in a private network, by its name or by all
// the addresses that its name resolves to.
func isInside(ctx context.Context, host string) bool {
	if isPrivate(host) {
		return true
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	isPublic := func(ip netip.Addr) bool { return !isPrivateAddr(ip) }
	return err == nil && len(addrs) > 0 && !slices.ContainsFunc(addrs, isPublic)
}

// isPrivate says whether a host is plainly not one of the internet.
func isPrivate(host string) bool {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return isLoopback(host)
	}
	return isPrivateAddr(ip)
}

// sharedSpace is for addresses behind a carrier's NAT (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

func isPrivateAddr(ip netip.Addr) bool {
	ip = ip.Unmap()
	return !ip.IsGlobalUnicast() || ip.IsPrivate() || sharedSpace.Contains(ip)
}
