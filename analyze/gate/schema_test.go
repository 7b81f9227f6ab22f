package gate

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// compiled returns the schema that docs has of the file.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "layerscope.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("schema.json")
}

// TestSchema holds the schema to the parser: what one takes the other does.
func TestSchema(t *testing.T) {
	schema := compiled(t)
	texts := []string{
		"", "own: true", "own: 5", "ignore: x", "ignore: [x, y]", "ignore: [[x]]", "ignore: ''", "rules:", "rules: 5", "sise: 5", "rules: {sise: 5}",
		"rules: {forbid: {warn: x, fail: [y, z]}}", "rules: {forbid: {warn: 5, off: 1}}", "rules: {forbid: {}}",
	}
	values := []string{
		"0", "5", "0.5", "100", "101", "-1", "5%", "50.5%", "off", "on", "5MB", "5 GiB", "1.5kb", "MB", "5 potatoes", "[5]", "null",
		"{warn: 1}", "{warn: 1, fail: off}", "{warn: x}", "{other: 1}", "{}",
	}
	for _, r := range Rules() {
		if r == Forbid {
			continue
		}
		for _, v := range values {
			texts = append(texts, "rules: {"+r.String()+": "+v+"}")
		}
	}
	for _, text := range texts {
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		_, parsed := Parse([]byte(text))
		valid := schema.Validate(value)
		if (parsed == nil) != (valid == nil) {
			t.Errorf("%s: the parser says %v, the schema %v", text, parsed, valid)
		}
	}
}

// TestDocs holds the page to the rules, and to its own example.
func TestDocs(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for r := range Rule(numRules) {
		if !strings.Contains(page, "\n| `"+r.String()+"` | ") {
			t.Errorf("the page has no row for %v", r)
		}
	}
	_, rest, _ := strings.Cut(page, "```yaml\nown:")
	example, _, ok := strings.Cut(rest, "```")
	l, err := Parse([]byte("own:" + example))
	if !ok || err != nil {
		t.Fatalf("the example: %v", err)
	}
	for _, r := range Rules() {
		if r != Forbid && l.Rules[r] == (Limit{}) {
			t.Errorf("the example has no %v", r)
		}
	}
	var value any
	if err := yaml.Unmarshal([]byte("own:"+example), &value); err != nil {
		t.Fatal(err)
	}
	if err := compiled(t).Validate(value); err != nil {
		t.Errorf("the example: %v", err)
	}
	if got := l.ForbidFail; !slices.ContainsFunc(got, func(g Glob) bool { return g.Text == ".git" }) {
		t.Errorf("the example forbids %v", got)
	}
}
