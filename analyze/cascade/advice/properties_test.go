package advice

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/patternmatcher"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/synth/fixture"
)

// checkFinding holds a finding to what can be told without it: that the
// rewritten files are a build, of an image that is configured as it was, of the
// same instructions, and that a change reruns what is claimed.
func checkFinding(t *testing.T, b cascade.Build, files map[string]string, f Finding) {
	t.Helper()
	after := b
	if r := f.Edit.Dockerfile; r != nil {
		file, err := dockerfile.Parse(r.Name, []byte(r.After))
		if err != nil {
			t.Errorf("%s: the rewritten file: %v", f.Rule.ID, err)
			return
		}
		if after.Graph, err = cascade.New(file, b.Graph.Options); err != nil {
			t.Errorf("%s: the rewritten file: %v", f.Rule.ID, err)
			return
		}
		if r.Before != string(b.Graph.File.Source) || r.Before == r.After {
			t.Errorf("%s: rewrote something else, or nothing", f.Rule.ID)
		}
		if diff := cmp.Diff(configOf(b.Graph), configOf(after.Graph)); diff != "" {
			t.Errorf("%s: the image is configured otherwise (-before +after):\n%s", f.Rule.ID, diff)
		}
		if diff := cmp.Diff(textsOf(b.Graph, f.Rule.ID), textsOf(after.Graph, f.Rule.ID)); diff != "" {
			t.Errorf("%s: other instructions (-before +after):\n%s", f.Rule.ID, diff)
		}
	}
	if len(f.Edit.IgnoreLines) > 0 {
		after = withoutIgnored(t, after, files, f.Edit.IgnoreLines)
	}
	if f.Edit.Dockerfile == nil && len(f.Edit.IgnoreLines) == 0 || f.Text == "" || len(f.Lines) == 0 {
		t.Errorf("%s: %+v says nothing", f.Rule.ID, f)
	}
	if f.Saves == nil {
		return
	}
	change := changeOf(t, f)
	was, now := change(b, f.Edit, false), change(after, f.Edit, true)
	want := [6]int{was.Misses, was.MayMisses, now.Misses, now.MayMisses, was.Misses - now.Misses, was.MayMisses - now.MayMisses}
	got := [6]int{f.Saves.Before.Misses, f.Saves.Before.MayMisses, f.Saves.After.Misses, f.Saves.After.MayMisses, f.Saves.Instructions, f.Saves.MayInstructions}
	if want != got {
		t.Errorf("%s: when %s: claims %v, is %v\n%s", f.Rule.ID, f.Saves.When, got, want, f.Edit.Diff())
	}
}

// withoutIgnored makes a context anew without what lines of a .dockerignore leave
// out.
func withoutIgnored(t *testing.T, b cascade.Build, files map[string]string, lines []string) cascade.Build {
	t.Helper()
	m, err := patternmatcher.New(lines)
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]string{}
	for name, body := range files {
		if out, err := m.MatchesOrParentMatches(name); err != nil {
			t.Fatal(err)
		} else if !out {
			left[name] = body
		}
	}
	tree, _ := contextOf(left)
	b.Contexts = map[string]*buildcontext.Tree{"": tree}
	if _, ok := left[b.Dockerfile]; !ok {
		b.Dockerfile = ""
	}
	return b
}

// changeOf returns what a finding's change comes to, without the finder's
// scenarios.
func changeOf(t *testing.T, f Finding) func(b cascade.Build, e Edit, rewritten bool) cascade.Counts {
	t.Helper()
	counts := func(after cascade.Build, before cascade.Build, assume cascade.Assume) cascade.Counts {
		p, err := cascade.Predict(context.Background(), after, []cascade.Build{before}, assume)
		if err != nil {
			t.Fatal(err)
		}
		return p.Counts()
	}
	with := func(b cascade.Build, c cascade.Change) cascade.Counts {
		after, assume, err := b.With(c)
		if err != nil {
			t.Fatalf("%s: %v", f.Rule.ID, err)
		}
		return counts(after, b, assume)
	}
	name, _ := strings.CutSuffix(f.Saves.When, " changes")
	return func(b cascade.Build, e Edit, rewritten bool) cascade.Counts {
		switch f.Rule.ID {
		case "dockerfile-in-context", "copy-before-install", "unneeded-context":
			if name == "a comment of the Dockerfile" {
				name = "Dockerfile"
			}
			tree := b.Contexts[""]
			if !tree.Has(name) {
				return with(b, cascade.Change{})
			}
			return with(b, cascade.Change{Contexts: map[string]*buildcontext.Tree{"": tree.Edit(buildcontext.Change{Path: name, Kind: buildcontext.Changed})}})
		case "early-variable":
			c := cascade.Change{Args: map[string]string{}}
			names := strings.FieldsFunc(strings.TrimSuffix(strings.TrimSuffix(f.Saves.When, " changes"), " change"), func(r rune) bool { return r == ',' || r == ' ' })
			names = slices.DeleteFunc(names, func(n string) bool { return n == "and" })
			for _, s := range b.Graph.Steps {
				if s.Stage != stageOfLine(f, e, b) || !slices.ContainsFunc(s.Variables(), func(v string) bool { return slices.Contains(names, v) }) {
					continue
				}
				if strings.Contains(f.Text, "ENV ") && s.Keyword == "ENV" && movedText(f, e, s.Text) {
					c.Lines = append(c.Lines, s.Lines.Start)
				} else if strings.HasPrefix(f.Text, "ARG ") && s.Keyword == "ARG" {
					for _, v := range s.Variables() {
						if slices.Contains(names, v) {
							c.Args[v] = otherValue
						}
					}
				}
			}
			return with(b, c)
		case "early-platform":
			opt := b.Graph.Options
			fields := strings.Fields(f.Saves.When)
			opt.Platform = fields[len(fields)-2]
			g, err := cascade.New(b.Graph.File, opt)
			if err != nil {
				t.Fatal(err)
			}
			after := b
			after.Graph = g
			return counts(after, b, cascade.Assume{})
		case "no-link":
			return with(b, cascade.Change{Bases: []string{strings.Fields(f.Saves.When)[0]}})
		case "workdir-slash":
			file, err := dockerfile.Parse(e.Dockerfile.Name, []byte(e.Dockerfile.After))
			if err != nil {
				t.Fatal(err)
			}
			if rewritten {
				return with(b, cascade.Change{})
			}
			return with(b, cascade.Change{File: file})
		case "early-workdir":
			for _, s := range b.Graph.Steps {
				if s.Keyword == "WORKDIR" && movedText(f, e, s.Text) && s.Stage == stageOfLine(f, e, b) {
					if !rewritten && s.Lines != f.Lines[0] {
						continue
					}
					if got := with(b, cascade.Change{Lines: []int{s.Lines.Start}}); !rewritten || got.Misses == f.Saves.After.Misses {
						return got
					}
				}
			}
		}
		t.Errorf("%s: no such change: %s", f.Rule.ID, f.Saves.When)
		return cascade.Counts{}
	}
}

// stageOfLine returns the stage of a finding's first instruction.
func stageOfLine(f Finding, e Edit, b cascade.Build) int {
	file, err := dockerfile.Parse("", []byte(e.Dockerfile.Before))
	if err != nil {
		return -1
	}
	stage := -1
	for _, s := range file.Stages {
		if s.From.Lines.Start < f.Lines[0].Start {
			stage = s.Index
		}
	}
	return stage
}

// movedText tells whether an instruction of a text is one of a finding's.
func movedText(f Finding, e Edit, text string) bool {
	file, err := dockerfile.Parse("", []byte(e.Dockerfile.Before))
	if err != nil {
		return false
	}
	for _, s := range file.Stages {
		for _, ins := range s.Instructions {
			if slices.Contains(f.Lines, ins.Lines) && ins.Text == text {
				return true
			}
		}
	}
	return false
}

// configOf returns what the target's image is configured with, as a set.
func configOf(g *cascade.Graph) map[string]string {
	lex := shell.NewLex(g.File.Escape)
	config := map[string]string{}
	globals := g.File.Globals(g.Options.Args)
	env := map[string]string{}
	dir := ""
	for _, stage := range g.File.Chain(g.Target.Stage) {
		vars := dockerfile.Vars(maps.Clone(env))
		expand := func(s string) string {
			out, _, err := lex.ProcessWord(s, vars)
			if err != nil {
				return s
			}
			return out
		}
		for _, ins := range stage.Instructions {
			switch c := ins.Command.(type) {
			case *instructions.ArgCommand:
				for _, a := range c.Args {
					if a.Value != nil {
						vars[a.Key] = expand(*a.Value)
					} else if v, ok := globals[a.Key]; ok {
						vars[a.Key] = v
					}
				}
			case *instructions.EnvCommand:
				for _, kv := range c.Env {
					env[kv.Key] = expand(kv.Value)
					vars[kv.Key] = env[kv.Key]
				}
			case *instructions.WorkdirCommand:
				if p := expand(c.Path); path.IsAbs(p) {
					dir = path.Clean(p)
				} else {
					dir = path.Join(dir, p)
				}
			case *instructions.RunCommand, *instructions.CopyCommand, *instructions.AddCommand:
			case *instructions.LabelCommand, *instructions.ExposeCommand, *instructions.VolumeCommand, *instructions.OnbuildCommand:
				config[ins.Keyword+" "+expand(ins.Text)] = "1"
			default:
				config[ins.Keyword] = expand(ins.Text)
			}
		}
	}
	config["WORKDIR"] = dir
	for k, v := range env {
		config["ENV "+k] = v
	}
	return config
}

// textsOf returns the sorted texts of a file's instructions, without what a rule
// adds and takes.
func textsOf(g *cascade.Graph, rule string) []string {
	var texts []string
	for _, s := range g.Steps {
		text := s.Text
		switch rule {
		case "copy-before-install":
			if s.Keyword == "COPY" {
				continue // some are added
			}
		case "no-link":
			text = strings.Replace(text, " --link", "", 1)
		case "no-cache-mount":
			fields := slices.DeleteFunc(strings.Fields(text), func(w string) bool {
				return strings.HasPrefix(w, "--mount=type=cache") || w == "--no-cache-dir"
			})
			text = strings.Join(fields, " ")
		case "workdir-slash":
			if s.Keyword == "WORKDIR" {
				text = strings.TrimRight(text, "/")
			}
		}
		texts = append(texts, text)
	}
	slices.Sort(texts)
	return texts
}

// anyProject are the files that builds of fixtures get as their context, along with
// what they copy by name.
var anyProject = map[string]string{
	".dockerignore": "x\n", "README.md": "", "a.log": "", ".git/HEAD": "", ".github/ci.yml": "",
	"package.json": "{}", "package-lock.json": "{}", "yarn.lock": "", "pnpm-lock.yaml": "", "src/app.js": "", "src/main.ts": "",
	"node_modules/x/index.js": "", "go.mod": "module x\n", "go.sum": "", "main.go": "package main", "requirements.txt": "flask\n", "app.py": "",
	"pyproject.toml": "[project]\n", "uv.lock": "", "poetry.lock": "", "Pipfile": "", "Pipfile.lock": "", "Gemfile": "", "Gemfile.lock": "", "app.rb": "",
	"composer.json": "{}", "composer.lock": "{}", "index.php": "", "pom.xml": "<project/>", "build.gradle": "", "settings.gradle": "", "gradlew": "",
	"Cargo.toml": "", "Cargo.lock": "", "app.csproj": "<Project/>", "Program.cs": "", "x/__pycache__/a.pyc": "",
}

// contextFor returns files for a build: the project's, and what is copied.
func contextFor(f *dockerfile.File) map[string]string {
	files := maps.Clone(anyProject)
	for _, s := range f.Stages {
		for _, ins := range s.Instructions {
			c, ok := ins.Command.(*instructions.CopyCommand)
			if !ok || c.From != "" {
				continue
			}
			for _, src := range c.SourcePaths {
				p := path.Clean("/" + src)[1:]
				if p == "" || strings.ContainsAny(p, "$*?[\\") || clashes(files, p) {
					continue
				}
				if strings.HasSuffix(src, "/") || !strings.Contains(path.Base(p), ".") {
					p += "/file"
				}
				files[p] = ""
			}
		}
	}
	return files
}

// clashes tells whether a path is taken, as a file or a directory.
func clashes(files map[string]string, p string) bool {
	for name := range files {
		if within(p, name) || within(name, p) {
			return true
		}
	}
	return false
}

var samples = flag.Int("samples", 0, "print so many findings of TestFixtures, drawn at random, to be judged by eye")

// TestFixtures looks over other projects' Dockerfiles, with a context that is
// made up, and holds each finding to what can be told without it. Chain builders
// get every tenth file.
func TestFixtures(t *testing.T) {
	for _, builder := range cascade.Builders() {
		t.Run(string(builder), func(t *testing.T) {
			found := map[string]int{}
			var sample []string
			looked := 0
			for i, d := range fixture.Dockerfiles(t) {
				b, files, disk := fixtureBuild(d, builder)
				if b.Graph == nil || builder != cascade.BuildKit && i%10 != 0 {
					continue
				}
				looked++
				all, err := Find(t.Context(), b, nil, disk)
				if err != nil {
					t.Fatalf("%s: %v", d.Path, err)
				}
				for _, one := range all {
					found[one.Rule.ID]++
					if checkFinding(t, b, files, one); t.Failed() {
						t.Fatalf("the first that is wrong is of %s:\n%s", d.Path, one.Text)
					}
					sample = append(sample, fmt.Sprintf("%s\n%s: %s\n%s\n%+v", d.Path, one.Rule.ID, one.Text, one.Edit.Diff(), one.Saves))
				}
			}
			for _, r := range Rules() {
				t.Logf("%-22s %5d findings in %d Dockerfiles", r.ID, found[r.ID], looked)
			}
			r := rand.New(rand.NewPCG(1, 2))
			r.Shuffle(len(sample), func(i, j int) { sample[i], sample[j] = sample[j], sample[i] })
			for _, one := range sample[:min(*samples, len(sample))] {
				fmt.Println(one)
			}
		})
	}
}

// fixtureBuild makes the build of a Dockerfile; one without a graph if the
// builder takes none of it.
func fixtureBuild(d fixture.Dockerfile, builder cascade.Builder) (cascade.Build, map[string]string, fs.FS) {
	f, err := dockerfile.Read(d.Path)
	if err != nil {
		return cascade.Build{}, nil, nil
	}
	files := contextFor(f)
	g, err := cascade.New(f, cascade.Options{Builder: builder})
	if err != nil || clashes(files, "Dockerfile") {
		return cascade.Build{}, nil, nil
	}
	files["Dockerfile"] = string(f.Source)
	tree, disk := contextOf(files)
	return cascade.Build{Graph: g, Contexts: map[string]*buildcontext.Tree{"": tree}, Dockerfile: "Dockerfile"}, files, disk
}
