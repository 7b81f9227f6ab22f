package source

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/distribution/reference"
)

// Transport is the way to an image.
type Transport string

// The transports. Their strings are the references' prefixes without the
// punctuation.
const (
	Bare          Transport = ""               // a path, or else a name in the daemon, or else one in a registry
	Daemon        Transport = "docker"         // docker://NAME
	Registry      Transport = "registry"       // registry://NAME
	DockerArchive Transport = "docker-archive" // docker-archive:PATH
	OCIArchive    Transport = "oci-archive"    // oci-archive:PATH
	Layout        Transport = "oci"            // oci:DIR[:tag]
	Stdin         Transport = "-"              // an archive on stdin
)

// Ref is a parsed reference.
type Ref struct {
	Transport Transport
	Name      string // image name, of Daemon and Registry; of Bare a name or a path
	Path      string // of DockerArchive, OCIArchive and Layout
	Tag       string // of Layout; "" if none is given
}

// ParseRef parses a reference, `[transport:]name`. It looks at the string
// alone: whether a Bare name is a path is for [Open] to see.
func ParseRef(s string) (Ref, error) {
	if s == "" {
		return Ref{}, errors.New("empty image reference")
	}
	if s == string(Stdin) {
		return Ref{Transport: Stdin}, nil
	}
	if scheme, name, ok := strings.Cut(s, "://"); ok {
		return parseNamed(s, Transport(scheme), name)
	}
	prefix, rest, ok := strings.Cut(s, ":")
	switch t := Transport(prefix); {
	case ok && t == Layout:
		return parseLayout(rest)
	case ok && (t == DockerArchive || t == OCIArchive):
		return parsePath(t, rest)
	}
	return Ref{Transport: Bare, Name: s}, nil
}

// parseNamed parses what has a transport with "://".
func parseNamed(s string, t Transport, name string) (Ref, error) {
	var err error
	switch {
	case name == "" && (t == Daemon || t == Registry):
		return Ref{}, fmt.Errorf("%s:// names no image", t)
	case t == Daemon:
		_, err = reference.ParseAnyReference(name)
	case t == Registry:
		_, err = reference.ParseNormalizedNamed(name)
	default:
		return Ref{}, &HintError{
			Err:  fmt.Errorf("unknown transport in %q", s),
			Hint: "the transports are docker://, registry://, docker-archive:, oci-archive: and oci:",
		}
	}
	if err != nil {
		return Ref{}, fmt.Errorf("parsing image name %q: %w", name, err)
	}
	return Ref{Transport: t, Name: name}, nil
}

func parsePath(t Transport, path string) (Ref, error) {
	if path == "" {
		return Ref{}, fmt.Errorf("%s: names no file", t)
	}
	return Ref{Transport: t, Path: path}, nil
}

// parseLayout parses DIR[:tag]. The first colon ends the directory, as skopeo
// has it, for a tag may be a whole image name with colons and slashes of its
// own. A Windows drive's colon isn't it.
func parseLayout(s string) (Ref, error) {
	volume := filepath.VolumeName(s)
	dir, tag, ok := strings.Cut(s[len(volume):], ":")
	dir = volume + dir
	if dir == "" {
		return Ref{}, fmt.Errorf("%s: names no directory", Layout)
	}
	if ok && tag == "" {
		return Ref{}, fmt.Errorf("%s:%s: names no tag after the colon", Layout, s)
	}
	return Ref{Transport: Layout, Path: dir, Tag: tag}, nil
}

// String returns the reference as ParseRef takes it.
func (r Ref) String() string {
	switch r.Transport {
	case Stdin:
		return string(Stdin)
	case Daemon, Registry:
		return string(r.Transport) + "://" + r.Name
	case DockerArchive, OCIArchive:
		return string(r.Transport) + ":" + r.Path
	case Layout:
		s := string(r.Transport) + ":" + r.Path
		if r.Tag != "" {
			s += ":" + r.Tag
		}
		return s
	}
	return r.Name
}

// archiveSuffixes end the names of files that hold images.
var archiveSuffixes = []string{".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.zstd", ".tzst"}

// looksLikePath says whether a bare name that isn't there is a file's that is
// missed, and no image's.
func looksLikePath(name string) bool {
	for _, p := range []string{"/", "./", "../", `.\`, `..\`, "~"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	if name == "." || name == ".." || filepath.VolumeName(name) != "" {
		return true
	}
	for _, s := range archiveSuffixes {
		if strings.HasSuffix(name, s) {
			return true
		}
	}
	return false
}

// fullName returns an image name as its owner would spell it out
// ("docker.io/library/alpine:latest"), and its tag; both "" if it is no name
// but an ID.
func fullName(name string) (full, tag string) {
	r, err := reference.ParseAnyReference(name)
	n, ok := r.(reference.Named)
	if err != nil || !ok {
		return "", ""
	}
	n = reference.TagNameOnly(n)
	if t, ok := n.(reference.Tagged); ok {
		tag = t.Tag()
	}
	return n.String(), tag
}

// repositoryName returns the full name of the repository an image name is of
// ("docker.io/library/alpine"), "" if it is no name but an ID.
func repositoryName(name string) string {
	r, err := reference.ParseAnyReference(name)
	if n, ok := r.(reference.Named); ok && err == nil {
		return n.Name()
	}
	return ""
}
