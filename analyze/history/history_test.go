package history

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestFit(t *testing.T) {
	ids := []v1.Hash{{Algorithm: "sha256", Hex: sha256A}, {}}
	made := by("/bin/sh -c a")
	meta := v1.History{CreatedBy: "/bin/sh -c #(nop)  ENV A=b", EmptyLayer: true}
	type step struct {
		Text      string
		Layer     int
		Synthetic bool
	}
	tests := []struct {
		name    string
		records []v1.History
		fit     Fit
		want    []step
	}{
		{"exact", []v1.History{made, meta, made}, Exact,
			[]step{{"RUN a", 0, false}, {"ENV A=b", -1, false}, {"RUN a", 1, false}}},
		{"missing", nil, Missing,
			[]step{{"layer ef7d3dc3d2b6: no history", 0, true}, {"layer 1: no history", 1, true}}},
		{"short", []v1.History{made, meta}, Short, []step{{"RUN a", -1, false}, {"ENV A=b", -1, false},
			{"layer ef7d3dc3d2b6: history doesn't fit", 0, true}, {"layer 1: history doesn't fit", 1, true}}},
		{"long", []v1.History{made, made, {}}, Long, []step{{"RUN a", -1, false}, {"RUN a", -1, false}, {"empty history record", -1, false},
			{"layer ef7d3dc3d2b6: history doesn't fit", 0, true}, {"layer 1: history doesn't fit", 1, true}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Read(&v1.ConfigFile{History: tt.records}, ids)
			var got []step
			for _, s := range r.Steps {
				got = append(got, step{s.Text, s.Layer, s.Synthetic})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || r.Fit != tt.fit {
				t.Errorf("fit %v, want %v; -want +got:\n%s", r.Fit, tt.fit, diff)
			}
		})
	}
	if r := Read(&v1.ConfigFile{}, nil); r.Fit != Exact || len(r.Steps) != 0 {
		t.Errorf("empty image: %+v", r)
	}
}

func TestImageBuilder(t *testing.T) {
	tests := []struct {
		name    string
		label   string
		records []v1.History
		want    Builder
	}{
		{"the last that is known", "", []v1.History{by(`/bin/sh -c #(nop)  CMD ["a"]`), bk("ENV A=b"), by("bash")}, BuildKit},
		{"a label of buildpacks", "io.buildpacks.lifecycle.metadata", []v1.History{{}}, Buildpacks},
		{"a label of buildah", "io.buildah.version", nil, Buildah},
		{"an inherited label", "io.buildpacks.lifecycle.metadata", []v1.History{{}, bk("ENV A=b")}, BuildKit},
		{"nothing", "a", nil, Unknown},
	}
	for _, tt := range tests {
		r := Read(&v1.ConfigFile{History: tt.records, Config: v1.Config{Labels: map[string]string{tt.label: "x"}}}, nil)
		if r.Builder != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, r.Builder, tt.want)
		}
	}
}

// dated makes a record of BuildKit, or what is given, so many hours after noon.
func dated(hours float64, empty bool, h v1.History) v1.History {
	noon := time.Date(2025, 2, 3, 12, 0, 0, 0, time.UTC)
	h.Created = v1.Time{Time: noon.Add(time.Duration(hours * float64(time.Hour)))}
	h.EmptyLayer = empty
	return h
}

func TestBase(t *testing.T) {
	cmd, run := bk(`CMD ["bash"]`), bk("RUN /bin/sh -c x # buildkit")
	nop := func(s string) v1.History { return by("/bin/sh -c #(nop)  " + s) }
	add := by("/bin/sh -c #(nop) ADD file:" + sha256A + " in / ")
	ko := v1.History{Author: "ko", CreatedBy: "ko build x"}
	bazel := v1.History{Author: "Bazel", CreatedBy: "bazel build ..."}
	from := func(name string) v1.History {
		return v1.History{CreatedBy: "/bin/sh -c x", Comment: "FROM " + name}
	}
	tests := []struct {
		name    string
		records []v1.History
		want    int
	}{
		{"a base image itself", []v1.History{dated(0, false, add), dated(0, true, nop(`CMD ["sh"]`))}, 0},
		{"nginx on debian", []v1.History{dated(0, false, add), dated(0, true, nop(`CMD ["bash"]`)),
			dated(7, true, nop("LABEL a=b")), dated(45, true, nop("ENV A=b")), dated(45.1, false, by("/bin/sh -c x")),
			dated(45.1, true, nop("EXPOSE 80")), dated(45.1, true, nop(`CMD ["nginx"]`))}, 2},
		{"the highest of two bases", []v1.History{dated(0, false, run), dated(0, true, cmd),
			dated(24, false, run), dated(24, true, cmd), dated(48, false, run), dated(48, true, cmd)}, 4},
		{"metadata after the base's CMD", []v1.History{dated(0, false, run), dated(0, true, cmd), dated(0, true, bk("LABEL a=b")),
			dated(24, false, run)}, 3},
		{"an author's CMD halfway", []v1.History{dated(0, false, run), dated(0, true, cmd), dated(0.1, false, run)}, 0},
		{"an older base without CMD", []v1.History{dated(0, false, run), dated(24, false, run)}, 0},
		{"only metadata on top", []v1.History{dated(0, false, run), dated(0, true, cmd), dated(24, true, bk("ENV A=b"))}, 0},
		{"no dates", []v1.History{run, {CreatedBy: cmd.CreatedBy, Comment: frontend, EmptyLayer: true}, run}, 0},
		{"buildkit on classic", []v1.History{dated(0, false, add), dated(0, true, nop(`CMD ["bash"]`)), dated(0, false, run)}, 2},
		{"buildkit on debuerreotype", []v1.History{{Comment: "debuerreotype 0.16"}, run, run}, 1},
		{"a container on debuerreotype", []v1.History{{Comment: "debuerreotype 0.16"}, by("bash")}, 1},
		{"debuerreotype alone", []v1.History{{Comment: "debuerreotype 0.16"}, {Comment: "debuerreotype 0.16", EmptyLayer: true}}, 0},
		{"buildkit on an import", []v1.History{{Comment: "Imported from -"}, run}, 1},
		{"buildkit on who knows", []v1.History{by("BusyBox 1.38.0 (musl), Alpine 3.23.5"), run}, 1},
		{"classic on who knows", []v1.History{by("ls -l"), add}, 0},
		{"ko on distroless", []v1.History{bazel, bazel, ko, ko}, 2},
		{"ko on ko", []v1.History{ko, ko, ko}, 0},
		{"buildah", []v1.History{add, from("docker.io/library/alpine:3.20"), from("38496b2047c1")}, 1},
		{"buildah on buildah", []v1.History{add, from("alpine"), from("38496b2047c1"), from("app"), from("c3bfd7f66f53")}, 3},
		{"squashed", []v1.History{dated(0, true, run), dated(0, true, cmd),
			dated(24, false, v1.History{Comment: "merge sha256:" + sha256A + " to sha256:" + sha256B})}, 0},
		{"committed the day after", []v1.History{dated(0, false, run), dated(0, true, cmd), dated(24, false, by("bash"))}, 2},
		{"appended twice", []v1.History{run, {}, {}}, 0},
		{"nothing", nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			layers := 0
			for _, h := range tt.records {
				if !h.EmptyLayer {
					layers++
				}
			}
			r := Read(&v1.ConfigFile{History: tt.records}, make([]v1.Hash, layers))
			if baseSteps(r) != tt.want || r.Base.Steps != tt.want {
				t.Errorf("%d base steps, %+v, want %d", baseSteps(r), r.Base, tt.want)
			}
			for i, s := range r.Steps {
				if s.Base != (i < tt.want) {
					t.Errorf("step %d: base %v", i, s.Base)
				}
			}
		})
	}
	records := []v1.History{{Comment: "debuerreotype 0.16"}, run}
	if r := Read(&v1.ConfigFile{History: records}, make([]v1.Hash, 1)); baseSteps(r) != 0 {
		t.Errorf("a base is guessed though the history doesn't fit: %+v", r)
	}
}

// TestSigned tells what the builder says from what is guessed.
func TestSigned(t *testing.T) {
	run := bk("RUN /bin/sh -c x # buildkit")
	record := func(author, by, comment string) v1.History {
		return v1.History{Author: author, CreatedBy: by, Comment: comment}
	}
	below := v1.History{Author: "Bazel", CreatedBy: "bazel build ..."}
	data := record("ko", "ko build x", "kodata contents, at $KO_DATA_PATH")
	binary := record("ko", "ko build x", "go build output, at ko://x")
	jib := func(layer string) v1.History { return record("Jib", "jib-maven-plugin:3.4", layer) }
	for _, tt := range []struct {
		name    string
		records []v1.History
		want    Base
	}{
		{"ko", []v1.History{below, data, binary}, Base{Steps: 1, Signed: true}},
		{"ko on ko, perhaps", []v1.History{below, data, binary, data, binary}, Base{Steps: 1}},
		{"ko on nothing", []v1.History{data, binary}, Base{}},
		{"a container of ko's", []v1.History{below, data, binary, by("bash")}, Base{Steps: 1}},
		{"BuildKit on ko", []v1.History{below, data, binary, run}, Base{Steps: 3}},
		{"Jib", []v1.History{below, run, jib("dependencies"), jib("classes")}, Base{Steps: 2, Signed: true}},
		{"Jib, which doesn't name its layers", []v1.History{below, run, jib(""), jib("")}, Base{Steps: 2}},
		{"buildah", []v1.History{run, {CreatedBy: "/bin/sh -c x", Comment: "FROM docker.io/library/alpine:3.20"}},
			Base{Steps: 1, Signed: true, Name: "docker.io/library/alpine:3.20"}},
	} {
		if r := Read(&v1.ConfigFile{History: tt.records}, make([]v1.Hash, len(tt.records))); !cmp.Equal(r.Base, tt.want, cmpopts.IgnoreUnexported(Base{})) {
			t.Errorf("%s: %+v, want %+v", tt.name, r.Base, tt.want)
		}
	}
}

// TestStepsOf finds a base's last step, its layers being known.
func TestStepsOf(t *testing.T) {
	cmd, env, run := bk(`CMD ["bash"]`), bk("ENV A=b"), bk("RUN /bin/sh -c x # buildkit")
	records := []v1.History{
		dated(0, false, run), dated(0, true, cmd), // two bases
		dated(24, true, env), dated(24, false, run), dated(24, true, cmd),
		dated(48, true, env), dated(48, false, run), dated(48, true, cmd),
	}
	want := map[int]int{0: 0, 1: 2, 2: 5, 3: 7} // the last CMD may well be the image's own
	for layers, steps := range want {
		r := Read(&v1.ConfigFile{History: records}, make([]v1.Hash, 3))
		if got := r.StepsOf(layers); got != steps {
			t.Errorf("%d of a base of %d layers, want %d", got, layers, steps)
		}
	}
	// An image's own metadata are dated like the base's if it has no layers.
	r := Read(&v1.ConfigFile{History: []v1.History{dated(0, false, run), dated(0, true, cmd), dated(0, true, env)}}, make([]v1.Hash, 1))
	if got := r.StepsOf(1); got != 1 {
		t.Errorf("%d of a base whose end doesn't show", got)
	}
	// An author's own command, a day before the layer above it.
	r = Read(&v1.ConfigFile{History: []v1.History{dated(0, false, run), dated(24, true, cmd), dated(48, false, run)}}, make([]v1.Hash, 2))
	if got := r.StepsOf(1); got != 1 {
		t.Errorf("%d of a base below a command of another day", got)
	}
	if r := Read(&v1.ConfigFile{History: records}, make([]v1.Hash, 2)); r.StepsOf(1) != 0 {
		t.Error("steps of a history that doesn't fit")
	}
}

// baseSteps counts the steps that have Base set.
func baseSteps(r Result) int {
	n := 0
	for _, s := range r.Steps {
		if s.Base {
			n++
		}
	}
	return n
}

// checkInvariants holds a result to what Read promises of any.
func checkInvariants(t *testing.T, records []v1.History, layers int, r Result) {
	t.Helper()
	var claimed []int
	for i, s := range r.Steps {
		if s.Text == "" {
			t.Errorf("step %d has no text", i)
		}
		if s.Instruction != strings.ToUpper(s.Instruction) {
			t.Errorf("step %d: instruction %q", i, s.Instruction)
		}
		if s.Base != (i < baseSteps(r)) {
			t.Errorf("step %d: base %v of %d", i, s.Base, baseSteps(r))
		}
		if s.Layer >= 0 {
			claimed = append(claimed, s.Layer)
		}
		if s.Synthetic != (i >= len(records)) || s.Synthetic != (r.Fit != Exact && s.Layer >= 0) {
			t.Errorf("step %d of %d records: synthetic %v, layer %d, fit %v", i, len(records), s.Synthetic, s.Layer, r.Fit)
		}
		if i < len(records) {
			h := records[i]
			if s.CreatedBy != h.CreatedBy || s.Comment != h.Comment || s.Author != h.Author || s.Empty != h.EmptyLayer || !s.Created.Equal(h.Created.Time) {
				t.Errorf("step %d isn't record %+v: %+v", i, h, s)
			}
		}
	}
	want := make([]int, layers)
	for i := range want {
		want[i] = i
	}
	if !slices.Equal(claimed, want) {
		t.Errorf("layers %v in steps, want each of %d once, in order", claimed, layers)
	}
	if baseSteps(r) >= len(r.Steps) && baseSteps(r) > 0 {
		t.Errorf("all %d steps are base", baseSteps(r))
	}
}

func TestEveryLayerAndRecordOnce(t *testing.T) {
	pool := []v1.History{
		{}, bk("RUN |1 A=b /bin/sh -c x # buildkit"), bk(`CMD ["a"]`), bk("WORKDIR /x"), by("/bin/sh -c x"),
		by(`/bin/sh -c #(nop)  CMD ["a"]`), {CreatedBy: "/bin/sh -c x", Comment: "FROM alpine"},
		{Author: "kaniko", CreatedBy: "COPY a b"}, {Author: "Jib", CreatedBy: "jib"}, {Comment: "Imported from -"},
		{Comment: "merge sha256:" + sha256A + " to sha256:" + sha256B}, by("ls -l"), by("Application Layer"),
	}
	rng := rand.New(rand.NewPCG(1, 2))
	fits := map[Fit]int{}
	for n := range 5000 {
		var records []v1.History
		for range rng.IntN(12) {
			records = append(records, dated(float64(rng.IntN(5)), rng.IntN(2) == 0, pool[rng.IntN(len(pool))]))
		}
		layers := rng.IntN(8)
		r := Read(&v1.ConfigFile{History: records}, make([]v1.Hash, layers))
		checkInvariants(t, records, layers, r)
		if t.Failed() {
			t.Fatalf("try %d: %d layers, records %+v", n, layers, records)
		}
		fits[r.Fit]++
	}
	for f := Exact; f <= Long; f++ {
		if fits[f] < 50 {
			t.Errorf("only %d tries were %v", fits[f], f)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("RUN |1 A=b /bin/sh -c x # buildkit", frontend, "", "/bin/bash -c", false)
	f.Add("ARG A=b c", frontend, "", "", true)
	f.Add(`/bin/sh -c #(nop)  HEALTHCHECK &{["CMD" "x"] "0s" "0s" '\x03'}`, "", "", "", true)
	f.Add("|2 A=x y /bin/sh -c --mount=type=bind,source=. x:"+sha256A+"|inheritLabels=false", "FROM a", "", "", false)
	f.Add("/bin/sh -c #(nop) COPY --chown=a:bdir:"+sha256A+" in /", "", "", "", false)
	f.Add("", "store paths: ['/nix/store/a']", "", "", false)
	f.Add("Layer: 'a', Created by buildpack: b", "", "kaniko", "", false)
	f.Add("powershell #(nop)  SHELL [powershell]", "", "", "powershell", true)
	f.Fuzz(func(t *testing.T, createdBy, comment, author, shell string, empty bool) {
		h := v1.History{CreatedBy: createdBy, Comment: comment, Author: author, EmptyLayer: empty}
		records := []v1.History{h, bk("RUN |1 A=b " + createdBy), h}
		cfg := &v1.ConfigFile{History: records, Config: v1.Config{Shell: strings.Fields(shell)}}
		for layers := range 4 {
			checkInvariants(t, records, layers, Read(cfg, make([]v1.Hash, layers)))
		}
	})
}

func TestNames(t *testing.T) {
	for b := Unknown; b <= Crane; b++ {
		if (b.String() == "unknown") != (b == Unknown) {
			t.Errorf("builder %d is %q", b, b)
		}
	}
	if got := fmt.Sprint(Exact, Missing, Short, Long, Fit(9), Builder(99)); got != "exact missing short long unknown unknown" {
		t.Error(got)
	}
}
