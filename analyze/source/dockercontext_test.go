package source

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// dialVar names the socket that this test binary, run as ssh's other end,
// connects its standard input and output to: `docker system dial-stdio`.
const dialVar = "LAYERSCOPE_TEST_DIAL_STDIO"

func TestMain(m *testing.M) {
	if socket := os.Getenv(dialVar); socket != "" {
		os.Exit(dialStdio(socket))
	}
	os.Exit(m.Run())
}

func dialStdio(socket string) int {
	c, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() {
		_, _ = io.Copy(c, os.Stdin)
		_ = c.(*net.UnixConn).CloseWrite()
	}()
	_, _ = io.Copy(os.Stdout, c)
	return 0
}

// dockerConfig makes docker's configuration directory and returns it. Nothing
// else in the environment says where a daemon is.
func dockerConfig(t *testing.T, config string) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	for _, v := range []string{"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION"} {
		t.Setenv(v, "")
	}
	if config != "" {
		putFile(t, filepath.Join(dir, "config.json"), config)
	}
	return dir
}

func putFile(t *testing.T, path, body string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o700); err != nil {
		t.Fatal(err)
	}
}

// addContext adds a docker context to a configuration.
func addContext(t *testing.T, dir, name, endpoint string, tls map[string]string) {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	putFile(t, filepath.Join(dir, "contexts", "meta", id, "meta.json"),
		fmt.Sprintf(`{"Name":%q,"Metadata":{"Description":"x"},"Endpoints":{"docker":%s,"kubernetes":{"a":1}}}`, name, endpoint))
	for file, body := range tls {
		putFile(t, filepath.Join(dir, "contexts", "tls", id, "docker", file), body)
	}
}

func TestFindEndpoint(t *testing.T) {
	tests := []struct {
		name    string
		opts    Options
		current string
		env     map[string]string
		want    string
	}{
		{"nothing", Options{}, "", nil, ""},
		{"current context", Options{}, "one", nil, "unix:///one"},
		{"default named", Options{}, "default", nil, ""},
		{"DOCKER_CONTEXT over current", Options{}, "one", map[string]string{"DOCKER_CONTEXT": "two"}, "unix:///two"},
		{"DOCKER_HOST over DOCKER_CONTEXT", Options{}, "one", map[string]string{"DOCKER_CONTEXT": "two", "DOCKER_HOST": "tcp://h"}, "tcp://h:2375"},
		{"--host over DOCKER_HOST", Options{Host: "unix:///flag"}, "one", map[string]string{"DOCKER_HOST": "tcp://h"}, "unix:///flag"},
		{"--context over DOCKER_HOST", Options{Context: "two"}, "one", map[string]string{"DOCKER_HOST": "tcp://h"}, "unix:///two"},
		{"--context default and DOCKER_HOST", Options{Context: "default"}, "one", map[string]string{"DOCKER_HOST": "tcp://h:1/p"}, "tcp://h:1/p"},
		{"DOCKER_CERT_PATH alone", Options{}, "", map[string]string{"DOCKER_CERT_PATH": "nowhere"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := dockerConfig(t, `{"currentContext":"`+tt.current+`"}`)
			addContext(t, dir, "one", `{"Host":"unix:///one","SkipTLSVerify":false}`, nil)
			addContext(t, dir, "two", `{"Host":"unix:///two"}`, nil)
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			ep, err := findEndpoint(tt.opts)
			if err != nil || ep.host != tt.want || ep.tls != nil {
				t.Errorf("got %+v, %v; want %q", ep, err, tt.want)
			}
		})
	}
}

func TestFindEndpointErrors(t *testing.T) {
	tests := []struct {
		name string
		opts Options
		env  map[string]string
		want string
	}{
		{"odd protocol", Options{Host: "gopher://x"}, nil, `"gopher://x"`},
		{"odd protocol in a context", Options{Context: "gopher"}, nil, `"gopher://x"`},
		{"both", Options{Host: "unix:///x", Context: "one"}, nil, "both"},
		{"no such context", Options{Context: "none"}, nil, `docker context "none"`},
		{"no endpoint", Options{Context: "bare"}, nil, "no docker endpoint"},
		{"bad metadata", Options{Context: "bad"}, nil, `docker context "bad"`},
		{"bad ca", Options{Context: "badca"}, nil, "ca.pem"},
		{"no ca", Options{}, map[string]string{"DOCKER_HOST": "tcp://h", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "nowhere"}, "TLS files"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := dockerConfig(t, "")
			addContext(t, dir, "one", `{"Host":"unix:///one"}`, nil)
			addContext(t, dir, "gopher", `{"Host":"gopher://x"}`, nil)
			addContext(t, dir, "bare", `{}`, nil)
			addContext(t, dir, "bad", `[`, nil)
			addContext(t, dir, "badca", `{"Host":"tcp://h"}`, map[string]string{"ca.pem": "hello"})
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			if ep, err := findEndpoint(tt.opts); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %+v, %v; want %q", ep, err, tt.want)
			}
		})
	}
	dockerConfig(t, `{`)
	if _, err := findEndpoint(Options{}); err == nil || !strings.Contains(err.Error(), "config") {
		t.Errorf("a broken config.json: %v", err)
	}
}

func TestHostURL(t *testing.T) {
	for in, want := range map[string]string{
		"":                   "",
		" unix:///x ":        "unix:///x",
		"host":               "tcp://host:2375",
		"host:1":             "tcp://host:1",
		":1":                 "tcp://localhost:1",
		"tcp://[::1]":        "tcp://[::1]:2375",
		"tcp://[::1]:1/p/q":  "tcp://[::1]:1/p/q",
		"ssh://me@host":      "ssh://me@host",
		"npipe:////./pipe/x": "npipe:////./pipe/x",
		"tcp://h/path":       "tcp://h:2375/path",
	} {
		if got, err := hostURL(in); err != nil || got != want {
			t.Errorf("hostURL(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

// clientPair makes a certificate for a client, signed by itself, in PEM.
func clientPair(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	return toPEM("CERTIFICATE", der), toPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(k)))
}

func toPEM(typ string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
}

// startTLS serves an engine to clients that show the certificate, and returns
// its URL and its own certificate.
func (e *fakeEngine) startTLS(clientCert string) (host, ca string) {
	s := httptest.NewUnstartedServer(e)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(clientCert))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	s.Config.ErrorLog = discardLog
	s.StartTLS()
	e.t.Cleanup(s.Close)
	return "tcp://" + s.Listener.Addr().String(), toPEM("CERTIFICATE", s.Certificate().Raw)
}

func TestDaemonTLS(t *testing.T) {
	cert, key := clientPair(t)
	otherCert, otherKey := clientPair(t)
	e := newFakeEngine(t)
	host, ca := e.startTLS(cert)
	files := map[string]string{"ca.pem": ca, "cert.pem": cert, "key.pem": key}
	dir := dockerConfig(t, "")
	addContext(t, dir, "full", `{"Host":"`+host+`"}`, files)
	addContext(t, dir, "skip", `{"Host":"`+host+`","SkipTLSVerify":true}`, map[string]string{"cert.pem": cert, "key.pem": key})
	addContext(t, dir, "noca", `{"Host":"`+host+`"}`, map[string]string{"cert.pem": cert, "key.pem": key})
	addContext(t, dir, "other", `{"Host":"`+host+`"}`, map[string]string{"ca.pem": ca, "cert.pem": otherCert, "key.pem": otherKey})
	addContext(t, dir, "none", `{"Host":"`+host+`"}`, nil)
	for name, ok := range map[string]bool{"full": true, "skip": true, "noca": false, "other": false, "none": false} {
		d, _, err := readRef(t, "docker://app:1", Options{Context: name})
		if (err == nil) != ok || ok && d.ID.String() != e.id {
			t.Errorf("context %s: %v", name, err)
		}
	}

	certs := t.TempDir()
	for name, body := range files {
		putFile(t, filepath.Join(certs, name), body)
	}
	t.Setenv("DOCKER_HOST", host)
	t.Setenv("DOCKER_CERT_PATH", certs)
	t.Setenv("DOCKER_TLS_VERIFY", "1")
	if _, _, err := readRef(t, "docker://app:1", Options{}); err != nil {
		t.Errorf("TLS from the environment: %v", err)
	}
}

func TestDaemonSSH(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the other end of ssh is a shell script")
	}
	e := newFakeEngine(t)
	socket := strings.TrimPrefix(e.start(), "unix://")
	bin := t.TempDir()
	log := filepath.Join(bin, "log")
	putFile(t, filepath.Join(bin, "ssh"), fmt.Sprintf("#!/bin/sh\necho \"$@\" >>%s\n%s=%s exec %s\n", log, dialVar, socket, os.Args[0]))
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	t.Setenv("DOCKER_HOST", "ssh://me@far:22")
	d, _, err := readRef(t, "docker://app:1", Options{})
	if err != nil || d.ID.String() != e.id {
		t.Fatalf("got %+v, %v", d, err)
	}
	args, _ := os.ReadFile(log)
	if s := string(args); !strings.Contains(s, "-l me") || !strings.Contains(s, "far docker system dial-stdio") {
		t.Errorf("ssh was run with %s", s)
	}

	putFile(t, filepath.Join(bin, "ssh"), "#!/bin/sh\nread request\necho no route to far >&2\nexit 255\n")
	_, _, err = readRef(t, "docker://app:1", Options{})
	if err == nil || !strings.Contains(err.Error(), "no route to far") || !strings.Contains(err.Error(), "ssh://me@far:22") {
		t.Errorf("got %v", err)
	}
}

// TestDaemonSSHCancel: cancelling ends the ssh process too.
func TestDaemonSSHCancel(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the other end of ssh is a shell script")
	}
	dockerConfig(t, "")
	bin := t.TempDir()
	putFile(t, filepath.Join(bin, "ssh"), "#!/bin/sh\nexec sleep 60\n")
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := Open(ctx, "docker://app:1", Options{Host: "ssh://far"})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 10*time.Second {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
}
