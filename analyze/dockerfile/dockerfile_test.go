package dockerfile

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/synth/fixture"
)

// all returns a file's instructions in the order of their lines.
func (f *File) all() []*Instruction {
	all := append([]*Instruction(nil), f.Args...)
	for _, s := range f.Stages {
		all = append(append(all, s.From), s.Instructions...)
	}
	return all
}

// row is what is expected of an instruction.
type row struct {
	Lines, Keyword, Text string
}

func TestParse(t *testing.T) {
	tests := []struct {
		name, text string
		want       []row
	}{
		{"lines", "FROM a\n\n# comment\nRUN b\n", []row{{"1", "FROM", "FROM a"}, {"4", "RUN", "RUN b"}}},
		{"no newline at the end", "FROM a\nRUN b", []row{{"1", "FROM", "FROM a"}, {"2", "RUN", "RUN b"}}},
		{"CR LF", "FROM a\r\nRUN b \\\r\n  c\r\nUSER d\r\n", []row{
			{"1", "FROM", "FROM a"}, {"2-3", "RUN", "RUN b   c"}, {"4", "USER", "USER d"}}},
		{"a byte order mark", "\ufeffFROM a\n", []row{{"1", "FROM", "FROM a"}}},
		{"continuation with a comment and an empty line", "FROM a\nRUN b && \\\n# why\n\n  c\nCMD d\n", []row{
			{"1", "FROM", "FROM a"}, {"2-5", "RUN", "RUN b &&   c"}, {"6", "CMD", "CMD d"}}},
		{"another escape", "# escape=`\nFROM a\nRUN b `\n c \\\n", []row{
			{"2", "FROM", "FROM a"}, {"3-4", "RUN", `RUN b  c \`}}},
		{"indented, in lower case", "FROM a\n  run b\n", []row{{"1", "FROM", "FROM a"}, {"2", "RUN", "run b"}}},
		{"heredocs", "FROM a\nRUN <<A cat && \\\n  <<-B cat\nFROM b\nA\n\tRUN c\n\tB\nCOPY <<'C' /x\n# d\n\nC\nUSER e\n", []row{
			{"1", "FROM", "FROM a"}, {"2-7", "RUN", "RUN <<A cat &&   <<-B cat"},
			{"8-11", "COPY", "COPY <<'C' /x"}, {"12", "USER", "USER e"}}},
		{"global ARG", "ARG V=1\nFROM a:$V\nARG V\n", []row{
			{"1", "ARG", "ARG V=1"}, {"2", "FROM", "FROM a:$V"}, {"3", "ARG", "ARG V"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse("Dockerfile", []byte(tt.text))
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
			checkRanges(t, []byte(tt.text), f)
		})
	}
}

func TestInstruction(t *testing.T) {
	f, err := Parse("Dockerfile", []byte("FROM a\nRUN --mount=type=cache,target=/x --network=none <<EOF\nhello\nEOF\nONBUILD COPY . \\\n  /src\n"))
	if err != nil {
		t.Fatal(err)
	}
	run, onbuild := f.Stages[0].Instructions[0], f.Stages[0].Instructions[1]
	if diff := cmp.Diff([]string{"--mount=type=cache,target=/x", "--network=none"}, run.Flags); diff != "" {
		t.Error(diff)
	}
	if len(run.Heredocs) != 1 || run.Heredocs[0].Name != "EOF" || run.Heredocs[0].Content != "hello\n" {
		t.Errorf("heredocs %+v", run.Heredocs)
	}
	if run.Trigger != nil || onbuild.Trigger == nil || onbuild.Trigger.Keyword != "COPY" || onbuild.Trigger.Lines != (Range{5, 6}) {
		t.Errorf("triggers %+v and %+v", run.Trigger, onbuild.Trigger)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing", "", "D:1: file with no instructions"},
		{"comments alone", "# a\n# b\n", "D:2: file with no instructions"},
		{"an unknown instruction", "FROM a\n\nRUM \\\n b\n", "D:3: unknown instruction: RUM (did you mean RUN?)"},
		{"no FROM", "ARG A\n\n", "D:1: there is no FROM"},
		{"before FROM", "# a\nARG A\nRUN b\nFROM c\n", "D:3: RUN before the first FROM"},
		{"a heredoc without an end", "FROM a\nRUN <<EOF\nb\n", "D:2: unterminated heredoc"},
		{"an escape on the first line", "# escape=x\nFROM a\n", "D:1: invalid escape token 'x' does not match ` or \\"},
		{"an escape on the second line", "# syntax=b\n# escape=x\nFROM a\n", "D:2: invalid escape token 'x' does not match ` or \\"},
		{"operands", "FROM a\nCOPY \\\n b\n", "D:2: COPY requires at least two arguments, but only one was provided. Destination could not be determined"},
		{"ENV", "FROM a\nRUN b\nENV C\n", "D:3: ENV must have two arguments"},
		{"a line that is too long", "FROM a\nRUN " + strings.Repeat("x", 70_000) + "\n", "D:2: dockerfile line greater than max allowed size of 65535"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("D", []byte(tt.text))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Errorf("%T is no *Error", err)
			}
		})
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, []byte("FROM a\n"+strings.Repeat("# b\n", MaxSize/4)), 0o666); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none"): "no such file",
		dir:                        "is a directory",
		large:                      "is larger than 4194304 bytes",
	} {
		_, err := Read(path)
		if err == nil || !strings.HasPrefix(err.Error(), "reading the Dockerfile: ") || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("reading %s: %v", path, err)
		}
	}
}

func TestStages(t *testing.T) {
	f, err := Parse("D", []byte(`ARG FLAVOUR=slim
ARG PARENT=${FLAVOUR}-base
FROM debian:12 AS slim-base
FROM --platform=$BUILDPLATFORM golang AS Build
FROM ${PARENT}
FROM slim-base AS app
FROM app
FROM $UNKNOWN
FROM build
`))
	if err != nil {
		t.Fatal(err)
	}
	var parents []int
	for i, s := range f.Stages {
		if s.Index != i {
			t.Errorf("stage %d has index %d", i, s.Index)
		}
		parents = append(parents, s.Parent)
	}
	if diff := cmp.Diff([]int{-1, -1, 0, 0, 3, -1, 1}, parents); diff != "" {
		t.Errorf("parents, -want +got\n%s", diff)
	}
	for target, want := range map[string]int{"": 6, "app": 3, "APP": 3, "build": 1, "4": 4, "0": 0} {
		s, err := f.Target(target)
		if err != nil || s.Index != want {
			t.Errorf("target %q is %+v, %v", target, s, err)
		}
	}
	var chain []int
	for _, s := range f.Chain(f.Stages[4]) {
		chain = append(chain, s.Index)
	}
	if diff := cmp.Diff([]int{0, 3, 4}, chain); diff != "" {
		t.Errorf("chain, -want +got\n%s", diff)
	}
	for _, target := range []string{"7", "-1", "nope", " "} {
		_, err := f.Target(target)
		se, ok := errors.AsType[*StageError](err)
		if !ok || se.Advice() != "its stages are slim-base, build, app" {
			t.Errorf("target %q: %v", target, err)
		}
	}
}

// blank tells whether a line holds nothing of an instruction.
func blank(line string) bool {
	line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
	return line == "" || strings.HasPrefix(line, "#")
}

// checkRanges checks that instructions follow each other, begin with their
// keyword, and that no line outside of them has text.
func checkRanges(t *testing.T, text []byte, f *File) {
	t.Helper()
	lines := strings.Split(string(text), "\n")
	last := 0
	for _, ins := range f.all() {
		r := ins.Lines
		if r.Start <= last || r.End < r.Start || r.End > len(lines) {
			t.Fatalf("%s on lines %v after line %d of %d", ins.Keyword, r, last, len(lines))
		}
		for i := last + 1; i < r.Start; i++ {
			if !blank(lines[i-1]) {
				t.Errorf("line %d is no instruction's: %q", i, lines[i-1])
			}
		}
		first := strings.TrimSpace(strings.TrimPrefix(lines[r.Start-1], "\ufeff"))
		if len(first) < len(ins.Keyword) || strings.ToUpper(first[:len(ins.Keyword)]) != ins.Keyword {
			// A keyword may itself be continued: "\" and then "RUN".
			if !strings.HasSuffix(first, string(f.Escape)) {
				t.Errorf("%s doesn't begin line %d: %q", ins.Keyword, r.Start, first)
			}
		}
		last = r.End
	}
	for i := last + 1; i <= len(lines); i++ {
		if !blank(lines[i-1]) {
			t.Errorf("line %d is no instruction's: %q", i, lines[i-1])
		}
	}
}

var errLine = regexp.MustCompile(`parse error on line (\d+): `)

// TestRealDockerfiles reads other projects' Dockerfiles: as many stages and
// instructions as BuildKit counted, on lines that cover the file, or an error
// on the line that BuildKit names.
func TestRealDockerfiles(t *testing.T) {
	files, read, located := fixture.Dockerfiles(t), 0, 0
	for _, d := range files {
		t.Run(d.Name, func(t *testing.T) {
			text, err := os.ReadFile(d.Path)
			if err != nil {
				t.Fatal(err)
			}
			f, err := Read(d.Path)
			if !d.OK {
				e, ok := errors.AsType[*Error](err)
				if !ok || e.Line < 1 || e.Line > strings.Count(string(text), "\n")+1 {
					t.Fatalf("BuildKit says %s; got %v", d.Err, err)
				}
				if m := errLine.FindStringSubmatch(d.Err); m != nil {
					located++
					if m[1] != strconv.Itoa(e.Line) {
						t.Errorf("BuildKit says %s; got %v", d.Err, err)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			read++
			count := 0
			for _, s := range f.Stages {
				count += len(s.Instructions)
			}
			if len(f.Stages) != d.Stages || count != d.Count {
				t.Errorf("%d stages and %d instructions, BuildKit counts %d and %d", len(f.Stages), count, d.Stages, d.Count)
			}
			checkRanges(t, text, f)
		})
	}
	t.Logf("%d Dockerfiles: %d read, %d refused on the line BuildKit names", len(files), read, located)
	if read < 1000 || located < 50 {
		t.Errorf("only %d of %d were read, %d refused on a known line", read, len(files), located)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"FROM a\nRUN b \\\n# c\n\n d\n", "# escape=`\nFROM a AS b\nFROM b\nONBUILD RUN <<E\nx\nE\n",
		"ARG A=${B:-c}\nFROM $A\nCOPY --from=0 --chown=1 <<'X' [\"a\", \"/b\"]\nX\n", "FROM a\nENV A=b \"c\"='d e'\nLABEL x y z\n",
		"# syntax=x\n# check=skip=all\nFROM scratch\nHEALTHCHECK --interval=1s CMD [\"x\"]\n", "FROM a\nRUN --mount=type=secret,id=x y\n", "\ufeff#\n//syntax=x\nFROM a\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse("D", text)
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Line < 1 || e.Line > strings.Count(string(text), "\n")+1 {
				t.Fatalf("error %T of line %d: %v", err, e.Line, err)
			}
			return
		}
		last := 0
		for _, ins := range file.all() {
			if ins.Lines.Start <= last || ins.Lines.End < ins.Lines.Start || ins.Lines.End > strings.Count(string(text), "\n")+1 {
				t.Fatalf("%s on lines %v after line %d", ins.Keyword, ins.Lines, last)
			}
			last = ins.Lines.End
		}
		for _, s := range file.Stages {
			file.Chain(s)
		}
	})
}
