package dockerfile

import (
	"fmt"
	"io"
	"os"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Load returns the text of the Dockerfile at a path, for [Parse].
func Load(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the Dockerfile: %w", err)
	}
	defer f.Close()
	return LoadFrom(path, f)
}

// LoadFrom returns the text of a Dockerfile of a name, which has at most
// [MaxSize] bytes.
func LoadFrom(name string, r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading the Dockerfile: %w", err)
	}
	if len(text) > MaxSize {
		return nil, fmt.Errorf("reading the Dockerfile: %s is larger than %d bytes", name, MaxSize)
	}
	return text, nil
}

// Syntax returns the frontend that the "# syntax=" line of a Dockerfile names;
// "" if it has none.
func Syntax(text []byte) string {
	syntax, _, _, _ := parser.DetectSyntax(text)
	return syntax
}
