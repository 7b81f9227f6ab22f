// Package buildlog reads what past builds' logs tell of time: how long each step
// took. The common call is [Read].
//
// Five kinds of logs are told apart by their content: BuildKit's rawjson and
// plain progress, the output of the classic builder and of buildah with the time
// in front of each line, and the .dockerbuild that "docker buildx history export"
// writes. A log may hold other output around the builder's, and several builds.
//
// A time is measured or unknown, never guessed: a step that was cached, that
// never ran, failed or has no end in the log, has none.
package buildlog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// Format is the kind of a log.
type Format string

// The formats of logs.
const (
	RawJSON     Format = "rawjson"     // BuildKit's --progress=rawjson
	Plain       Format = "plain"       // BuildKit's --progress=plain
	Classic     Format = "classic"     // docker build with DOCKER_BUILDKIT=0
	Buildah     Format = "buildah"     // buildah build, podman build
	DockerBuild Format = "dockerbuild" // docker buildx history export
)

// Log is what a log tells.
type Log struct {
	Format Format

	// Steps are those of all builds of the log, each once, in the order in
	// which they first came up. What several builds tell of the steps of one
	// name is one step: the last build that measured it counts, and if none
	// did, the last.
	Steps []Step

	// Builds is how many builds the log holds, as far as they can be told
	// apart; at least 1.
	Builds int

	// Resolution is the unit of the durations: a tenth of a second in plain
	// logs, that of the times in front of the lines, or a nanosecond.
	Resolution time.Duration

	// Truncated says that parts of the log are missing: it ends within a
	// line, an archive or a step, or a part can't be read.
	Truncated bool

	// Started and Completed are when the first step of all began and the last
	// ended; zero if the log doesn't tell the date.
	Started, Completed time.Time

	// Provenance are the in-toto statements in a .dockerbuild, one for each
	// platform, as package provenance parses them.
	Provenance [][]byte
}

// Step is one vertex of a BuildKit build, which is one for each step that shows
// in its output, or one instruction of the other builders.
type Step struct {
	Name     string // as the log has it: "[build 3/6] RUN npm ci", "[internal] load build context", "RUN npm ci"
	Position        // the name's parts

	Digest string // the vertex's; "" if the log doesn't tell it
	Cached bool   // it was found in the cache, and in no build of the log did it run

	// Duration is how long the step was being worked on, if it is Timed. Of
	// the classic builder and buildah it includes the commit of the layer.
	Duration time.Duration
	Timed    bool

	Failed bool   // it failed or was cancelled
	Err    string // what the builder said of that, at most some kB; "" if it isn't known

	// Lines are the lines of the Dockerfile that the step is of; zero if
	// they aren't known, which they are with the provenance in a .dockerbuild.
	Lines dockerfile.Range
}

// ErrNoSteps says that a log is one of a builder, but tells of no step.
var ErrNoSteps = errors.New("the log has no step")

// NotLogError says that something is no log of a build.
type NotLogError struct{}

func (NotLogError) Error() string {
	return "not a log of BuildKit (rawjson or plain), the classic builder or buildah, nor a .dockerbuild export"
}

// Advice says how to get a log.
func (NotLogError) Advice() string {
	return "docker build --progress=rawjson . 2>build.log writes one; docker buildx history export gives that of a past build"
}

// Read reads the log in a file. Its errors name it.
func Read(ctx context.Context, path string) (*Log, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the build log: %w", err)
	}
	defer f.Close()
	log, err := Parse(ctx, f)
	switch _, named := errors.AsType[*os.PathError](err); {
	case named:
		return nil, fmt.Errorf("reading the build log: %w", err)
	case err != nil:
		return nil, fmt.Errorf("reading the build log %s: %w", path, err)
	}
	return log, nil
}

// maxWindow bounds what a zstd frame can make the decoder allocate, as for
// layers.
const maxWindow = 128 << 20

// Parse reads a log, which may be compressed by gzip or zstd. What isn't one is a
// [NotLogError], one without a step [ErrNoSteps]. Of a log that is cut short,
// what is complete is told; it is Truncated then.
//
// Parse holds the steps in memory, of a .dockerbuild also its metadata; lines and
// output of any length are read past.
func Parse(ctx context.Context, r io.Reader) (*Log, error) {
	br := bufio.NewReaderSize(&contextReader{ctx: ctx, r: r}, bufferSize)
	plain, done, err := decompress(br)
	if err != nil {
		return nil, err
	}
	defer done()
	log, err := parse(ctx, plain)
	if err != nil {
		return nil, err
	}
	if len(log.Steps) == 0 {
		return nil, ErrNoSteps
	}
	return log, nil
}

const bufferSize = 64 << 10

// decompress returns what r holds, decompressed if need be, and a function that
// releases the decompressor.
func decompress(r *bufio.Reader) (*bufio.Reader, func(), error) {
	head, err := r.Peek(4)
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, fmt.Errorf("gzip: %w", err)
		}
		return bufio.NewReaderSize(z, bufferSize), func() {}, nil
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, nil, fmt.Errorf("zstd: %w", err)
		}
		return bufio.NewReaderSize(z, bufferSize), z.Close, nil
	}
	return r, func() {}, nil
}

// tarMagic stands in the header of every tar that a builder writes.
const (
	tarMagic   = "ustar"
	tarMagicAt = 257
	tarBlock   = 512
)

func parse(ctx context.Context, r *bufio.Reader) (*Log, error) {
	head, err := r.Peek(tarBlock)
	if err != nil && !isEnd(err) {
		return nil, err
	}
	if len(head) == tarBlock && bytes.HasPrefix(head[tarMagicAt:], []byte(tarMagic)) {
		return readBundle(r)
	}
	return readText(ctx, r)
}

// isEnd tells whether an error is that of a file that ends, be it where it
// shouldn't.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// contextReader reads until its context is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
