package history

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/synth/fixture"
)

// parsed reads the text of a Dockerfile.
func parsed(t testing.TB, text string) *dockerfile.File {
	t.Helper()
	f, err := dockerfile.Parse("Dockerfile", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// told says of each step which lines made it: "3", "~3" for lines that are
// aligned, "-" for none.
func told(matches []Match) string {
	out := make([]string, len(matches))
	for i, m := range matches {
		switch m.How {
		case Unmatched:
			out[i] = "-"
		case Aligned:
			out[i] = "~" + m.Instruction.Lines.String()
		case Matched:
			out[i] = m.Instruction.Lines.String()
		}
	}
	return strings.Join(out, " ")
}

// matchLast matches records with a stage of a Dockerfile, the last for "".
func matchLast(t testing.TB, records []v1.History, cfg v1.Config, text, target string) []Match {
	t.Helper()
	f := parsed(t, text)
	stage, err := f.Target(target)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records { // no layers: what made one isn't asked here
		records[i].EmptyLayer = true
	}
	return matched(Read(&v1.ConfigFile{Config: cfg, History: records}, nil).Steps, f, stage)
}

// matched returns what a Dockerfile matches.
func matched(steps []Step, f *dockerfile.File, stage *dockerfile.Stage) []Match {
	matches, _ := MatchDockerfile(steps, f, stage)
	return matches
}

// records make records of a builder.
func records(by func(string) v1.History, texts ...string) (rs []v1.History) {
	for _, s := range texts {
		rs = append(rs, by(s))
	}
	return rs
}

// nop makes a record of docker's first builder.
func nop(s string) v1.History { return by("/bin/sh -c #(nop)  " + s) }

// bah makes a record of buildah.
func bah(s string) v1.History {
	return v1.History{CreatedBy: "/bin/sh -c " + s, Comment: "FROM 38496b2047c1"}
}

func TestMatchDockerfile(t *testing.T) {
	bkRun := func(s string) v1.History { return bk("RUN /bin/sh -c " + s + " # buildkit") }
	tests := []struct {
		name    string
		records []v1.History
		text    string
		target  string
		want    string
	}{
		{"buildkit", []v1.History{
			bk("ARG V=2"), bk("ENV PATH=/usr/bin:/bin A=b c"), bk("LABEL a=b c d=2"),
			bk("RUN |1 V=2 /bin/sh -c apt-get   update &&   make # buildkit"),
			bk("WORKDIR /srv/app"), bk("COPY --chown=1:1 a b /srv/ # buildkit"), bk("ADD x.tar.gz / # buildkit"),
			bk("USER app"), bk("EXPOSE map[443/tcp:{} 80/tcp:{}]"), bk("VOLUME [/a /b]"), bk("STOPSIGNAL SIGINT"),
			bk(`HEALTHCHECK &{["CMD-SHELL" "curl -f x"] "5m0s" "0s" "0s" "0s" '\x03'}`),
			bk(`ENTRYPOINT ["/app" "-x"]`), bk(`CMD ["/bin/sh" "-c" "a && b"]`),
		}, `FROM x
ARG V=1
ENV PATH="/usr/bin:/bin" A='b c'
LABEL a="b c" \
      d=2
RUN apt-get   update && \
  make
WORKDIR /srv
WORKDIR app
COPY --link --from=build --chown=1:1 a b /srv/
ADD x.tar.gz /
USER app
EXPOSE 80 443
VOLUME ["/a", "/b"]
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5m --retries=3 CMD curl -f x
ENTRYPOINT ["/app", "-x"]
CMD a && b
`, "", "2 3 4-5 6-7 9 10 11 12 13 14 15 16 17 18"},

		{"classic", []v1.History{
			nop("ARG V=1"), nop("ENV A=b"), nop("LABEL a=b c"), by("|1 V=1 /bin/sh -c make     && make install"),
			by("/bin/sh -c #(nop) COPY file:" + sha256A + " in /etc/ "), by("/bin/sh -c #(nop) COPY dir:" + sha256B + " in /srv/app/sub "),
			by("/bin/sh -c #(nop) ADD multi:" + sha256B + " in ./ "), nop("EXPOSE 8080"), nop("ONBUILD RUN x"),
			by("/bin/sh -c #(nop) WORKDIR /srv/app"), nop(`CMD ["a" "b"]`),
		}, `FROM x
ARG V=1
ENV A b
LABEL a="b c"
RUN make \
    && make install
COPY conf /etc/
COPY . /srv/app/${DIR}
ADD a b ./
EXPOSE 8080
ONBUILD RUN x
WORKDIR /srv/app
CMD ["a", "b"]
`, "", "2 3 4 5-6 ~7 ~8 ~9 10 11 12 13"},

		{"buildah", []v1.History{
			bah("#(nop) ARG V"), bah(`#(nop) LABEL a="b c"`), bah("#(nop) env A=b"), bah("#(nop) COPY dir:" + sha256A + " in /srv/ |inheritLabels=false"),
			bah("--mount=type=bind,source=go.mod,target=go.mod go mod download:" + sha256A), bah("<<EOF\nset -e\nmake"), bah(`#(nop) CMD ["a", "b"]`),
		}, `FROM x
ARG V
LABEL a="b c"
env A=b
COPY src /srv
RUN --mount=type=bind,source=go.mod,target=go.mod go mod download
RUN <<EOF
set -e
make
EOF
CMD ["a", "b"]
`, "", "2 3 4 ~5 6 7-10 11"},

		{"buildah names all arguments with a value", []v1.History{
			bah("#(nop) ARG A"), bah("#(nop) ARG A"), bah("#(nop) ARG A C"), bah("#(nop) ARG A C"), bah("#(nop) USER u"),
		}, "FROM x\nARG A=1\nARG B\nARG C=1\nARG D\nUSER u\n", "", "2 ~3 ~4 ~5 6"},
		{"kaniko", []v1.History{
			{Author: "kaniko", CreatedBy: "ADD busybox.tar.gz /"}, {Author: "kaniko", CreatedBy: "run apk add     curl"},
			{Author: "kaniko", CreatedBy: "COPY --from=build /a /b"},
		}, "FROM x\nADD busybox.tar.gz /\nrun apk add \\\n    curl\nCOPY --from=build /a /b\n", "", "2 3-4 5"},

		{"buildkit heredocs", []v1.History{
			bkRun("set -e\napt-get update\n"), bkRun("cat <<EOF >/x\na\nEOF"), bkRun("/dev/pipes/PY"), bk("COPY <<motd /etc/motd # buildkit"),
		}, "FROM x\nRUN <<E\nset -e\napt-get update\nE\nRUN cat <<EOF >/x\na\nEOF\nRUN <<PY\n#!/usr/bin/python\nprint()\nPY\nCOPY <<motd /etc/motd\nhi\nmotd\n",
			"", "2-5 6-8 9-12 13-15"},
		{"mounts that buildkit leaves out", records(bkRun, "go build"),
			"FROM x\nRUN --mount=type=cache,target=/c \\\n  --network=none go build\n", "", "2-3"},
		{"SHELL", []v1.History{bk("SHELL [/bin/bash -o pipefail -c]"), bk("RUN /bin/bash -o pipefail -c a | b # buildkit"), bk(`CMD ["/bin/bash" "-o" "pipefail" "-c" "d"]`)},
			"FROM x\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN a | b\nCMD d\n", "", "2 3 4"},
		{"a SHELL of the base's", []v1.History{bk("RUN /bin/zsh -o x -c make all # buildkit"), bk("USER a")}, "FROM x\nRUN make all\nUSER a\n", "", "~2 3"},
		{"exec form", []v1.History{bk("RUN ls -l /etc # buildkit"), by("ls -l /srv"), bk("USER a")}, "FROM x\nRUN [\"ls\", \"-l\", \"/etc\"]\nRUN [\"ls\", \"-l\", \"/srv\"]\nUSER a\n", "", "2 3 4"},
		{"arguments that can't be told apart", []v1.History{bk("RUN |1 OPTS=-Xmx1g D=x /bin/sh -c make # buildkit"), bk("USER a")}, "FROM x\nRUN make\nUSER a\n", "", "~2 3"},

		{"variables with known values", []v1.History{
			bk("ENV HOME=/root"), bk("ARG V=9"), bk("ENV DIR=/opt/9"), bk("COPY a /opt/9/ # buildkit"), bk("WORKDIR /opt/9/w"), bk("LABEL v=9-1"),
		}, "ARG W=1\nFROM x\nARG V=1\nENV DIR=/opt/$V\nCOPY a ${DIR}/\nWORKDIR $DIR/w\nARG W\nLABEL v=$V-${W:-0}\n", "", "- 3 4 5 6 8"},
		{"a global ARG", []v1.History{bk("ARG W=1"), bk("LABEL v=1")}, "ARG W=1\nFROM x\nARG W\nLABEL v=${W}\n", "", "3 4"},
		{"another value of an ARG", []v1.History{bk("RUN |1 V=9 /bin/sh -c a # buildkit"), bk("LABEL v=9")}, "FROM x\nARG V=1\nRUN a\nLABEL v=$V\n", "", "3 4"},
		{"variables of the base", []v1.History{bk("COPY a /usr/x/ # buildkit"), bk("USER me"), bk("WORKDIR /w/sub"), bk("COPY b /other # buildkit")},
			"FROM x\nCOPY a $HOME/x/\nUSER ${U}\nWORKDIR sub\nCOPY b $HOME/x\n", "", "~2 ~3 ~4 ~5"},

		{"variables without a value", []v1.History{bk("ENV P=/a:/b L=/lib"), bk("USER x")}, "FROM x\nENV P=$P:/b L=\"${L:+${L}:}/lib\"\nUSER x\n", "", "~2 3"},
		{"a newer buildkit's HEALTHCHECK", records(bk, "HEALTHCHECK {Test:[CMD-SHELL curl -f x] Interval:5m0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:3}", "HEALTHCHECK {Test:[NONE] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}"),
			"FROM x\nHEALTHCHECK --interval=5m --retries=3 \\\n  CMD curl -f x\nHEALTHCHECK NONE\n", "", "2-3 4"},
		{"the base's steps have none", []v1.History{
			{CreatedBy: "# debian.sh --arch 'amd64' out/ 'bookworm' '@1'", Comment: "debuerreotype 0.15"}, {CreatedBy: `CMD ["bash"]`, Comment: "debuerreotype 0.15"},
			bkRun("a"), bk(`CMD ["bash"]`)}, "FROM debian\nRUN a\nCMD [\"bash\"]\n", "", "- - 2 3"},
		{"a base that says the same", records(bk, `CMD ["bash"]`, `CMD ["bash"]`), "FROM x\nCMD [\"bash\"]\n", "", "- 2"},
		{"a base that isn't known", []v1.History{bkRun("b"), bk(`ENV A=1`), bkRun("a"), bk("USER x")}, "FROM x\nRUN a\nUSER x\n", "", "- - 2 3"},
		{"labels that the call added", []v1.History{bkRun("a"), bk("USER x"), bk("LABEL added=1")}, "FROM x\nRUN a\nUSER x\n", "", "2 3 -"},

		{"a line more", []v1.History{bkRun("a"), bkRun("c")}, "FROM x\nRUN a\nRUN b\nRUN c\n", "", "2 4"},
		{"a line less", []v1.History{bkRun("a"), bkRun("b"), bkRun("c")}, "FROM x\nRUN a\nRUN c\n", "", "2 - 3"},
		{"an edited line", []v1.History{bkRun("a"), bkRun("b"), bkRun("c")}, "FROM x\nRUN a\nRUN bb\nRUN c\n", "", "2 ~3 4"},
		{"an edited last line", []v1.History{bkRun("a"), bkRun("b")}, "FROM x\nRUN a\nRUN bb\n", "", "2 ~3"},
		{"an edited first line, above what may be the base", []v1.History{bkRun("z"), bkRun("a"), bkRun("b")}, "FROM x\nRUN aa\nRUN b\n", "", "- - 3"},
		{"another instruction", []v1.History{bkRun("a"), bk("USER b"), bkRun("c")}, "FROM x\nRUN a\nCOPY b b\nRUN c\n", "", "2 - 4"},
		{"an edited USER is another", []v1.History{bkRun("a"), bk("USER b"), bkRun("c")}, "FROM x\nRUN a\nUSER bb\nRUN c\n", "", "2 - 4"},
		{"which of two isn't known", []v1.History{bkRun("true"), bkRun("c")}, "FROM x\nRUN true\nRUN true\nRUN c\n", "", "- 4"},
		{"the same twice", []v1.History{bkRun("true"), bkRun("true"), bkRun("c")}, "FROM x\nRUN true\nRUN true\nRUN c\n", "", "2 3 4"},
		{"which of three copies isn't known", []v1.History{by("/bin/sh -c #(nop) COPY file:" + sha256A + " in ./ "), nop("USER a")}, "FROM x\nCOPY a ./\nCOPY b ./\nUSER a\n", "", "- 4"},
		{"in another order, the later one", []v1.History{bkRun("b"), bkRun("a")}, "FROM x\nRUN a\nRUN b\n", "", "- 2"},
		{"another Dockerfile", []v1.History{bkRun("a"), bk("USER b")}, "FROM x\nRUN c\nUSER d\n", "", "- -"},
		{"no instructions", []v1.History{bkRun("a")}, "FROM x\n", "", "-"},

		{"a chain of stages", []v1.History{bkRun("a"), bk("ENV B=1"), bkRun("c")}, "FROM x AS one\nRUN a\nFROM one AS two\nENV B=1\nFROM y AS other\nRUN a\nFROM two\nRUN c\n", "", "2 4 8"},
		{"a target", []v1.History{bkRun("a"), bk("ENV B=1")}, "FROM x AS one\nRUN a\nFROM one AS two\nENV B=1\nFROM two\nRUN c\n", "two", "2 4"},
		{"triggers of a stage", []v1.History{bkRun("a"), bkRun("later"), bkRun("c")}, "FROM x AS one\nRUN a\nONBUILD RUN later\nFROM one\nRUN c\n", "", "2 3 5"},
		{"triggers of the base", []v1.History{bkRun("of the base"), bkRun("later"), bkRun("c")}, "FROM x\nRUN c\n", "", "- - 2"},
		{"the other escape", []v1.History{bkRun("a   b"), bk("WORKDIR /c")}, "# escape=`\nFROM x\nRUN a `\n  b\nWORKDIR /c\n", "", "3-4 5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			matches := matchLast(t, tt.records, v1.Config{}, tt.text, tt.target)
			if got := told(matches); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestMatchOverGuessedBase matches cached steps of an earlier stage, which look
// as if another build had made them: they are the stage's all the same.
func TestMatchOverGuessedBase(t *testing.T) {
	old := dated(0, true, bk("RUN /bin/sh -c a # buildkit"))
	rs := []v1.History{old, dated(0, true, bk(`CMD ["x"]`)), dated(5, false, bk("RUN /bin/sh -c b # buildkit"))}
	r := Read(&v1.ConfigFile{History: rs}, make([]v1.Hash, 1))
	if !r.Steps[1].Base {
		t.Fatal("the guess no longer takes the stage for a base")
	}
	f := parsed(t, "FROM x AS one\nRUN a\nCMD [\"x\"]\nFROM one\nRUN b\n")
	if got := told(matched(r.Steps, f, f.Stages[1])); got != "2 3 5" {
		t.Errorf("got %s, want 2 3 5", got)
	}
}

// TestMatchSameDockerfile matches the images that several tools made of one
// Dockerfile, of which its instructions are known (see mini).
func TestMatchSameDockerfile(t *testing.T) {
	text := "FROM busybox\n"
	for i, m := range mini {
		if i == 2 {
			text += "COPY . /srv/app/\n"
		}
		text += m + "\n"
	}
	f := parsed(t, text)
	for _, tt := range []struct{ file, copy string }{
		{"docker2010-classic.tar", "~4"}, {"docker2010-buildkit.tar", "4"}, {"buildkit-docker.tar", "4"},
		{"buildkit-oci-attest.tar", "4"}, {"buildah-layers-oci.tar", "~4"}, {"buildah-nolayers-oci.tar", "~4"},
	} {
		t.Run(tt.file, func(t *testing.T) {
			configs(t, filepath.Join(fixture.Dir(t), "built", tt.file), func(cfg *v1.ConfigFile) {
				want := "- 2 3 " + tt.copy
				for line := 5; line <= len(mini)+2; line++ {
					want += fmt.Sprint(" ", line)
				}
				if diff := cmp.Diff(want, told(matched(Read(cfg, cfg.RootFS.DiffIDs).Steps, f, f.Stages[0]))); diff != "" {
					t.Errorf("-want +got\n%s", diff)
				}
			})
		})
	}
}

// checkMatches holds matches to what is promised of any.
func checkMatches(t *testing.T, f *dockerfile.File, steps []Step, matches []Match) {
	t.Helper()
	if len(matches) != len(steps) {
		t.Fatalf("%d matches of %d steps", len(matches), len(steps))
	}
	last, seen := 0, map[*dockerfile.Instruction]bool{}
	for i, m := range matches {
		if (m.Instruction == nil) != (m.How == Unmatched) {
			t.Fatalf("step %d is %v with %+v", i, m.How, m.Instruction)
		}
		if m.Instruction == nil {
			continue
		}
		if seen[m.Instruction] || m.Instruction.Lines.Start < last {
			t.Fatalf("step %d is of lines %v, after line %d", i, m.Instruction.Lines, last)
		}
		if k := steps[i].Instruction; k != "" && k != m.Instruction.Keyword {
			t.Fatalf("step %d is a %s, of a %s", i, k, m.Instruction.Keyword)
		}
		seen[m.Instruction] = true
		last = m.Instruction.Lines.Start
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("FROM a\nRUN b\nCOPY c $D\nENV E=f g=$E\nWORKDIR h\nCMD i\n", "RUN /bin/sh -c b # buildkit\x00COPY c /x # buildkit\x00ENV E=f g=f\x00WORKDIR /h")
	f.Add("FROM a AS b\nONBUILD RUN c\nFROM b\nARG D=${E:-f}\nHEALTHCHECK CMD x\nEXPOSE 1-2 3\n", "/bin/sh -c c\x00/bin/sh -c #(nop)  ARG D=f\x00EXPOSE map[3/tcp:{}]")
	f.Fuzz(func(t *testing.T, text, createdBy string) {
		file, err := dockerfile.Parse("D", []byte(text))
		if err != nil || len(text) > 10_000 || strings.Count(createdBy, "\x00") > 100 {
			return
		}
		cfg := &v1.ConfigFile{}
		for s := range strings.SplitSeq(createdBy, "\x00") {
			cfg.History = append(cfg.History, v1.History{CreatedBy: s, EmptyLayer: true})
		}
		steps := Read(cfg, nil).Steps
		for _, s := range file.Stages {
			if len(file.Chain(s)) == 1 { // lines of stages in a chain needn't ascend
				checkMatches(t, file, steps, matched(steps, file, s))
			} else {
				MatchDockerfile(steps, file, s)
			}
		}
	})
}

func TestPattern(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"a\ue000", "a", true}, {"a\ue000", "abc", true}, {"a\ue000", "b", false},
		{"\ue000a", "ba", true}, {"a\ue000a", "a", false}, {"a\ue000a", "aa", true},
		{"a\ue000b\ue000c", "a1b2c", true}, {"a\ue000b\ue000c", "ac", false}, {"a\ue000b\ue000b", "ab", false},
		{"\ue000", "", true}, {"\ue000/x\ue000/x", "/x/x", true}, {"\ue000/x\ue000/x", "/x", false},
	}
	for _, tt := range tests {
		if got := pattern(strings.Split(tt.pattern, hole)).matches(tt.text); got != tt.want {
			t.Errorf("%q matches %q: %v", tt.pattern, tt.text, got)
		}
	}
}

// BenchmarkMatch matches what is as large as a Dockerfile and a history can be:
// that takes time which grows with steps times instructions, up to a bound.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		var text strings.Builder
		cfg := &v1.ConfigFile{}
		text.WriteString("FROM x\n")
		for i := range n {
			fmt.Fprintf(&text, "RUN make %d && %s\nCOPY a$%d /$B/\n", i, strings.Repeat("word ", 50), i)
			cfg.History = append(cfg.History, bk(fmt.Sprintf("RUN /bin/sh -c make %d && %s # buildkit", i, strings.Repeat("word ", 50))), bk("COPY a /b/ # buildkit"))
		}
		for i := range cfg.History {
			cfg.History[i].EmptyLayer = true
		}
		f, steps := parsed(b, text.String()), Read(cfg, nil).Steps
		b.Run(fmt.Sprint(2*n), func(b *testing.B) {
			for b.Loop() {
				MatchDockerfile(steps, f, f.Stages[0])
			}
		})
	}
}
