package frontend

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/solver/llbsolver/ops"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/gitutil"
	digest "github.com/opencontainers/go-digest"
)

// Graph is what BuildKit would do.
type Graph struct {
	Vertices []*Vertex // each after all of its inputs
	Target   *Vertex   // nil for an empty image
}

// Kind is what a vertex does.
type Kind string

// The kinds of vertex.
const (
	KindImage  Kind = "image"
	KindLocal  Kind = "local"
	KindHTTP   Kind = "http"
	KindGit    Kind = "git"
	KindInline Kind = "inline" // a document of the Dockerfile as a file
	KindExec   Kind = "exec"
	KindCopy   Kind = "copy"
	KindMkdir  Kind = "mkdir"
	KindMerge  Kind = "merge"
)

// Vertex is one of the operations that BuildKit caches.
type Vertex struct {
	Index       int // into Graph.Vertices
	Kind        Kind
	Name        string // "[build 3/6] RUN npm ci"
	Label       Label  // of the name; zero if it has none
	Lines       []Lines
	Key         digest.Digest // its own part of its cache key
	Inputs      []Input
	IgnoreCache bool

	sum    string          // of a HTTP with a checksum
	folder *Folder         // of a Local
	filter json.RawMessage // of a Local: what of the folder is sent
}

// Label is a vertex's place in its stage.
type Label struct {
	Stage        string
	Index, Total int
}

// Lines are the first and the last line of an instruction, from 1.
type Lines struct{ Start, End int }

// Input is what a vertex reads of another.
type Input struct {
	From     *Vertex
	Output   int           // of From
	Selector digest.Digest // inputs agree by definition only if it is equal
	// Content tells whether what is read may also be compared by content.
	Content bool

	hash solver.ResultBasedCacheFunc
	sum  map[*tree]digest.Digest
}

// vertex is what BuildKit's operations want of a vertex.
type vertex struct {
	digest digest.Digest
	inputs []solver.Edge
	name   string
	op     any
}

func (v vertex) Digest() digest.Digest         { return v.digest }
func (v vertex) Sys() any                      { return v.op }
func (v vertex) Options() solver.VertexOptions { return solver.VertexOptions{} }
func (v vertex) Inputs() []solver.Edge         { return v.inputs }
func (v vertex) Name() string                  { return v.name }

// newGraph makes the graph of a definition, whose operations each stand after
// their inputs. The last is no operation: it names the target.
func newGraph(ctx context.Context, def *llb.Definition, b Build) (*Graph, error) {
	g := &Graph{}
	byDigest := map[string]*Vertex{}
	for _, text := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(text); err != nil {
			return nil, fmt.Errorf("reading an operation: %w", err)
		}
		if op.Op == nil {
			if len(op.Inputs) == 1 {
				g.Target = byDigest[op.Inputs[0].Digest]
			}
			continue
		}
		id := digest.FromBytes(text)
		v := &Vertex{Index: len(g.Vertices)}
		var inputs []solver.Edge
		for _, in := range op.Inputs {
			from := byDigest[in.Digest]
			if from == nil {
				return nil, fmt.Errorf("%s stands before its input %s", id, in.Digest)
			}
			v.Inputs = append(v.Inputs, Input{From: from, Output: int(in.Index), sum: map[*tree]digest.Digest{}})
			inputs = append(inputs, solver.Edge{Index: solver.Index(in.Index)})
		}
		meta := def.Metadata[id]
		v.Name, v.IgnoreCache = meta.Description["llb.customname"], meta.IgnoreCache
		for _, at := range def.Source.Locations[id.String()].GetLocations() {
			v.Lines = append(v.Lines, linesOf(at.Ranges))
		}
		if err := v.key(ctx, &op, vertex{id, inputs, v.Name, &op}, b); err != nil {
			refused := &Refused{Err: fmt.Errorf("the solver refuses %q: %w", v.Name, err)}
			if len(v.Lines) > 0 {
				refused.Line = v.Lines[0].Start
			}
			return nil, refused
		}
		if v.Kind != KindHTTP && v.Kind != KindGit { // they are called as the ADD that reads them
			v.Label = labelOf(v.Name)
		}
		byDigest[id.String()] = v
		g.Vertices = append(g.Vertices, v)
	}
	return g, nil
}

var labelled = regexp.MustCompile(`^\[(?:(\S+) )? *(\d+)/(\d+)\] `)

// labelOf reads the place out of a vertex's name.
func labelOf(name string) Label {
	m := labelled.FindStringSubmatch(name)
	if m == nil {
		return Label{}
	}
	index, _ := strconv.Atoi(m[2])
	total, _ := strconv.Atoi(m[3])
	return Label{m[1], index, total}
}

// linesOf returns the lines that ranges go over.
func linesOf(ranges []*pb.Range) Lines {
	var l Lines
	for _, r := range ranges {
		if start := int(r.Start.GetLine()); l.Start == 0 || start < l.Start {
			l.Start = start
		}
		l.End = max(l.End, int(r.End.GetLine()))
	}
	return l
}

// key finds out a vertex's kind, its key and how its inputs are compared. For
// all but sources BuildKit's own operations do.
func (v *Vertex) key(ctx context.Context, op *pb.Op, vtx vertex, b Build) error {
	var o solver.Op
	var err error
	switch op := op.Op.(type) {
	case *pb.Op_Source:
		return v.source(op.Source, vtx.op.(*pb.Op).Platform, b)
	case *pb.Op_Exec:
		v.Kind = KindExec
		o, err = ops.NewExecOp(vtx, op, vtx.op.(*pb.Op).Platform, nil, nil, nil, nil, nil, nil, false)
	case *pb.Op_File:
		v.Kind = fileKind(op.File)
		o, err = ops.NewFileOp(vtx, op, nil, nil, nil)
	case *pb.Op_Merge:
		v.Kind = KindMerge
		o, err = ops.NewMergeOp(vtx, op, nil)
	default:
		err = fmt.Errorf("a Dockerfile makes no %T", op)
	}
	if err != nil {
		return err
	}
	m, _, err := o.CacheMap(ctx, nil, 0)
	if err != nil {
		return err
	}
	v.Key = m.Digest
	for i, dep := range m.Deps {
		in := &v.Inputs[i]
		in.Selector, in.hash, in.Content = dep.Selector, dep.ComputeDigestFunc, dep.ComputeDigestFunc != nil
	}
	return nil
}

// fileKind tells the operations on files apart.
func fileKind(op *pb.FileOp) Kind {
	kind := KindCopy
	for _, a := range op.Actions {
		switch a.Action.(type) {
		case *pb.FileAction_Mkdir:
			kind = KindMkdir
		case *pb.FileAction_Mkfile:
			kind = KindInline
		}
	}
	return kind
}

// source finds out the key of a source. BuildKit asks for an image's digest, a
// URL's content and a repository's commit; here the same name is the same thing
// unless a digest says otherwise.
func (v *Vertex) source(op *pb.SourceOp, platform *pb.Platform, b Build) error {
	scheme, rest, _ := strings.Cut(op.Identifier, "://")
	var parts []string
	switch scheme {
	case "docker-image":
		v.Kind = KindImage
		_, pinned, ok := strings.Cut(rest, "@")
		if !ok { // it is asked for when the image is pulled
			pinned = b.digest(rest, b.image(rest, "")).String()
		}
		parts = []string{pinned}
		if platform != nil {
			parts = append(parts, platform.OS, platform.Architecture, platform.Variant, platform.OSVersion)
			parts = append(parts, platform.OSFeatures...)
		}
	case "local":
		v.Kind = KindLocal
		v.folder = b.folder(rest)
		var err error
		if v.filter, err = json.Marshal([]string{op.Attrs[pb.AttrIncludePatterns], op.Attrs[pb.AttrExcludePatterns], op.Attrs[pb.AttrFollowPaths]}); err != nil {
			return err
		}
		parts = []string{rest}
	case "http", "https":
		v.Kind = KindHTTP
		v.sum = op.Attrs[pb.AttrHTTPChecksum]
		sum := v.sum
		if sum == "" {
			sum = op.Identifier
		}
		parts = []string{op.Attrs[pb.AttrHTTPFilename], sum, op.Attrs[pb.AttrHTTPPerm], op.Attrs[pb.AttrHTTPUID], op.Attrs[pb.AttrHTTPGID]}
	case "git":
		v.Kind = KindGit
		parts = gitKey(rest, op.Attrs)
	default:
		return fmt.Errorf("a Dockerfile makes no source %s", op.Identifier)
	}
	text, err := json.Marshal(append([]string{"source", string(v.Kind)}, parts...))
	v.Key = digest.FromBytes(text)
	return err
}

// gitKey is what a repository's key is of: the commit, wherever it comes from,
// if it is named, else the repository and the name.
func gitKey(identifier string, attrs map[string]string) []string {
	repository, fragment, _ := strings.Cut(identifier, "#")
	ref, subdir, _ := strings.Cut(fragment, ":")
	if d := attrs["git.subdir"]; d != "" {
		subdir = d
	}
	commit := repository + "#" + ref
	switch sum := attrs[pb.AttrGitChecksum]; {
	case gitutil.IsCommitSHA(ref):
		commit = ref
	case sum != "":
		commit = sum
	}
	key := []string{commit, subdir, attrs[pb.AttrGitSkipSubmodules], attrs[pb.AttrGitMTime]}
	if attrs[pb.AttrKeepGitDir] == "true" {
		key = append(key, "with .git", ref)
	}
	return key
}
