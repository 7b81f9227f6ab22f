package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/layerscope/layerscope/analyze/stages"
	"github.com/layerscope/layerscope/view/text"
)

// StagesText writes a report to be read: a table of the stages with what each
// stores, gives away and leaves behind, then for each stage what takes of it, and
// why it stores the rest.
func StagesText(w io.Writer, about Stages, opts TextOptions) error {
	t := stagesText{style{opts}, newStageReport(about)}
	return writeAll(w, func(w *bufio.Writer) {
		t.header(w)
		t.table(w)
		for _, s := range t.All {
			t.stage(w, s)
		}
		t.kept(w)
	})
}

type stagesText struct {
	style
	stageReport
}

// header says what was built, and how.
func (t stagesText) header(w *bufio.Writer) {
	fmt.Fprintln(w, t.cut(t.name(t.Dockerfile)))
	fmt.Fprintln(w)
	row := func(label, value string) { fmt.Fprintln(w, t.cut(fmt.Sprintf("  %-8s %s", label, value))) }
	if t.Context != "" {
		row("context", t.name(t.Context))
	}
	if t.Builder != "" {
		row("builder", t.Builder)
	}
	row("target", t.title(t.All[t.Target]))
}

// title names a stage.
func (t stagesText) title(s *stages.Stage) string {
	if s.Name == "" {
		return "stage " + strconv.Itoa(s.Index)
	}
	return fmt.Sprintf("stage %d, %s", s.Index, t.name(s.Name))
}

// table writes a row for each stage.
func (t stagesText) table(w *bufio.Writer) {
	fmt.Fprintln(w, "\nStages")
	table := table{style: t.style, cutLast: text.TruncateMiddle}
	table.columns = []column{
		{title: "#"}, {title: "STAGE", left: true}, {title: "STORED"}, {title: "COPIED OUT"}, {title: "FILES"}, {title: "LEFT BEHIND"},
		{title: "BECOMES", left: true}, {title: "FROM"},
	}
	for _, s := range t.All {
		out, files, left := t.unknown(), t.unknown(), t.unknown()
		if s.Known {
			out, files, left = t.size(s.Taken.Bytes), text.Count(s.Taken.Files), t.size(s.Left.Bytes)
		}
		if t.passedOn(s) { // all of it
			out, files = "", ""
		}
		name := t.shorten(t.name(s.Name), maxStageName, text.TruncateMiddle)
		table.add(strconv.Itoa(s.Index), name, t.size(s.Stored), out, files, left, t.becomes(s), t.foreign(t.redact.Text(s.Base)))
	}
	table.write(w)
}

// maxStageName is the most cells that a stage's name takes in a table of limited
// width.
const maxStageName = 20

// passedOn tells whether all of a stage is the target's, or another stage's.
func (t stagesText) passedOn(s *stages.Stage) bool { return s.Target || len(s.Heirs) > 0 }

// becomes says what becomes of a stage.
func (t stagesText) becomes(s *stages.Stage) string {
	switch {
	case s.Target:
		return "the image"
	case len(s.Heirs) > 0:
		var heirs []string
		for _, h := range s.Heirs[:min(len(s.Heirs), maxSteps)] {
			heirs = append(heirs, strconv.Itoa(h))
		}
		if more := len(s.Heirs) - maxSteps; more > 0 {
			heirs = append(heirs, fmt.Sprintf("+%d", more))
		}
		return "part of " + strings.Join(heirs, ", ")
	case !s.Needed:
		return "not needed"
	}
	return ""
}

// stage writes what takes of a stage, and what it leaves behind.
func (t stagesText) stage(w *bufio.Writer, s *stages.Stage) {
	if len(s.Takes) == 0 && s.Left.Copies == 0 {
		return
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, t.cut("S"+strings.TrimPrefix(t.title(s), "s")))
	t.takes(w, s)
	t.left(w, s)
}

// takes writes the instructions that take something of a stage.
func (t stagesText) takes(w *bufio.Writer, s *stages.Stage) {
	if len(s.Takes) == 0 {
		fmt.Fprintln(w, "  nothing takes anything of it")
		return
	}
	table := table{style: t.style, cutLast: text.Truncate}
	table.columns = []column{
		{title: "LINE"}, {title: "BY"}, {title: "HOW", left: true}, {title: "BYTES"}, {title: "FILES"}, {title: "PATHS", left: true}, {title: "INSTRUCTION"},
	}
	for _, k := range s.Takes {
		bytes, files := t.unknown(), t.unknown()
		if k.Err == nil {
			bytes, files = t.size(k.Bytes), text.Count(k.Files)
		}
		how := "copied"
		if takeKind(k) == "mount" {
			how = "mounted"
		}
		paths := t.shorten(t.name(t.redact.Text(strings.Join(takePaths(k), " "))), maxPaths, text.TruncateMiddle)
		table.add(k.Step.Lines.String(), strconv.Itoa(k.By), how, bytes, files, paths, t.foreign(t.text(k)))
	}
	table.write(w)
	for _, k := range s.Takes {
		if why := t.problem(k.Err); why != "" {
			fmt.Fprintln(w, t.cut(fmt.Sprintf("  line %s: %s", k.Step.Lines, t.foreign(why))))
		}
	}
}

// maxPaths is the most cells that an instruction's paths take on a line of
// limited width.
const maxPaths = 30

// left writes what a stage leaves behind, by cause.
func (t stagesText) left(w *bufio.Writer, s *stages.Stage) {
	if s.Left.Copies == 0 {
		return
	}
	table := table{style: t.style, cutLast: text.Truncate}
	table.columns = []column{{title: "LEFT BEHIND"}, {title: "FILES"}, {title: "CAUSE"}}
	for _, k := range byKind(s.Left.Parts) {
		var parts []string
		for _, p := range k.parts[:min(len(k.parts), maxParts)] {
			if p.Of.Part != "" {
				parts = append(parts, fmt.Sprintf("%s %s", t.foreign(p.Of.Part), t.size(p.Bytes)))
			}
		}
		if more := len(k.parts) - maxParts; more > 0 {
			parts = append(parts, fmt.Sprintf("%s more", text.Count(more)))
		}
		cause := k.kind.Title()
		if len(parts) > 0 {
			cause += ": " + strings.Join(parts, ", ")
		}
		table.add(t.size(k.bytes), text.Count(k.copies), cause)
	}
	table.write(w)
}

// kept lists the images that stay.
func (t stagesText) kept(w *bufio.Writer) {
	if !t.Kept {
		return
	}
	fmt.Fprintln(w, "\nImages kept")
	for _, s := range t.All {
		if s.Image != nil {
			fmt.Fprintln(w, t.cut(fmt.Sprintf("  %s  %s", s.Image.ID, t.title(s))))
		}
	}
}
