package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"go.yaml.in/yaml/v3"
)

// unknownKey is an error about a key that a mapping can't have; it names the
// nearest that it can.
func unknownKey(key *yaml.Node, under string, known []string) error {
	e := &ConfigError{Line: key.Line, Hint: "the keys are " + strings.Join(known, ", ")}
	where := ""
	if under != "" {
		where = " in " + under
	}
	name := key.Value
	switch {
	case key.Kind != yaml.ScalarNode:
		e.Err = fmt.Errorf("a key%s is no word", where)
	case under == "" && slices.Contains(ruleKeys(), name):
		e.Err = fmt.Errorf("unknown key %q%s: it belongs in rules", name, where)
	case isDiveKey(name):
		e.Err = fmt.Errorf("unknown key %q%s: it is dive's, for a %s", name, where, DiveName)
	default:
		e.Err = fmt.Errorf("unknown key %q%s; the nearest there is: %q", name, where, nearest(name, known))
	}
	return e
}

// maxKey is how much of a key is compared with others.
const maxKey = 64

// nearest returns the word that differs least.
func nearest(word string, known []string) string {
	word = strings.ToLower(strings.ReplaceAll(word[:min(len(word), maxKey)], "_", "-"))
	return slices.MinFunc(known, func(a, b string) int {
		return levenshtein.Distance(word, a, nil) - levenshtein.Distance(word, b, nil)
	})
}
