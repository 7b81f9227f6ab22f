// Package cases holds the Dockerfiles that builders and predictions are
// compared on, each with its contexts. The common call is [All].
//
// A case is a txtar archive in testdata. Its comment has lines "key: value":
//
//	about: what it is there for
//	builders: buildkit classic buildah   (those that can build it)
//	target: NAME
//	platform: linux/arm64
//	arg: K=V                             (--build-arg; as often as wanted)
//	context: NAME=docker-image://REF     (--build-context, or a folder of the archive)
//	secret: ID=VALUE
//	ssh: ID
//	inside: yes                          (the Dockerfile is in the context)
//	mode: PATH=0600
//	link: PATH=TARGET                    (a symbolic link)
//	dir: PATH                            (an empty folder)
//	tar: PATH=FOLDER                     (an archive of a folder; .gz compresses it)
//
// Its files are the Dockerfile, what is below context/, the folders that its
// keys name, and what is to stand beside the Dockerfile.
package cases

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/layerscope/layerscope/analyze/synth/demo"
)

// Case is a Dockerfile and what it is built with.
type Case struct {
	Name, About string
	Builders    []string // "buildkit", "classic", "buildah"
	Dockerfile  []byte
	Inside      bool // the Dockerfile is in the context

	Target   string
	Platform string
	Args     map[string]string // --build-arg
	// Contexts are named contexts: "docker-image://REF", or a folder of Files.
	Contexts map[string]string
	Secrets  map[string]string // their values by id
	SSH      []string          // ids

	// Files are those of the contexts, by path: "context/main.go". The
	// Dockerfile isn't among them.
	Files []File
}

// File is a file, a folder or a symbolic link, by its mode.
type File struct {
	Path string // slash-separated
	Mode fs.FileMode
	Body []byte
	Link string // where a symbolic link points to
}

// For tells whether a builder can build the case.
func (c *Case) For(builder string) bool { return slices.Contains(c.Builders, builder) }

//go:embed testdata/*.txtar
var archives embed.FS

// All returns the cases, by name. The last is layerscope's demo.
func All() ([]*Case, error) {
	names, err := fs.Glob(archives, "testdata/*.txtar")
	if err != nil {
		return nil, err
	}
	var all []*Case
	for _, name := range names {
		text, err := archives.ReadFile(name)
		if err != nil {
			return nil, err
		}
		c, err := Parse(strings.TrimSuffix(path.Base(name), ".txtar"), text)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	c, err := demoCase()
	return append(all, c), err
}

// demoCase is the image that layerscope demo shows.
func demoCase() (*Case, error) {
	c := &Case{Name: "zz-demo", About: "the Dockerfile of layerscope demo", Builders: []string{"buildkit", "classic", "buildah"},
		Dockerfile: []byte(demo.Dockerfile), Inside: true}
	err := fs.WalkDir(demo.Context(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || name == "Dockerfile" {
			return err
		}
		body, err := fs.ReadFile(demo.Context(), name)
		c.add(File{Path: "context/" + name, Mode: 0o644, Body: body})
		return err
	})
	return c, err
}

func (c *Case) add(f File) { c.Files = append(c.Files, f) }

// Parse reads a case.
func Parse(name string, text []byte) (*Case, error) {
	c := &Case{Name: name, Args: map[string]string{}, Contexts: map[string]string{}, Secrets: map[string]string{}}
	a := txtar.Parse(text)
	for _, f := range a.Files {
		switch {
		case !fs.ValidPath(f.Name):
			return nil, fmt.Errorf("case %s: %q is no name of a file", name, f.Name)
		case f.Name == "Dockerfile":
			c.Dockerfile = f.Data
		case strings.HasSuffix(f.Name, ".sh"):
			c.add(File{Path: f.Name, Mode: 0o755, Body: f.Data})
		default:
			c.add(File{Path: f.Name, Mode: 0o644, Body: f.Data})
		}
	}
	for line := range strings.Lines(string(a.Comment)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, ": ")
		if !ok {
			return nil, fmt.Errorf("case %s: %q isn't \"key: value\"", name, line)
		}
		if err := c.set(key, strings.TrimSpace(value)); err != nil {
			return nil, fmt.Errorf("case %s: %s: %w", name, key, err)
		}
	}
	if c.Dockerfile == nil || len(c.Builders) == 0 {
		return nil, fmt.Errorf("case %s: there is no Dockerfile, or no builder of it", name)
	}
	return c, nil
}

func (c *Case) set(key, value string) error {
	k, v, pair := strings.Cut(value, "=")
	if !pair && slices.Contains([]string{"arg", "context", "secret", "mode", "link", "tar"}, key) {
		return fmt.Errorf("there is no = in %q", value)
	}
	switch key {
	case "about":
		c.About = value
	case "builders":
		c.Builders = strings.Fields(value)
	case "target":
		c.Target = value
	case "platform":
		c.Platform = value
	case "inside":
		c.Inside = true
	case "ssh":
		c.SSH = append(c.SSH, value)
	case "arg":
		c.Args[k] = v
	case "context":
		c.Contexts[k] = v
	case "secret":
		c.Secrets[k] = v
	case "mode":
		return c.chmod(k, v)
	case "link":
		c.add(File{Path: k, Mode: fs.ModeSymlink | 0o777, Link: v})
	case "dir":
		c.add(File{Path: value, Mode: fs.ModeDir | 0o755})
	case "tar":
		body, err := c.tar(v, strings.HasSuffix(k, ".gz"))
		c.add(File{Path: k, Mode: 0o644, Body: body})
		return err
	default:
		return fmt.Errorf("there is no such key")
	}
	return nil
}

func (c *Case) chmod(name, mode string) error {
	m, err := strconv.ParseUint(mode, 8, 9)
	if err != nil {
		return err
	}
	for i, f := range c.Files {
		if f.Path == name {
			c.Files[i].Mode = fs.FileMode(m)
			return nil
		}
	}
	return fmt.Errorf("there is no %s", name)
}
