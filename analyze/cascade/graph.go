package cascade

import (
	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// Kind is what a node does.
type Kind string

const (
	KindImage   Kind = "image"   // an image is pulled
	KindLocal   Kind = "local"   // files of a context
	KindHTTP    Kind = "http"    // a URL is fetched
	KindGit     Kind = "git"     // a repository is fetched
	KindInline  Kind = "inline"  // the text of a heredoc as a file
	KindExec    Kind = "exec"    // a command runs
	KindCopy    Kind = "copy"    // files are copied
	KindMkdir   Kind = "mkdir"   // a directory is made
	KindMerge   Kind = "merge"   // a linked layer is put on another; moves no data
	KindMeta    Kind = "meta"    // a chain builder's instruction that changes the configuration alone
	KindUnknown Kind = "unknown" // an instruction that our rules don't know
)

// Graph is what a builder would do: nodes that it caches, and what they read.
// It is immutable.
type Graph struct {
	File    *dockerfile.File
	Options Options
	Target  *Stage
	Nodes   []*Node // each after all of its inputs
	Stages  []*Stage
	Notes   []Note
	// Takes are what instructions take of other stages, in the order of the
	// stages that take; those by BuildKit's rules, and of stages that the target
	// needs.
	Takes []Take

	// Steps are the instructions in the order of the file, ARGs before the
	// first FROM with them. A Node's and a Part's instructions are indexes
	// into it.
	Steps []*Step
}

// Stage is a stage of the Dockerfile in a graph.
type Stage struct {
	*dockerfile.Stage
	Needed bool   // the target needs it
	Label  string // what BuildKit's output calls it: its name, "stage-1", or "" if it is the only one
	// Below is the index of the stage that this one is from, by the arguments
	// that are given; -1 if it is from none, but an image or nothing.
	Below int
	// Image is the reference in full of the image that the stage is from; "" if
	// it is from none, or one isn't needed.
	Image string
}

// Step is an instruction and what the builder makes of it.
type Step struct {
	*dockerfile.Instruction
	Index int
	Stage int // index of its stage; -1 for an ARG before the first FROM
	// Nodes are the instruction's own: the last is the one that its verdict is
	// of. There are none for an instruction that the builder makes no step of,
	// and in a stage that isn't needed.
	Nodes []*Node

	names set // of a FROM, instructions that its image's name hangs on
}

// Node is one thing that a builder does and caches.
type Node struct {
	ID    int // index into Graph.Nodes
	Kind  Kind
	Step  int // the instruction whose it is: of what several read, the first
	Stage int // -1 for what belongs to none, such as a context

	// Parts are the node's own part of its cache key, without its environment:
	// equal parts in equal order are an equal key.
	Parts []Part
	In    []Edge

	// Label is the node's place in BuildKit's output, such as {"build", 3, 6}
	// for "[build 3/6] RUN npm ci"; zero for nodes that it doesn't number. It is
	// {"2", 3, 6} for buildah's "[2/4] STEP 3/6: RUN npm ci", whose first step is
	// the FROM, and the same for the classic builder.
	Label Label
	// Uncached tells that the node is built anew always: --no-cache-filter, or
	// an instruction that isn't known.
	Uncached bool
	Trigger  bool // put off by an ONBUILD of the stage's base

	// What a Local is of: "" for the build's context, or the name of a
	// --build-context.
	Context string

	env   *environ
	shell traced // that a command's text is run by
	deps  set    // instructions whose edit, whatever it is, changes the key
	key   string // digest of the own part
	sig   string // digest of key and inputs: nodes of equal sig are one vertex
}

// Label is a node's place in BuildKit's output.
type Label struct {
	Stage        string
	Index, Total int // from 1
}

// Part is a part of a key.
type Part struct {
	Name  string // "command", "env VERSION", "workdir", "destination", …
	Value string
	By    int // the instruction that sets it, as an index into Graph.Steps; -1 for none
}

// Role is what an edge is for.
type Role string

const (
	RoleBase  Role = "base"  // the filesystem that the node changes
	RoleCopy  Role = "copy"  // files are copied from it
	RoleMount Role = "mount" // it is mounted
	RoleMerge Role = "merge" // it is put upon the base
)

// Edge is what a node reads of another.
type Edge struct {
	From *Node
	Role Role
	// Selector tells edges apart that read different paths: they agree by
	// definition only if it is equal.
	Selector string
	// Content is what is compared by content if the definitions differ; nil if
	// nothing is, and definitions alone count.
	Content []buildcontext.Selection

	deps set // instructions whose edit makes the edge another, as a FROM's
	// unpack tells that what counts of an archive is what is in it, which isn't
	// looked into.
	unpack bool
}

// Firebreak tells whether the edge is on content: what is below reruns only if
// the bytes differ.
func (e *Edge) Firebreak() bool { return e.Content != nil }
