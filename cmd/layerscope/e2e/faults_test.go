//go:build linux

package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// faulty stands before a registry and serves it badly.
type faulty struct {
	registry string                                                      // host:port
	fault    func(w http.ResponseWriter, r *http.Response) (spoilt bool) // serves the answer itself, or not

	mu     sync.Mutex
	ranges int // requests for part of a blob
}

// ServeHTTP implements http.Handler.
func (f *faulty) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	out := req.Clone(req.Context())
	out.RequestURI, out.URL.Scheme, out.URL.Host = "", "http", f.registry
	resp, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	f.mu.Lock()
	defer f.mu.Unlock() // faults come one by one, so that they can be counted
	if resp.StatusCode == http.StatusPartialContent {
		f.ranges++
	}
	if f.fault(w, resp) {
		return
	}
	pass(w, resp, resp.Body)
}

// pass passes an answer on, with a body of its own.
func pass(w http.ResponseWriter, resp *http.Response, body io.Reader) {
	for key, values := range resp.Header {
		w.Header()[key] = values
	}
	w.WriteHeader(resp.StatusCode)
	io.Copy(w, body)
}

// large tells whether an answer is one of the image's large blobs, or a part.
func large(resp *http.Response) bool {
	return strings.Contains(resp.Request.URL.Path, "/blobs/") && resp.ContentLength > 50_000
}

// throughFaults reports on the pushed image through a faulty registry.
func (l *lab) throughFaults(t *testing.T, f *faulty) result {
	t.Helper()
	f.registry = l.Registry
	server := httptest.NewServer(f)
	defer server.Close()
	name := strings.Replace(l.pushed(t, classic), l.Registry, server.Listener.Addr().String(), 1)
	return l.layerscope(t, "report", "--format", "json", "registry://"+name)
}

// A connection that is cut is taken up where it broke off, as often as it has to.
func TestCutConnection(t *testing.T) {
	l := open(t, engine, registry)
	cuts := map[string]int{}
	f := &faulty{fault: func(w http.ResponseWriter, resp *http.Response) bool {
		path := resp.Request.URL.Path
		if !large(resp) || cuts[path] == 3 {
			return false
		}
		cuts[path]++
		pass(w, resp, io.LimitReader(resp.Body, resp.ContentLength/3))
		panic(http.ErrAbortHandler)
	}}
	got := l.throughFaults(t, f).report(t)
	same(t, factsOf(l.report(t, l.saved(t, classic))), factsOf(got))
	if len(cuts) < 2 || f.ranges != 3*len(cuts) {
		t.Errorf("%d requests for the rest of a blob after these cuts: %v", f.ranges, cuts)
	}
}

// A registry that is too busy is asked again.
func TestBusyRegistry(t *testing.T) {
	l := open(t, engine, registry)
	asked := map[string]int{}
	got := l.throughFaults(t, &faulty{fault: func(w http.ResponseWriter, resp *http.Response) bool {
		asked[resp.Request.URL.Path]++
		if asked[resp.Request.URL.Path] > 1 {
			return false
		}
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}}).report(t)
	same(t, factsOf(l.report(t, l.saved(t, classic))), factsOf(got))
}

// One that stays so is said to be.
func TestDownRegistry(t *testing.T) {
	l := open(t, engine, registry)
	l.throughFaults(t, &faulty{fault: func(w http.ResponseWriter, _ *http.Response) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	}}).failed(t, "502", "")
}

// Bytes that aren't those the manifest names are refused.
func TestWrongBytes(t *testing.T) {
	l := open(t, engine, registry)
	l.throughFaults(t, &faulty{fault: func(w http.ResponseWriter, resp *http.Response) bool {
		if !large(resp) {
			return false
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		body[len(body)/2] ^= 1
		pass(w, resp, bytes.NewReader(body))
		return true
	}}).failed(t, "layer", "")
}
