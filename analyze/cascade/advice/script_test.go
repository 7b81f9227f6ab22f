package advice

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseScript(t *testing.T) {
	for _, tt := range []struct {
		text   string
		want   [][]string
		opaque bool
	}{
		{"npm ci", [][]string{{"npm", "ci"}}, false},
		{"a && b ; c\nd", [][]string{{"a"}, {"b"}, {"c"}, {"d"}}, false},
		{`a "b c" 'd'e\ f`, [][]string{{"a", "b c", "de f"}}, false},
		{"a \\\n  b # c\nd#e", [][]string{{"a", "b"}, {"d#e"}}, false},
		{"X=1 sudo env Y=2 /usr/bin/apt-get update", [][]string{{"apt-get", "update"}}, false},
		{"a || b", [][]string{{"a", "b"}}, true},
		{"a | b", [][]string{{"a", "b"}}, true},
		{"a &", [][]string{{"a"}}, true},
		{"a $(b)", [][]string{{"a", "$", "b"}}, true},
		{`a "$(b)"`, [][]string{{"a", "$(b)"}}, true},
		{"if a; then b; fi", [][]string{{"if", "a"}, {"then", "b"}, {"fi"}}, true},
		{"a 'b", [][]string{{"a"}}, true},
		{"", nil, false},
		{`\`, nil, false},
		{"# a", nil, false},
	} {
		s := parseScript(tt.text)
		if len(s.commands) == 0 {
			s.commands = nil
		}
		if diff := cmp.Diff(tt.want, s.commands); diff != "" || s.opaque != tt.opaque {
			t.Errorf("%q: opaque %v (-want +got):\n%s", tt.text, s.opaque, diff)
		}
	}
}

// FuzzParseScript checks that no text makes the parser fail, and that what it
// tells is of the text.
func FuzzParseScript(f *testing.F) {
	for _, text := range []string{"npm ci && x", `a "b`, "\\", "a;b&c|d", "X=1", "# \n", "cd a && npm ci"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := parseScript(text)
		n := 0
		for _, words := range s.commands {
			if len(words) == 0 {
				t.Error("a command of no words")
			}
			for _, w := range words {
				n += len(w)
			}
		}
		if n > len(text) {
			t.Errorf("%d bytes of words in %d of text", n, len(text))
		}
		s.effects()
	})
}
