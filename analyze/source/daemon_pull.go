package source

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/layerscope/layerscope/analyze/progress"
)

// pullImage has a daemon pull an image.
func pullImage(ctx context.Context, e engine, imageName string, opts Options) error {
	ref, err := name.ParseReference(imageName)
	if err != nil {
		return fmt.Errorf("parsing image name %q: %w", imageName, err)
	}
	auth, err := pullAuth(ctx, opts, ref)
	if err != nil {
		return fmt.Errorf("finding credentials for %s: %w", ref.Context().RegistryStr(), err)
	}
	platform := ""
	if opts.Platform != nil {
		platform = opts.Platform.String()
	}
	opts.Progress.SetPhase("pulling")
	body, err := e.pull(ctx, imageName, platform, auth)
	if err == nil {
		err = followPull(body, opts.Progress)
		body.Close()
	}
	opts.Progress.SetPhase("")
	opts.Progress.SetBytes(0)
	opts.Progress.SetTotal(0)
	if err != nil {
		return pullError(imageName, ref, err)
	}
	return nil
}

// pullAuth returns the credentials for a registry as a daemon takes them
// (X-Registry-Auth), "" for none.
func pullAuth(ctx context.Context, opts Options, ref name.Reference) (string, error) {
	a, err := authn.Resolve(ctx, keychain(opts), ref.Context())
	if err != nil {
		return "", err
	}
	c, err := authn.Authorization(ctx, a)
	if err != nil || *c == (authn.AuthConfig{}) {
		return "", err
	}
	raw, err := json.Marshal(map[string]string{
		"username": c.Username, "password": c.Password, "auth": c.Auth,
		"identitytoken": c.IdentityToken, "registrytoken": c.RegistryToken,
	})
	return base64.URLEncoding.EncodeToString(raw), err
}

// pullError says what went wrong with a pull. The daemon passes on what the
// registry says, in words only.
func pullError(imageName string, ref name.Reference, err error) error {
	said := fmt.Errorf("pulling %q: %w", imageName, err)
	text := strings.ToLower(err.Error())
	if strings.Contains(text, "denied") || strings.Contains(text, "unauthorized") || strings.Contains(text, "no basic auth") {
		return &HintError{said, "docker login " + loginHost(ref.Context().Registry) + ", if the image is there and private"}
	}
	if errors.As(err, new(*HintError)) {
		return said // no daemon: it says more
	}
	return &HintError{said, "check the name and the tag, and that the daemon reaches the registry"}
}

// pullMessage is one line of a pull's progress.
type pullMessage struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Detail struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
	Error string `json:"error"`
}

// followPull reads a pull's progress to its end. What is counted is bytes
// fetched: layers are unpacked as others still come.
func followPull(r io.Reader, p *progress.Progress) error {
	layers := map[string]pullMessage{}
	for dec := json.NewDecoder(r); ; {
		var m pullMessage
		err := dec.Decode(&m)
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("reading the daemon's progress: %w", err)
		case m.Error != "":
			return errors.New(m.Error)
		}
		switch m.Status {
		case "Downloading":
			layers[m.ID] = m
		case "Download complete", "Pull complete":
			m.Detail = layers[m.ID].Detail
			m.Detail.Current = m.Detail.Total
			layers[m.ID] = m
		default:
			continue
		}
		var current, total int64
		for _, l := range layers {
			current += l.Detail.Current
			total += max(l.Detail.Total, 0)
		}
		p.SetBytes(current)
		p.SetTotal(total)
	}
}
