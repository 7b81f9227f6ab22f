//go:build linux

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/advice"
	parsed "github.com/layerscope/layerscope/analyze/dockerfile"
)

// toolbox is an image of a shell, whose package managers only say that they ran.
const toolbox = `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir -p /usr/local/bin && for t in npm apk go; do printf '#!/bin/sh\necho "$@" >> /ran\n' > /bin/$t; chmod 755 /bin/$t; done
RUN echo %s > /version
`

// toolboxes builds the toolbox in two versions and pushes them; it returns the
// name without a version.
func (l *lab) toolboxes(t *testing.T) string {
	t.Helper()
	return once(t, "toolbox", func() (string, error) {
		shell, err := os.ReadFile("/bin/busybox")
		if err != nil {
			return "", err
		}
		name := l.Registry + "/" + ours + "/toolbox"
		for _, version := range []string{"1", "2"} {
			dir := t.TempDir()
			writeFiles(t, dir, map[string]string{"Dockerfile": fmt.Sprintf(toolbox, version), "busybox": string(shell)})
			if err := os.Chmod(filepath.Join(dir, "busybox"), 0o755); err != nil {
				return "", err
			}
			l.ranIn(t, dir, "--output", push+name+":"+version)
		}
		return name, nil
	})
}

const push = "type=image,push=true,registry.insecure=true,name="

// moveBase makes the base an image of a version.
func (l *lab) moveBase(t *testing.T, version string) string {
	t.Helper()
	name := l.toolboxes(t)
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"Dockerfile": "FROM " + name + ":" + version + "\n"})
	l.ranIn(t, dir, "--output", push+name+":moving")
	return name + ":moving"
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		if err := write(filepath.Join(dir, name), content, false); err != nil {
			t.Fatal(err)
		}
	}
}

// ranIn has BuildKit build a directory, and returns the vertices that it ran
// rather than take from its cache.
func (l *lab) ranIn(t *testing.T, dir string, args ...string) map[string]bool {
	t.Helper()
	cmd := exec.Command(l.Buildctl, append([]string{"--addr", l.BuildKitHost, "build", "--progress", "rawjson", "--frontend", "dockerfile.v0",
		"--local", "context=" + dir, "--local", "dockerfile=" + dir}, args...)...)
	cmd.Env = l.env()
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("building: %v\n%s", err, out.Bytes())
	}
	ran, cached := map[string]bool{}, map[string]bool{}
	for d := json.NewDecoder(&out); d.More(); {
		var status struct {
			Vertexes []struct {
				Name    string
				Started *string
				Cached  bool
			}
		}
		if err := d.Decode(&status); err != nil {
			t.Fatal(err)
		}
		for _, v := range status.Vertexes {
			// One event decides that a vertex was cached.
			cached[v.Name] = cached[v.Name] || v.Cached
			ran[v.Name] = ran[v.Name] || v.Started != nil
		}
	}
	for name := range cached {
		if cached[name] {
			delete(ran, name)
		}
	}
	return ran
}

// rerun returns those of a graph's instructions that are among the vertices that
// ran.
func rerun(g *cascade.Graph, ran map[string]bool) (texts []string) {
	for _, s := range g.Steps {
		if !s.Works() {
			continue
		}
		label := s.Nodes[len(s.Nodes)-1].Label
		place := fmt.Sprintf("[%d/%d] ", label.Index, label.Total)
		if label.Stage != "" {
			place = fmt.Sprintf("[%s %d/%d] ", label.Stage, label.Index, label.Total)
		}
		for name := range ran {
			// The merge of a COPY --link moves no data and is no rerun.
			if name, ok := strings.CutPrefix(name, place); ok && !strings.HasPrefix(name, "LINK ") {
				texts = append(texts, s.Text)
				break
			}
		}
	}
	return texts
}

// TestAdvice holds what findings claim to what BuildKit does: it builds the file
// as it is and the rewritten one, changes what the finding names, builds again,
// and is seen to run as many instructions again as were claimed.
func TestAdvice(t *testing.T) {
	l := open(t, registry, buildKit)
	base := l.moveBase(t, "1")
	project := map[string]string{"package.json": "{}", "package-lock.json": "{}", "src/app.js": "1\n"}
	for _, tt := range []struct {
		rule, dockerfile string
		change           func(dir string) (args []string)
		saved            []string // run again as the file is, and not when it is rewritten
	}{
		{
			"dockerfile-in-context", "FROM BASE\nENV CASE=1\nWORKDIR /app\nCOPY . .\nRUN npm run build\n",
			func(dir string) []string { return appendTo(t, dir, "Dockerfile", "# a comment\n") },
			[]string{"COPY . .", "RUN npm run build"},
		},
		{
			"copy-before-install", "FROM BASE AS build\nENV CASE=1\nWORKDIR /app\nCOPY . .\nRUN npm ci\nRUN npm run build\nFROM scratch\nCOPY --from=build /ran /ran\n",
			func(dir string) []string { return appendTo(t, dir, "src/app.js", "2\n") },
			[]string{"RUN npm ci"},
		},
		{
			"early-variable", "FROM BASE\nENV CASE=1\nARG GIT_SHA\nRUN apk add git\nCOPY src /src\nRUN echo $GIT_SHA\n",
			func(string) []string { return []string{"--opt", "build-arg:GIT_SHA=0.0.0-other"} },
			[]string{"RUN apk add git", "COPY src /src"},
		},
		{
			"early-platform", "FROM --platform=$BUILDPLATFORM BASE AS build\nENV CASE=1\nARG TARGETARCH\nCOPY src /src\nRUN apk add git\nRUN go build $TARGETARCH $CASE\nFROM scratch\nCOPY --from=build /ran /ran\n",
			func(string) []string { return []string{"--opt", "platform=linux/arm64"} },
			[]string{"RUN apk add git"},
		},
		{
			"no-link", "FROM scratch AS files\nCOPY src /out/\nFROM BASE\nENV CASE=1\nCOPY --from=files /out/ /opt/app/\nCOPY src/app.js /usr/local/bin/\n",
			func(string) []string { l.moveBase(t, "2"); return nil },
			[]string{"COPY --from=files /out/ /opt/app/", "COPY src/app.js /usr/local/bin/"},
		},
		{
			"workdir-slash", "FROM BASE\nENV CASE=1\nWORKDIR /app/\nCOPY src .\nRUN npm run build\n",
			func(dir string) []string {
				text := strings.ReplaceAll(readFile(t, dir, "Dockerfile"), "/app/\n", "/app\n")
				writeFiles(t, dir, map[string]string{"Dockerfile": text})
				return nil
			},
			[]string{"RUN npm run build"},
		},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			dir := t.TempDir()
			writeFiles(t, dir, project)
			writeFiles(t, dir, map[string]string{"Dockerfile": strings.ReplaceAll(tt.dockerfile, "BASE", base)})
			was, found := adviceOf(t, dir, tt.rule)
			before := l.again(t, dir, was, tt.change)

			l.moveBase(t, "1")
			dir = t.TempDir()
			writeFiles(t, dir, project)
			text := string(was.File.Source)
			if r := found.Edit.Dockerfile; r != nil {
				text = r.After
			}
			if r := found.Edit.Ignore; r != nil {
				writeFiles(t, dir, map[string]string{r.Name: r.After})
			}
			// So that nothing of the first builds is in its cache.
			writeFiles(t, dir, map[string]string{"Dockerfile": strings.ReplaceAll(text, "ENV CASE=1", "ENV CASE=2")})
			after := l.again(t, dir, graphOf(t, dir), tt.change)

			for what, claim := range map[string]struct {
				ran  []string
				cost cascade.Cost
			}{"as it is": {before, found.Saves.Before}, "rewritten": {after, found.Saves.After}} {
				if n := len(claim.ran); n < claim.cost.Misses || n > claim.cost.Misses+claim.cost.MayMisses {
					t.Errorf("%s %q ran again; claimed are %d, and %d that may", what, claim.ran, claim.cost.Misses, claim.cost.MayMisses)
				}
			}
			saved := slices.DeleteFunc(before, func(text string) bool { return slices.Contains(after, text) })
			same(t, tt.saved, saved)
		})
	}
}

// again builds a directory, changes it, builds it again, and returns what ran
// then.
func (l *lab) again(t *testing.T, dir string, g *cascade.Graph, change func(dir string) []string) []string {
	t.Helper()
	l.ranIn(t, dir)
	return rerun(g, l.ranIn(t, dir, change(dir)...))
}

func appendTo(t *testing.T, dir, name, more string) []string {
	t.Helper()
	writeFiles(t, dir, map[string]string{name: readFile(t, dir, name) + more})
	return nil
}

func readFile(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func graphOf(t *testing.T, dir string) *cascade.Graph {
	t.Helper()
	f, err := parsed.Read(filepath.Join(dir, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := cascade.New(f, cascade.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// adviceOf returns the graph of a directory's build, and the one finding of a
// rule in it.
func adviceOf(t *testing.T, dir, rule string) (*cascade.Graph, advice.Finding) {
	t.Helper()
	g := graphOf(t, dir)
	tree, err := buildcontext.Read(t.Context(), dir, buildcontext.Options{Dockerfile: filepath.Join(dir, "Dockerfile")})
	if err != nil {
		t.Fatal(err)
	}
	b := cascade.Build{Graph: g, Contexts: map[string]*buildcontext.Tree{"": tree}, Dockerfile: "Dockerfile"}
	all, err := advice.Find(t.Context(), b, nil, os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(f advice.Finding) bool { return f.Rule.ID != rule })
	if len(all) != 1 {
		t.Fatalf("%d findings of %s", len(all), rule)
	}
	return g, all[0]
}
