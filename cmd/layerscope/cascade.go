package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/images"
	"github.com/layerscope/layerscope/analyze/cascade/reads"
	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/view/report"
	"github.com/layerscope/layerscope/view/text"
)

const formatDOT = "dot"

// cascadeFlags are the flags of the command cascade.
type cascadeFlags struct {
	cmd *cobra.Command

	// The build.
	file          string
	builder       string
	target        string
	args          []string
	contexts      []string
	noCacheFilter []string
	noContext     bool

	// The change.
	lines  []string
	edited string
	files  []string
	git    string
	given  []string
	bases  []string

	// What is known of it.
	same, differs []string
	image         string
	logs          []string
	offline       bool

	showFiles bool
	format    string
}

func newCascade(a *app) *cobra.Command {
	f := &cascadeFlags{}
	cmd := &cobra.Command{
		Use:   "cascade [CONTEXT]",
		Short: "Tell what a build runs again because of a change",
		Long:  cascadeUsage,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return &usageError{fmt.Errorf("unexpected argument %q", args[1]), cmd}
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return a.cascade(cmd.Context(), dir, f)
		},
	}
	f.cmd = cmd
	f.register(a)
	return cmd
}

// register makes the flags.
func (f *cascadeFlags) register(a *app) {
	flags := f.cmd.Flags()
	flags.StringVarP(&f.file, "build-file", "f", "", "the Dockerfile")
	var builders []string
	for _, b := range cascade.Builders() {
		builders = append(builders, string(b))
	}
	f.builder = builders[0]
	choiceFlag(f.cmd, "builder", "whose cache rules count", &f.builder, builders...)
	flags.StringVar(&f.target, "target", "", "the stage that is built")
	flags.StringArrayVar(&f.args, "build-arg", nil, "a build argument")
	flags.StringArrayVar(&f.contexts, "build-context", nil, "a named context")
	flags.StringArrayVar(&f.noCacheFilter, "no-cache-filter", nil, "stages that are built without the cache")
	flags.BoolVar(&f.noContext, "no-context", false, "don't look at the files of the context")

	flags.StringArrayVar(&f.lines, "line", nil, "lines that are edited, however")
	flags.StringVar(&f.edited, "dockerfile", "", "what the Dockerfile becomes")
	flags.StringArrayVar(&f.files, "file", nil, "files of the context that change")
	flags.StringVar(&f.git, "git", "", "what changed since a revision, or between two")
	flags.StringArrayVar(&f.given, "arg", nil, "a build argument that gets another value")
	flags.StringArrayVar(&f.bases, "base", nil, "an image whose digest has moved")

	flags.StringArrayVar(&f.same, "same", nil, "a path or stage whose bytes come out the same")
	flags.StringArrayVar(&f.differs, "differs", nil, "a path or stage whose bytes come out different")
	flags.StringVar(&f.image, "image", "", "image built from the Dockerfile, for its bytes")
	flags.StringArrayVar(&f.logs, "log", nil, "log of a build, for its times")
	flags.BoolVar(&f.offline, "offline", false, "ask neither daemon nor registry for base images")
	flags.BoolVar(&f.showFiles, "files", false, "show which files of the context are read")
	formatFlag(f.cmd, &f.format, formatMarkdown, formatDOT)
	// The errors are for flags that aren't there.
	_ = f.cmd.RegisterFlagCompletionFunc("image", func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		return a.completeImage(cmd, nil, begun)
	})
}

// usageError returns a wrong use of the flags.
func (f *cascadeFlags) usageError(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...), f.cmd}
}

// cascade tells what a build of a context runs again.
func (a *app) cascade(ctx context.Context, dir string, f *cascadeFlags) error {
	if f.showFiles && (f.format == formatMarkdown || f.format == formatDOT) {
		return f.usageError("--files is for the formats text and json, not for %s", f.format)
	}
	in, err := a.readBuild(ctx, dir, f)
	if err != nil {
		return err
	}
	p, err := in.plan(ctx, f)
	if err != nil {
		return err
	}
	c := report.Cascade{Dockerfile: in.shown, Context: in.dir, Prediction: p.prediction, Changes: p.changes, Notes: p.notes}
	if len(p.changes) == 0 {
		if c.Impacts, err = cascade.Impacts(ctx, p.after); err != nil {
			return err
		}
	}
	if err := a.measure(ctx, f, p, &c); err != nil {
		return err
	}
	if c.Findings, err = p.advise(ctx, c.Measures); err != nil {
		return err
	}
	if f.showFiles {
		if c.Files, err = p.files(ctx); err != nil {
			return err
		}
	}
	return a.writeCascade(report.AboutCascade(c), f.format)
}

// writeCascade writes a report of a cascade.
func (a *app) writeCascade(c *report.Cascade, format string) error {
	switch format {
	case formatJSON:
		return report.CascadeJSON(a.out, c, tool())
	case formatMarkdown:
		return report.CascadeMarkdown(a.out, c, a.textOptions())
	case formatDOT:
		return report.CascadeDOT(a.out, c)
	}
	return report.CascadeText(a.out, c, a.textOptions())
}

// plan is a build before and after a change, and what becomes of it.
type plan struct {
	in            *buildInput
	before, after cascade.Build
	changes       []report.CascadeChange
	edits         []string // files of the context that change
	gitsOwn       string   // a file of Git's own that changes too; "" for none
	prediction    *cascade.Prediction
	notes         []cascade.Note
}

// plan makes the graphs and predicts.
func (in *buildInput) plan(ctx context.Context, f *cascadeFlags) (*plan, error) {
	p := &plan{in: in}
	change, err := in.change(ctx, f, p)
	if err != nil {
		return nil, err
	}
	if len(p.changes) == 0 && len(f.same)+len(f.differs) > 0 {
		return nil, &source.HintError{
			Err:  errors.New("--same and --differs want a change"),
			Hint: "they settle what a change may run again: give one with --line, --file or --git",
		}
	}
	known, err := images.Find(ctx, images.Options{Source: in.source, Offline: f.offline}, in.builds(change)...)
	if err != nil {
		return nil, in.advise(err)
	}
	in.options.Images = known
	graph, err := cascade.New(in.file, in.options)
	if err != nil {
		return nil, in.advise(err)
	}
	p.before = cascade.Build{Graph: graph, Contexts: in.trees, Dockerfile: in.inside}
	after, assume, err := p.before.With(*change)
	if err != nil {
		return nil, in.advise(err)
	}
	p.after = after
	if assume.Content, err = after.Graph.Settle(f.same, f.differs); err != nil {
		return nil, err
	}
	if !f.showFiles {
		if err := after.Check(ctx); err != nil {
			return nil, noMatchHint(fmt.Errorf("%s: %w", in.shown, err))
		}
	}
	if p.prediction, err = cascade.Predict(ctx, after, []cascade.Build{p.before}, assume); err != nil {
		return nil, err
	}
	p.note(known, f)
	return p, p.noteGit(ctx)
}

// builds are those whose images are looked for.
func (in *buildInput) builds(c *cascade.Change) []images.Build {
	before := images.Build{File: in.file, Options: in.options}
	after := before
	if c.File != nil {
		after.File = c.File
	}
	after.Options.Args = merged(in.options.Args, c.Args)
	return []images.Build{before, after}
}

// note says what can't be known.
func (p *plan) note(known *images.Known, f *cascadeFlags) {
	g := p.after.Graph
	p.notes = append(p.notes, g.Notes...)
	p.noteMissing(known.Missing())
	unknown := map[string]bool{}
	for _, n := range g.Nodes {
		if n.Kind != cascade.KindLocal || p.after.Contexts[n.Context] != nil || unknown[n.Context] {
			continue
		}
		unknown[n.Context] = true
		what := "the context"
		if n.Context != "" {
			what = "the context " + n.Context
		}
		p.notes = append(p.notes, cascade.Note{Text: fmt.Sprintf("the files of %s aren't known, and taken for the same as before", what)})
	}
	if tree := p.after.Contexts[""]; tree != nil {
		p.noteLeftOut(tree)
	}
	if syntax := dockerfile.Syntax(p.after.Graph.File.Source); syntax != "" {
		p.notes = append(p.notes, cascade.Note{Text: fmt.Sprintf("the builder takes the frontend %s, whose rules may be others than those of the BuildKit that we know", syntax)})
	}
	p.notes = append(p.notes, p.argNotes(f)...)
	p.notes = append(p.notes, p.filterNotes()...)
}

// noteGit says which instructions take what Git keeps of its own, as it is seldom
// meant.
func (p *plan) noteGit(ctx context.Context) error {
	if p.gitsOwn == "" {
		return nil
	}
	took, err := reads.Readers(ctx, p.after, p.gitsOwn)
	if err != nil {
		return err
	}
	for _, s := range took {
		p.notes = append(p.notes, cascade.Note{Lines: s.Lines, Text: "Git's own files (.git), which it takes, change with every commit: it runs again then; .git in .dockerignore keeps it cached"})
	}
	return nil
}

// noteMissing says of the images that aren't known why, once for each: in the
// note that the graph has of it, if there is one.
func (p *plan) noteMissing(missing []images.Missing) {
	for _, m := range missing {
		why, said := fmt.Sprintf("%s wasn't found: %v", m.Reference, m.Err), false
		for i, n := range p.notes {
			if name, rest, ok := strings.Cut(strings.TrimPrefix(n.Text, "the image "), " isn't known: "); ok && sameImage(name, m.Reference) {
				p.notes[i].Text, said = fmt.Sprintf("the image %s isn't known (%v): %s", name, m.Err, rest), true
			}
		}
		if !said {
			p.notes = append(p.notes, cascade.Note{Text: why})
		}
	}
}

// sameImage tells whether two names are those of one image.
func sameImage(a, b string) bool {
	full := func(name string) string {
		if named, err := reference.ParseNormalizedNamed(name); err == nil {
			return reference.TagNameOnly(named).String()
		}
		return name
	}
	return full(a) == full(b)
}

// noteLeftOut names the files that change and that .dockerignore leaves out, a
// few of many.
func (p *plan) noteLeftOut(tree *buildcontext.Tree) {
	const most = 5
	paths := slices.DeleteFunc(tree.LeftOut(), func(path string) bool { return path == p.in.inside })
	shown := paths[:min(len(paths), most)]
	for _, path := range shown {
		p.notes = append(p.notes, cascade.Note{Text: fmt.Sprintf("%s is left out by %s: what becomes of it changes nothing", path, tree.IgnoreFile())})
	}
	if more := len(paths) - len(shown); more > 0 {
		p.notes = append(p.notes, cascade.Note{Text: fmt.Sprintf("%s more of the files that change are left out by %s", text.Count(more), tree.IgnoreFile())})
	}
}

// filterNotes names what --no-cache-filter takes for stages and that are none,
// which builders pass over in silence.
func (p *plan) filterNotes() (notes []cascade.Note) {
	g := p.after.Graph
	for _, name := range g.Options.NoCache {
		is := func(s *cascade.Stage) bool { return strings.EqualFold(s.Name, name) }
		if name != "" && !slices.ContainsFunc(g.Stages, is) {
			notes = append(notes, cascade.Note{Text: fmt.Sprintf("--no-cache-filter names %s, and no stage has that name", name)})
		}
	}
	return notes
}

// argNotes names the arguments that are given another value and that nothing
// declares.
func (p *plan) argNotes(f *cascadeFlags) (notes []cascade.Note) {
	declared := map[string]bool{}
	for _, s := range p.after.Graph.Steps {
		if s.Keyword == "ARG" {
			for _, name := range s.Variables() {
				declared[name] = true
			}
		}
	}
	for _, kv := range f.given {
		if name, _, _ := strings.Cut(kv, "="); !declared[name] {
			notes = append(notes, cascade.Note{Text: fmt.Sprintf("no ARG declares %s", name)})
		}
	}
	return notes
}

// files tells which files the build reads, and which instructions take those
// that change.
func (p *plan) files(ctx context.Context) (*report.CascadeFiles, error) {
	r, err := reads.Of(ctx, p.after)
	if err != nil {
		return nil, err
	}
	out := &report.CascadeFiles{Report: r}
	for _, path := range p.edits {
		took, err := reads.Readers(ctx, p.after, path)
		if err != nil {
			return nil, err
		}
		out.Changed = append(out.Changed, report.ChangedFile{Path: path, Took: took})
	}
	return out, nil
}

// noMatchHint says what to do about a copy of what isn't there.
func noMatchHint(err error) error {
	if none, ok := errors.AsType[*buildcontext.NoMatchError](err); ok && none.Ignored == "" {
		return &source.HintError{Err: err, Hint: "the build would fail there; with --no-context the files aren't looked at"}
	}
	return err
}
