package dockerfile

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseEdited(t *testing.T) {
	tests := []struct {
		name, text string
		want       []row
		broken     string // lines
	}{
		{"nothing wrong", "FROM a\nRUN b\n", []row{{"1", "FROM", "FROM a"}, {"2", "RUN", "RUN b"}}, ""},
		{"half a COPY", "FROM a\nCOPY b\nRUN c\n", []row{{"1", "FROM", "FROM a"}, {"2", "COPY", "COPY b"}, {"3", "RUN", "RUN c"}}, "2"},
		{"an instruction of tomorrow", "FROM a\nPROVIDE x\nRUN c\n", []row{{"1", "FROM", "FROM a"}, {"2", "PROVIDE", "PROVIDE x"}, {"3", "RUN", "RUN c"}}, "2"},
		{"a flag of tomorrow", "FROM a\nRUN --gpu=1 c\n", []row{{"1", "FROM", "FROM a"}, {"2", "RUN", "RUN --gpu=1 c"}}, "2"},
		{"half a heredoc", "FROM a\nRUN b\nRUN <<EOF\nRUN c\n\n", []row{{"1", "FROM", "FROM a"}, {"2", "RUN", "RUN b"}, {"3-4", "RUN", "RUN <<EOF"}}, "3"},
		{"half a FROM", "FROM a\nFROM\nRUN b\n", []row{{"1", "FROM", "FROM a"}, {"2", "FROM", "FROM"}, {"3", "RUN", "RUN b"}}, "2"},
		{"before FROM", "ENV a=b\nFROM a\n", []row{{"1", "ENV", "ENV a=b"}, {"2", "FROM", "FROM a"}}, "1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := ParseEdited("D", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			var got []row
			for _, ins := range f.all() {
				got = append(got, row{ins.Lines.String(), ins.Keyword, ins.Text})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			var lines []string
			for _, e := range f.Broken() {
				lines = append(lines, Range{e.Line, e.Line}.String())
			}
			if got := strings.Join(lines, " "); got != tt.broken {
				t.Errorf("broken on lines %q, want %q", got, tt.broken)
			}
		})
	}
	for _, text := range []string{"", "# a\n", "RUN a\n", "# escape=x\nFROM a\n"} {
		_, err := ParseEdited("D", []byte(text))
		if _, ok := errors.AsType[*Error](err); !ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNewer(t *testing.T) {
	for text, want := range map[string]bool{
		"FROM a\nPROVIDE x\n":   true,
		"FROM a\nRUN --gpu b\n": true,
		"FROM a\nRUM b\n":       false,
		"FROM a\nCOPY b\n":      false,
	} {
		_, err := Parse("D", []byte(text))
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Newer() != want {
			t.Errorf("%q: %v, newer %v", text, err, ok && e.Newer())
		}
	}
}
