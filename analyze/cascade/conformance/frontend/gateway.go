package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// gateway stands in for a BuildKit daemon: it answers what a frontend asks for
// while it converts a Dockerfile, and builds nothing.
type gateway struct {
	client.Client // nil: nothing else is asked for
	build         Build
}

func newGateway(b Build) *gateway { return &gateway{build: b} }

// BuildOpts returns what the build is told.
func (g *gateway) BuildOpts() client.BuildOpts {
	return client.BuildOpts{
		Opts:      g.build.options(),
		SessionID: "session",
		Workers:   []client.WorkerInfo{{Platforms: []ocispecs.Platform{machine()}}},
		LLBCaps:   pb.Caps.CapSet(pb.Caps.All()),
		Caps:      gatewaypb.Caps.CapSet(gatewaypb.Caps.All()),
	}
}

// Inputs returns none.
func (g *gateway) Inputs(context.Context) (map[string]llb.State, error) { return nil, nil }

// Warn drops a warning.
func (g *gateway) Warn(context.Context, digest.Digest, string, client.WarnOpts) error { return nil }

// ResolveSourceMetadata knows nothing of a source.
func (g *gateway) ResolveSourceMetadata(_ context.Context, op *pb.SourceOp, _ sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	return &sourceresolver.MetaResponse{Op: op}, nil
}

// ResolveImageConfig returns an image's configuration and a digest that is made
// of its reference, unless one is given.
func (g *gateway) ResolveImageConfig(_ context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	platform := machine()
	if opt.ImageOpt != nil && opt.ImageOpt.Platform != nil {
		platform = *opt.ImageOpt.Platform
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", "", nil, err
	}
	known := g.build.image(ref, platforms.FormatAll(platform))
	dgst := g.build.digest(ref, known)
	if pinned, ok := named.(reference.Digested); ok && known.Digest == "" {
		dgst = pinned.Digest()
	}
	if known.Platform != "" {
		if platform, err = platforms.Parse(known.Platform); err != nil {
			return "", "", nil, err
		}
		platform = platforms.Normalize(platform)
	}
	var config dockerspec.DockerOCIImage
	config.Platform = platform
	config.Config.Env, config.Config.WorkingDir, config.Config.User = known.Env, known.WorkingDir, known.User
	config.Config.Shell, config.Config.OnBuild = known.Shell, known.OnBuild
	config.RootFS.Type = "layers"
	if !known.Empty {
		config.RootFS.DiffIDs = []digest.Digest{digest.FromString("layer of " + ref)}
	}
	text, err := json.Marshal(config)
	return ref, dgst, text, err
}

// image returns what is known of an image.
func (b Build) image(ref, platform string) *Image {
	if b.Images != nil {
		if i := b.Images(ref, platform); i != nil {
			return i
		}
	}
	return &Image{}
}

// digest returns an image's digest, which its reference makes unless it is
// known.
func (b Build) digest(ref string, i *Image) digest.Digest {
	if i.Digest != "" {
		return digest.Digest(i.Digest)
	}
	return digest.FromString(ref)
}

// Solve returns the files of a local source: .dockerignore is read of it.
func (g *gateway) Solve(_ context.Context, req client.SolveRequest) (*client.Result, error) {
	result := client.NewResult()
	for _, text := range req.Definition.Def {
		var op pb.Op
		if err := op.UnmarshalVT(text); err != nil {
			return nil, err
		}
		source := op.GetSource()
		if source == nil {
			continue
		}
		name, local := strings.CutPrefix(source.Identifier, "local://")
		if !local {
			return nil, fmt.Errorf("the frontend asks for %s", source.Identifier)
		}
		if name == "dockerfile" {
			result.SetRef(&files{own: map[string][]byte{"Dockerfile": g.build.Dockerfile, "Dockerfile.dockerignore": g.build.Dockerignore}})
			continue
		}
		result.SetRef(&files{folder: g.build.folder(name)})
	}
	return result, nil
}

// folder returns what a local source is of; nil if nothing is known of it.
func (b Build) folder(name string) *Folder {
	if name == "context" {
		name = ""
	}
	return b.Folders[name]
}

// files reads a folder, or files of its own.
type files struct {
	client.Reference // nil: nothing else is asked for
	folder           *Folder
	own              map[string][]byte
}

func (f *files) read(name string) ([]byte, error) {
	if text := f.own[name]; text != nil {
		return text, nil
	}
	if f.folder == nil {
		return nil, fs.ErrNotExist
	}
	return os.ReadFile(filepath.Join(f.folder.dir, filepath.FromSlash(name)))
}

func (f *files) ReadFile(_ context.Context, req client.ReadRequest) ([]byte, error) {
	text, err := f.read(req.Filename)
	if err == nil && req.Range != nil {
		text = text[min(req.Range.Offset, len(text)):]
		text = text[:min(req.Range.Length, len(text))]
	}
	return text, err
}

func (f *files) StatFile(_ context.Context, req client.StatRequest) (*fstypes.Stat, error) {
	text, err := f.read(req.Path)
	return &fstypes.Stat{Path: req.Path, Mode: 0o644, Size: int64(len(text))}, err
}

func (f *files) Evaluate(context.Context) error { return nil }

func (f *files) ToState() (llb.State, error) { return llb.State{}, errors.New("files are no state") }
