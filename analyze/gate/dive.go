package gate

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"go.yaml.in/yaml/v3"
)

// diveRule is how dive reads one of its rules, and what it takes where the
// file has none.
type diveRule struct {
	rule     Rule
	standard string
	parse    func(string) (Number, error)
}

var diveRules = []diveRule{
	{DiveEfficiency, "0.9", parseDiveShare},
	{DiveWasted, "disabled", parseDiveSize},
	{DiveUserWasted, "0.1", parseDiveShare},
}

func isDiveKey(name string) bool {
	for _, r := range diveRules {
		if r.rule.String() == name {
			return true
		}
	}
	return false
}

// ParseDive reads a .dive-ci as dive does (cmd/dive/cli/internal: options/ci.go,
// command/ci/rules.go): a rule left out has its standard value, not all of them
// off; a key it doesn't know is nothing to it.
func ParseDive(data []byte) (*Limits, error) {
	root, err := document(data)
	if err != nil {
		return nil, err
	}
	values := map[string]yaml.Node{}
	if root != nil {
		var file struct {
			Rules map[string]yaml.Node `yaml:"rules"`
		}
		if err := root.Decode(&file); err != nil {
			return nil, wrong(root, "rules", "keys and values are wanted")
		}
		values = file.Rules
	}
	l := &Limits{Dive: true}
	for _, r := range diveRules {
		if l.Rules[r.rule].Fail, err = r.read(values); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// read reads a rule's limit; nil if it is disabled.
func (r diveRule) read(values map[string]yaml.Node) (*Number, error) {
	text, key := r.standard, r.rule.String()
	node, ok := values[key]
	if ok {
		if err := node.Decode(&text); err != nil {
			return nil, wrong(&node, key, "a number is wanted, or disabled")
		}
	}
	switch strings.TrimSpace(strings.ToLower(text)) {
	case "", "disabled", "off", "false":
		return nil, nil
	}
	n, err := r.parse(text)
	if err != nil {
		return nil, wrong(&node, key, err.Error())
	}
	return &n, nil
}

func parseDiveShare(s string) (Number, error) {
	p, err := strconv.ParseFloat(s, 64)
	if err != nil || p < 0 || p > 1 {
		return Number{}, fmt.Errorf("%q isn't a share from 0 to 1, or disabled", s)
	}
	return Number{Unit: Share, Part: p}, nil
}

func parseDiveSize(s string) (Number, error) {
	n, err := humanize.ParseBytes(s)
	if err != nil {
		return Number{}, fmt.Errorf("%q isn't a size such as 20MB, or disabled", s)
	}
	return Number{Unit: Bytes, Whole: int64(min(n, math.MaxInt64))}, nil
}
