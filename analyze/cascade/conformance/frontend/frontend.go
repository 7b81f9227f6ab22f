// Package frontend predicts what a build does again from what BuildKit itself
// makes of a Dockerfile: its frontend converts the file, its operations give
// the keys of what came of that, and its content hash compares files. Only the
// relation between two builds is ours, and it is written from BuildKit's solver.
//
// It is what the product's engine is held against, and shares no code with it.
package frontend

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Build is a build with BuildKit.
type Build struct {
	Dockerfile []byte
	// Dockerignore is the file "Dockerfile.dockerignore", which counts instead
	// of the context's own; nil if there is none.
	Dockerignore []byte
	Target       string
	Platform     string // "linux/arm64"; "" for the machine's
	Args         map[string]string
	// Contexts are what --build-context names: "docker-image://REF", a URL, or
	// "local:NAME" for a folder of Folders.
	Contexts map[string]string
	// Folders are the build's context, "", and those that Contexts name. Of
	// one that isn't there nothing is known.
	Folders map[string]*Folder
	NoCache []string // stages of --no-cache-filter; "" for all of them
	// Images tells the configuration of an image; nil, and nil from it, is an
	// image of which only the reference is known.
	Images func(reference, platform string) *Image
}

// Image is what counts of an image.
type Image struct {
	Digest              string // "" for one that is made of the reference
	Env, Shell, OnBuild []string
	WorkingDir, User    string
	Platform            string // "linux/amd64"; "" for the one that is asked for
	Empty               bool   // without layers
}

// Refused is a Dockerfile that the frontend refuses, or what comes of it the
// solver.
type Refused struct {
	Line int // 0 if it doesn't say
	Err  error
}

func (e *Refused) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *Refused) Unwrap() error { return e.Err }

// Convert converts a build. The error is a *Refused if the frontend refuses it.
func Convert(ctx context.Context, b Build) (*Graph, error) {
	def, err := convert(ctx, b)
	if err != nil {
		return nil, err
	}
	return newGraph(ctx, def, b)
}

// convert returns BuildKit's low-level definition.
func convert(ctx context.Context, b Build) (def *llb.Definition, err error) {
	defer func() {
		if r := recover(); r != nil {
			def, err = nil, &Refused{0, fmt.Errorf("the frontend panics: %v", r)}
		}
	}()
	client, err := dockerui.NewClient(newGateway(b))
	if err != nil {
		return nil, &Refused{0, err}
	}
	source, err := client.ReadEntrypoint(ctx, "Dockerfile")
	if err != nil {
		return nil, &Refused{0, err}
	}
	caps := pb.Caps.CapSet(pb.Caps.All())
	opt := dockerfile2llb.ConvertOpt{
		Config: client.Config, Client: client, MetaResolver: newGateway(b), LLBCaps: &caps,
		SourceMap: source.SourceMap,
		Warn:      func(string, string, string, string, []parser.Range) {}, // without it nothing is an error to the linter
	}
	if b.Platform != "" {
		p, err := platforms.Parse(b.Platform)
		if err != nil {
			return nil, &Refused{0, err}
		}
		p = platforms.Normalize(p)
		opt.TargetPlatform = &p
	}
	res, err := dockerfile2llb.Dockerfile2LLB(ctx, b.Dockerfile, opt)
	if err != nil {
		return nil, &Refused{lineOf(err), err}
	}
	// The identity is random unless it is given.
	if def, err = res.State.Marshal(ctx, llb.LocalUniqueID("fixed")); err != nil {
		return nil, &Refused{lineOf(err), err}
	}
	return def, nil
}

// lineOf returns the line that an error is about: the first of the innermost
// place that it names.
func lineOf(err error) int {
	at, ok := errors.AsType[*parser.LocationError](err)
	if !ok {
		return 0
	}
	line := 0
	for _, ranges := range at.Locations {
		for _, r := range ranges {
			if line == 0 || r.Start.Line < line {
				line = r.Start.Line
			}
		}
	}
	return line
}

// options are a build's as the frontend gets them.
func (b Build) options() map[string]string {
	opts := map[string]string{}
	if b.Target != "" {
		opts["target"] = b.Target
	}
	if b.Platform != "" {
		opts["platform"] = b.Platform
	}
	for _, name := range slices.Sorted(maps.Keys(b.Args)) {
		opts["build-arg:"+name] = b.Args[name]
	}
	for _, name := range slices.Sorted(maps.Keys(b.Contexts)) {
		opts["context:"+name] = b.Contexts[name]
	}
	if len(b.NoCache) > 0 {
		opts["no-cache"] = strings.Join(b.NoCache, ",")
	}
	return opts
}

// machine is the platform that builds.
func machine() ocispecs.Platform {
	p := platforms.Normalize(platforms.DefaultSpec())
	return ocispecs.Platform{OS: "linux", Architecture: p.Architecture, Variant: p.Variant}
}
