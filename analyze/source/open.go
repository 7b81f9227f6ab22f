package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/distribution/reference"
)

// Open finds the image a reference names (see [ParseRef]) and opens it. The
// caller closes it.
func Open(ctx context.Context, ref string, opts Options) (Image, error) {
	r, err := ParseRef(ref)
	if err != nil {
		return nil, err
	}
	img, err := openRef(ctx, r, opts)
	if err != nil {
		return nil, err
	}
	return &openedImage{img, ref}, nil
}

func openRef(ctx context.Context, r Ref, opts Options) (Image, error) {
	switch r.Transport {
	case Daemon:
		return openDaemon(ctx, r.Name, opts)
	case Registry:
		return openRegistry(ctx, r.Name, opts)
	case DockerArchive, OCIArchive:
		return openArchive(ctx, r.Transport, r.Path, opts)
	case Layout:
		if r.Tag != "" && opts.Tag != "" && r.Tag != opts.Tag {
			return nil, fmt.Errorf("two tags are asked for, %q and %q", r.Tag, opts.Tag)
		}
		opts.Tag = cmp.Or(r.Tag, opts.Tag)
		return openLayout(ctx, r.Path, opts)
	case Stdin:
		if opts.Stdin == nil {
			return nil, errors.New("there is no standard input to read an image from")
		}
		img, err := openStream(ctx, opts.Stdin, opts)
		return &stdinImage{img}, err
	}
	return openBare(ctx, r.Name, opts)
}

// stdinImage says of errors that they are about standard input.
type stdinImage struct{ Image }

func (s *stdinImage) Read(ctx context.Context, req Request) (*Description, error) {
	d, err := s.Image.Read(ctx, req)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("reading standard input: %w", err)
	}
	return d, err
}

// openedImage is an image with the reference it was opened by.
type openedImage struct {
	Image
	reference string
}

func (o *openedImage) Description() *Description { return o.describe(o.Image.Description()) }

func (o *openedImage) Read(ctx context.Context, req Request) (*Description, error) {
	d, err := o.Image.Read(ctx, req)
	return o.describe(d), err
}

func (o *openedImage) describe(d *Description) *Description {
	if d == nil {
		return nil
	}
	c := *d
	c.Reference = o.reference
	return &c
}

// openBare opens what has no transport: a path if there is one, else an image
// the daemon has, else one in a registry. It is no error that no daemon
// answers, unless the user named one.
func openBare(ctx context.Context, name string, opts Options) (Image, error) {
	if img, err := openPath(ctx, name, opts); img != nil || err != nil {
		return img, err
	}
	if _, err := reference.ParseAnyReference(name); err != nil {
		return nil, fmt.Errorf("%q is neither a file nor the name of an image", name)
	}
	img, derr := openDaemon(ctx, name, opts)
	if derr == nil || ctx.Err() != nil || !mayBeElsewhere(derr, opts) {
		return img, derr
	}
	img, rerr := openRegistry(ctx, name, opts)
	if rerr != nil && ctx.Err() == nil {
		return nil, neither(derr, rerr)
	}
	return img, rerr
}

// mayBeElsewhere says whether an image the daemon doesn't give is looked for in
// the registry.
func mayBeElsewhere(err error, opts Options) bool {
	switch {
	case opts.Pull: // the daemon has looked there
		return false
	case errors.Is(err, errNotInDaemon):
		return true
	}
	return opts.Host == "" && opts.Context == ""
}

// openPath opens a bare name that is a path. It returns neither an image nor
// an error if it isn't one.
func openPath(ctx context.Context, path string, opts Options) (Image, error) {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && looksLikePath(path):
		return nil, fmt.Errorf("no such file: %q", path)
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, archiveError("opening", path, err)
	case !st.IsDir():
		return openArchive(ctx, Bare, path, opts)
	case isPlainName(path) && checkLayout(path) != nil:
		return nil, nil
	}
	return openLayout(ctx, path, opts)
}

// isPlainName says whether a bare name that is also a directory's may well
// mean an image: in a checkout with a folder "nginx", nginx is still nginx.
func isPlainName(name string) bool {
	return !looksLikePath(name) && !strings.HasSuffix(name, "/")
}

// neither is the error for a bare name that neither the daemon nor the
// registry gives an image for.
func neither(derr, rerr error) error {
	if errors.Is(derr, errNotInDaemon) {
		return rerr
	}
	err := fmt.Errorf("%w (and %v)", rerr, derr)
	hint := "start the daemon, or use registry:// or an archive"
	var h *HintError
	if errors.As(rerr, &h) {
		hint += "; or " + h.Hint
	}
	return &HintError{err, hint}
}
