package gate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The files that are looked for, in this order.
const (
	ConfigName = ".layerscope.yaml"
	DiveName   = ".dive-ci"
)

// maxConfig is the most bytes that a file of limits may have.
const maxConfig = 1 << 20

// ConfigError is what is wrong with a file of limits.
type ConfigError struct {
	File string
	Line int // from 1; 0 if it isn't in a line
	Err  error
	Hint string // what can be done about it; may be ""
}

func (e *ConfigError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s, line %d: %v", e.File, e.Line, e.Err)
}

func (e *ConfigError) Unwrap() error { return e.Err }

// Advice returns the hint.
func (e *ConfigError) Advice() string {
	if e.Hint == "" {
		return "docs/ci.md describes the file"
	}
	return e.Hint
}

// Find returns the name of the file of limits in a directory; "" if there is
// none.
func Find(dir string) (string, error) {
	for _, name := range []string{ConfigName, DiveName} {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); err == nil {
			return path, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("looking for limits: %w", err)
		}
	}
	return "", nil
}

// Read reads a file of limits: dive's if it is named like that, else
// layerscope's. Errors about what is in it are a [*ConfigError].
func Read(path string) (*Limits, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading limits: %w", err)
	}
	parse := Parse
	if isDive(path) {
		parse = ParseDive
	}
	l, err := parse(data)
	if ce := (*ConfigError)(nil); errors.As(err, &ce) {
		ce.File = path
	}
	return l, err
}

// isDive tells whether a file is dive's: .dive-ci, .dive-ci.yaml, dive-ci.yml.
func isDive(path string) bool {
	return strings.HasPrefix(strings.TrimPrefix(filepath.Base(path), "."), DiveName[1:])
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(data) > maxConfig {
		err = fmt.Errorf("%s has more than %d bytes", path, maxConfig)
	}
	return data, err
}

// document reads the one YAML document of a file; nil if there is nothing in
// it.
func document(data []byte) (*yaml.Node, error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, yamlError(err)
	}
	if err := d.Decode(&next); err == nil {
		return nil, &ConfigError{Line: next.Line, Err: errors.New("a second document")}
	} else if !errors.Is(err, io.EOF) {
		return nil, yamlError(err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || isNull(doc.Content[0]) {
		return nil, nil
	}
	return doc.Content[0], nil
}

// yamlError takes the line out of the message of an error. The library doesn't
// tell the first.
func yamlError(err error) error {
	e := &ConfigError{}
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	if n, _ := fmt.Sscanf(msg, "line %d: ", &e.Line); n == 1 {
		_, msg, _ = strings.Cut(msg, ": ")
	}
	e.Err = fmt.Errorf("this isn't YAML: %s", msg)
	return e
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// Parse reads a .layerscope.yaml, which docs/ci.md describes.
func Parse(data []byte) (*Limits, error) {
	l := &Limits{}
	root, err := document(data)
	if err != nil || root == nil {
		return l, err
	}
	p := parser{l}
	return l, p.mapping(root, "", topKeys, map[string]func(*yaml.Node) error{
		"own":    p.own,
		"ignore": func(n *yaml.Node) error { return p.globs(n, "ignore", &l.Ignore) },
		"rules":  p.rules,
	})
}

// topKeys are the keys of the file, and levelKeys those of a rule.
var (
	topKeys   = []string{"own", "ignore", "rules"}
	levelKeys = []string{"warn", "fail"}
)

// ruleKeys are the names of the rules.
func ruleKeys() []string {
	var keys []string
	for _, r := range Rules() {
		keys = append(keys, r.String())
	}
	return keys
}

type parser struct{ l *Limits }

// mapping gives the value of each key of a mapping to its reader. Under is what
// the mapping is of, "" for the whole file.
func (p parser) mapping(n *yaml.Node, under string, known []string, read map[string]func(*yaml.Node) error) error {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		return wrong(n, under, "keys and values are wanted")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		f := read[key.Value]
		switch {
		case f == nil:
			return unknownKey(key, under, known)
		case seen[key.Value]:
			return &ConfigError{Line: key.Line, Err: fmt.Errorf("%q is there twice", key.Value)}
		}
		seen[key.Value] = true
		if err := f(value); err != nil {
			return err
		}
	}
	return nil
}

// resolve follows an alias. Its target is no alias.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// wrong is an error about a value, which names its key.
func wrong(n *yaml.Node, key, what string) error {
	if key != "" {
		what = key + ": " + what
	}
	return &ConfigError{Line: n.Line, Err: errors.New(what)}
}

func (p parser) own(n *yaml.Node) error {
	n = resolve(n)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		return wrong(n, "own", "true or false is wanted")
	}
	return n.Decode(&p.l.Own)
}

func (p parser) rules(n *yaml.Node) error {
	if isNull(resolve(n)) {
		return nil
	}
	read := map[string]func(*yaml.Node) error{}
	for _, r := range Rules() {
		read[r.String()] = func(n *yaml.Node) error { return p.rule(n, r) }
	}
	return p.mapping(n, "rules", ruleKeys(), read)
}

// rule reads a rule: a limit to fail at, or both limits by their names.
func (p parser) rule(n *yaml.Node, r Rule) error {
	if resolve(n).Kind != yaml.MappingNode {
		return p.level(n, r, Fail, r.String())
	}
	return p.mapping(n, r.String(), levelKeys, map[string]func(*yaml.Node) error{
		"warn": func(n *yaml.Node) error { return p.level(n, r, Warn, r.String()+": warn") },
		"fail": func(n *yaml.Node) error { return p.level(n, r, Fail, r.String()+": fail") },
	})
}

// level reads the limit of one level.
func (p parser) level(n *yaml.Node, r Rule, level Level, key string) error {
	if r == Forbid {
		return p.globs(n, key, p.l.Forbidden(level))
	}
	n = resolve(n)
	if n.Kind != yaml.ScalarNode || isNull(n) {
		return wrong(n, key, "a limit is wanted, or "+OffWord)
	}
	limit, err := ParseLimit(r, n.Value)
	if err != nil {
		return wrong(n, key, err.Error())
	}
	p.l.Set(r, level, limit)
	return nil
}

// globs reads a glob or a list of globs.
func (p parser) globs(n *yaml.Node, key string, into *Globs) error {
	n = resolve(n)
	items := n.Content
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		items = []*yaml.Node{n}
	} else if n.Kind != yaml.SequenceNode {
		return wrong(n, key, "a glob or a list of globs is wanted")
	}
	for _, item := range items {
		item = resolve(item)
		if item.Kind != yaml.ScalarNode || isNull(item) {
			return wrong(item, key, "a glob is wanted")
		}
		g, err := ParseGlob(item.Value)
		if err != nil {
			return wrong(item, key, err.Error())
		}
		*into = append(*into, g)
	}
	return nil
}

// Set sets one limit of a rule: that of Warn or Fail.
func (l *Limits) Set(r Rule, level Level, n *Number) {
	if level == Warn {
		l.Rules[r].Warn = n
	} else {
		l.Rules[r].Fail = n
	}
}

// Forbidden returns the globs of Warn or of Fail, to be set.
func (l *Limits) Forbidden(level Level) *Globs {
	if level == Warn {
		return &l.ForbidWarn
	}
	return &l.ForbidFail
}
