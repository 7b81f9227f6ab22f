package source

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/go-connections/tlsconfig"
)

// endpoint is where a daemon is and how to speak to it.
type endpoint struct {
	host string      // URL; "" for the platform's default
	tls  *tls.Config // nil for none
}

const (
	defaultContext = "default"
	dockerEndpoint = "docker" // the name of the daemon's endpoint in a context
)

// findEndpoint looks where docker does, in docker's order (docker/cli,
// cli/command, resolveContextName): --context, --host, DOCKER_HOST,
// DOCKER_CONTEXT, the current context in config.json, the default.
func findEndpoint(opts Options) (endpoint, error) {
	if opts.Host != "" && opts.Context != "" {
		return endpoint{}, errors.New("both a daemon's address and a docker context are given")
	}
	name, err := contextName(opts)
	if err != nil {
		return endpoint{}, err
	}
	if name != defaultContext {
		return contextEndpoint(name)
	}
	host := opts.Host
	if host == "" {
		host = os.Getenv("DOCKER_HOST")
	}
	if host, err = hostURL(host); err != nil {
		return endpoint{}, err
	}
	tls, err := envTLS()
	if err != nil {
		return endpoint{}, fmt.Errorf("reading the daemon's TLS files: %w", err)
	}
	return endpoint{host, tls}, nil
}

// contextName returns the name of the context in force.
func contextName(opts Options) (string, error) {
	switch {
	case opts.Context != "":
		return opts.Context, nil
	case opts.Host != "", os.Getenv("DOCKER_HOST") != "":
		return defaultContext, nil
	case os.Getenv("DOCKER_CONTEXT") != "":
		return os.Getenv("DOCKER_CONTEXT"), nil
	}
	c, err := config.Load(configDir())
	if err != nil {
		return "", err
	}
	if c.CurrentContext == "" {
		return defaultContext, nil
	}
	return c.CurrentContext, nil
}

// configDir returns docker's configuration directory. (config.Dir looks only
// once in the life of a process.)
func configDir() string {
	if dir := os.Getenv(config.EnvOverrideConfigDir); dir != "" {
		return dir
	}
	home, _ := os.UserHomeDir()
	return filepath.Join(home, ".docker")
}

// endpointMeta is an endpoint in a context's meta.json.
type endpointMeta struct {
	Host          string
	SkipTLSVerify bool
}

// contextEndpoint returns the endpoint of a docker context.
func contextEndpoint(name string) (endpoint, error) {
	s := store.New(filepath.Join(configDir(), "contexts"), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(dockerEndpoint, func() any { return &endpointMeta{} }),
	))
	meta, err := s.GetMetadata(name)
	if err != nil {
		return endpoint{}, &HintError{fmt.Errorf("reading docker context %q: %w", name, err), "docker context ls lists the contexts"}
	}
	m, ok := meta.Endpoints[dockerEndpoint].(endpointMeta)
	if !ok || m.Host == "" {
		return endpoint{}, fmt.Errorf("docker context %q has no docker endpoint", name)
	}
	tls, err := contextTLS(s, name, m.SkipTLSVerify)
	if err != nil {
		return endpoint{}, fmt.Errorf("reading the TLS files of docker context %q: %w", name, err)
	}
	host, err := hostURL(m.Host)
	return endpoint{host, tls}, err
}

// contextTLS returns a context's TLS configuration, nil if it has none.
func contextTLS(s store.Reader, name string, skipVerify bool) (*tls.Config, error) {
	endpoints, err := s.ListTLSFiles(name)
	if err != nil {
		return nil, err
	}
	pem := map[string][]byte{}
	for _, f := range endpoints[dockerEndpoint] {
		if pem[f], err = s.GetTLSData(name, dockerEndpoint, f); err != nil {
			return nil, err
		}
	}
	if len(pem) == 0 && !skipVerify {
		return nil, nil
	}
	c := tlsconfig.ClientDefault()
	c.InsecureSkipVerify = skipVerify
	if ca := pem["ca.pem"]; ca != nil {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(ca) {
			return nil, errors.New("ca.pem holds no certificate")
		}
	}
	if cert, key := pem["cert.pem"], pem["key.pem"]; cert != nil && key != nil {
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// envTLS returns the TLS configuration that the environment asks for, nil if
// it asks for none. As with docker, DOCKER_CERT_PATH says where the files are
// and not that they are to be used.
func envTLS() (*tls.Config, error) {
	verify := os.Getenv("DOCKER_TLS_VERIFY") != ""
	if !verify && os.Getenv("DOCKER_TLS") == "" {
		return nil, nil
	}
	dir := os.Getenv("DOCKER_CERT_PATH")
	if dir == "" {
		dir = configDir()
	}
	o := tlsconfig.Options{
		CertFile:           existing(dir, "cert.pem"),
		KeyFile:            existing(dir, "key.pem"),
		InsecureSkipVerify: !verify,
		ExclusiveRootPools: true,
	}
	if verify {
		o.CAFile = filepath.Join(dir, "ca.pem")
	}
	return tlsconfig.Client(o)
}

// existing returns the path of a file in dir, "" if it isn't there.
func existing(dir, name string) string {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// hostURL completes a daemon's address as docker does: tcp is the default
// protocol, 2375 tcp's default port.
func hostURL(host string) (string, error) {
	host = strings.TrimSpace(host)
	if host == "" {
		return "", nil
	}
	proto, addr, ok := strings.Cut(host, "://")
	if !ok {
		proto, addr = "tcp", host
	}
	switch proto {
	case "unix", "npipe", "ssh", "http", "https":
	case "tcp":
		addr = withPort(addr)
	default:
		return "", fmt.Errorf("unknown protocol in the daemon's address %q", host)
	}
	return proto + "://" + addr, nil
}

// withPort adds the default port to HOST[:PORT][/PATH].
func withPort(addr string) string {
	host, path, _ := strings.Cut(addr, "/")
	if path != "" {
		path = "/" + path
	}
	if host == "" || strings.HasPrefix(host, ":") {
		host = "localhost" + host
	}
	if i := strings.LastIndexByte(host, ':'); i < 0 || strings.HasSuffix(host, "]") {
		host += ":2375"
	}
	return host + path
}
