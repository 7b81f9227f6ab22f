package history

import (
	"regexp"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// decoder reads an image's records in order.
type decoder struct {
	// shells are the commands that may stand before that of a RUN in shell
	// form, their arguments joined by spaces: the SHELL in force if a record
	// told it, else the defaults and the config's.
	shells []string
	// shell is the SHELL of the config, which may be that of any record.
	shell []string
	// args are the build arguments that ARG records declared.
	args map[string]string
	// buildah is set if buildah had a hand in the image.
	buildah bool
}

const (
	unixShell    = "/bin/sh -c"
	windowsShell = "cmd /S /C"
	nopMarker    = "#(nop)" // of an instruction that ran no command
)

func decode(cfg *v1.ConfigFile) []Step {
	d := decoder{
		shells:  []string{unixShell, windowsShell},
		shell:   cfg.Config.Shell,
		args:    map[string]string{},
		buildah: anyBuildah(cfg),
	}
	if len(d.shell) > 0 {
		d.shells = append(d.shells, strings.Join(d.shell, " "))
	}
	steps := make([]Step, len(cfg.History))
	for i := range cfg.History {
		steps[i] = d.step(&cfg.History[i])
	}
	return steps
}

// step reads one record. Its Text is left empty if the record has none.
func (d *decoder) step(h *v1.History) Step {
	s := Step{
		CreatedBy: h.CreatedBy, Comment: h.Comment, Author: h.Author,
		Created: h.Created.Time, Empty: h.EmptyLayer, Layer: -1,
		Builder: d.recognise(h),
	}
	switch s.Builder {
	case BuildKit:
		d.buildkit(&s)
	case Classic, Buildah:
		d.classic(&s)
	case Kaniko, Unknown: // the Dockerfile's own line, or perhaps one
		d.instruction(&s, s.CreatedBy)
	default:
		s.Text = toolText(&s)
	}
	s.Text = firstText(s.Text, s.CreatedBy, s.Comment)
	return s
}

// buildkit reads a record of BuildKit's Dockerfile frontend
// (dockerfile2llb/convert.go, commitToHistory).
func (d *decoder) buildkit(s *Step) {
	if s.Comment == exporterComment {
		return
	}
	text := strings.TrimSuffix(s.CreatedBy, buildkitSuffix)
	if cmd, ok := strings.CutPrefix(text, "RUN "); ok {
		d.run(s, cmd)
		return
	}
	d.instruction(s, text)
}

// classic reads a record of docker's first builder or of buildah: the command
// of the container that was committed, which for an instruction that runs none
// is a comment to the shell.
func (d *decoder) classic(s *Step) {
	if text, ok := d.cutNop(s.CreatedBy); ok {
		d.instruction(s, cutTails(text))
	} else if d.looksRun(s.CreatedBy) {
		d.run(s, s.CreatedBy)
	}
}

// cutNop takes "/bin/sh -c #(nop) " off an instruction.
func (d *decoder) cutNop(by string) (string, bool) {
	if rest, ok := d.cutShell(Classic, by); ok {
		if text, ok := strings.CutPrefix(rest, nopMarker); ok {
			return strings.TrimSpace(text), true
		}
	}
	// A SHELL is recorded with the shell that it sets before it:
	// "/bin/bash -c #(nop)  SHELL [/bin/bash -c]".
	sh, text, ok := strings.Cut(by, " "+nopMarker+"  ")
	return text, ok && text == "SHELL ["+sh+"]"
}

// keyword is a Dockerfile instruction's first word and the space after it.
var keyword = regexp.MustCompile(`^(?i:ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|` +
	`MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)(?:\s+|$)`)

// instruction reads a Dockerfile line.
func (d *decoder) instruction(s *Step, line string) {
	line = strings.TrimSpace(line)
	s.Text = line
	word := keyword.FindString(line)
	name := strings.ToUpper(strings.TrimSpace(word))
	if word == "" || s.Builder == Unknown && !strings.HasPrefix(line, name) {
		return
	}
	s.Instruction = name
	rest := line[len(word):]
	switch name {
	case "ARG":
		d.declare(rest)
	case "SHELL":
		d.setShell(s, rest)
	default:
		if r := rewrite(name, rest); r != rest {
			s.Text = name + " " + r
		}
	}
}

// toolText returns the text of a record that no Dockerfile stands behind.
func toolText(s *Step) string {
	switch s.Builder {
	case Ko: // two layers of one command
		return joinText(s.CreatedBy, s.Comment)
	case Jib: // "jib-gradle-plugin:3.4.0", "dependencies"
		if s.Comment != "" {
			return joinText("jib", s.Comment)
		}
	case Apko:
		return joinText("apko", s.Comment)
	case Buildpacks:
		if m := buildpackLayer.FindStringSubmatch(s.CreatedBy); m != nil {
			return joinText(m[2], m[1])
		}
	case Nix:
		return strings.Join(storePath.FindAllString(s.Comment, -1), " ")
	case Debuerreotype: // "# debian.sh --arch 'amd64' out/ 'trixie' '@1757289600'"
		return strings.TrimPrefix(s.CreatedBy, "# ")
	}
	return s.CreatedBy
}

// storePath is a path in "store paths: ['/nix/store/…', '/nix/store/…']", a
// Python list.
var storePath = regexp.MustCompile(`/nix/store/[^'",\s\]]+`)

func joinText(who, what string) string {
	who, what = strings.TrimSpace(who), strings.TrimSpace(what)
	if who == "" || what == "" {
		return who + what
	}
	return who + ": " + what
}
