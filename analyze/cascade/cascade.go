// Package cascade tells what a build does again because of a change, by the
// builders' own rules and before anything is built (design §6).
//
// [New] makes the graph of what a builder would do for a Dockerfile: a node for
// each thing that it caches, with a key and with edges to what the node reads.
// [Predict] holds the graph after a change against the graph before it. A node
// is a [Hit] if one of the earlier build has its key and if all of their inputs
// agree: by definition, or by content where the edge allows it. Content that is
// built again isn't known before it is built; what hangs on it alone is
// [MayMiss].
package cascade

import (
	"fmt"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// Builder is whose rules count.
type Builder string

// The builders that there are rules for.
const (
	BuildKit Builder = "buildkit" // of the version whose packages we are built with, and near ones
	Classic  Builder = "classic"  // the Docker Engine's builder before BuildKit
	Buildah  Builder = "buildah"  // buildah and podman build with --layers
)

// Builders returns all of them, the default first.
func Builders() []Builder { return []Builder{BuildKit, Classic, Buildah} }

// State is what becomes of an instruction in a build (design §6). States are
// ordered: the larger is the worse.
type State int

const (
	NotBuilt State = iota // the target doesn't need it
	Hit                   // stays cached
	MayMiss               // runs again only if the rebuilt content that it reads differs
	Miss                  // certainly runs again
)

var stateNames = [...]string{NotBuilt: "not-built", Hit: "hit", MayMiss: "may-miss", Miss: "miss"}

// String returns the state's word, as in JSON.
func (s State) String() string { return stateNames[s] }

// MarshalText makes the state its word in JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Options are what a build is told, as the builders take it. The zero value is
// a plain build with BuildKit.
type Options struct {
	Builder Builder // "" is BuildKit
	Target  string  // --target; "" is the last stage
	// Platform is --platform; "" is linux on the machine's architecture, which
	// is always the one that builds.
	Platform string
	Args     map[string]string // --build-arg
	Contexts map[string]string // --build-context: a name and what it is
	// NoCache are stages that --no-cache-filter names; with an "" in it, all.
	NoCache []string
	// Moved are images whose digest is taken to be another than it was, by
	// their references in full.
	Moved []string
	// Unfinished takes an instruction that the builder would refuse for one that
	// isn't known, as of a Dockerfile that is being edited.
	Unfinished bool
	// Images tells what is known of images that stages are from. nil knows
	// none.
	Images Images
}

// Images are what is known of images.
type Images interface {
	// Image returns what is known of the image of a reference, in full
	// ("docker.io/library/alpine:3.20") for a platform ("linux/amd64"); nil if
	// nothing is.
	Image(reference, platform string) *Image
}

// Image is an image that a stage is from, or that is copied from.
type Image struct {
	Digest     string // of its manifest; "" if unknown
	Env        []string
	WorkingDir string
	User       string
	Shell      []string
	OnBuild    []string
	Platform   string // "linux/amd64"; "" if unknown
	Empty      bool   // it has no layers, which builders take for scratch
	// Unsure are variables that may stand in Env, with values that aren't known.
	Unsure []string
}

// Error is a build that the builder refuses, at a line of the Dockerfile.
type Error struct {
	File string
	Line int // from 1; 0 if no line is to blame
	Err  error
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// A Note is something that can't be known before the build, and that verdicts
// hang on.
type Note struct {
	Lines dockerfile.Range // that it is about; zero for the whole file
	Text  string
}

// New returns the graph of a build. The error is an [*Error] if the builder
// would refuse the Dockerfile, a [*dockerfile.StageError] for a target that
// isn't there.
func New(f *dockerfile.File, opt Options) (*Graph, error) {
	if opt.Builder == "" {
		opt.Builder = BuildKit
	}
	if !slices.Contains(Builders(), opt.Builder) {
		var names []string
		for _, b := range Builders() {
			names = append(names, string(b))
		}
		return nil, fmt.Errorf("there is no builder %q; there are %s", opt.Builder, strings.Join(names, ", "))
	}
	p, err := newPlanner(f, opt)
	if err != nil {
		return nil, err
	}
	return p.plan()
}
