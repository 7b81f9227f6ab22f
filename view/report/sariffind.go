package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/layerscope/layerscope/analyze/gate"
	"github.com/layerscope/layerscope/analyze/waste"
	"github.com/layerscope/layerscope/view/text"
)

// finder makes results of findings.
type finder struct {
	Subject
	rules   []sarifRule
	index   map[string]int // of the rules, by ID
	results []sarifResult
	seen    map[string]int // fingerprints, and how many results have them
}

func newFinder(s Subject, rules []sarifRule) *finder {
	f := &finder{Subject: s, rules: rules, index: map[string]int{}, results: []sarifResult{}, seen: map[string]int{}}
	for i, r := range f.rules {
		f.index[r.ID] = i
	}
	return f
}

// finding is what is found of a step.
type finding struct {
	rule    string
	step    int // -1: of the image
	bytes   *int64
	message []string // sentences without their full stops
	related []sarifLocation
	about   string // what tells it from others of the rule and the step
}

// add adds the result of a finding.
func (f *finder) add(x finding) {
	i := f.index[x.rule]
	for j := range x.related {
		x.related[j].Message.Text = plainMessage(x.related[j].Message.Text)
	}
	f.results = append(f.results, sarifResult{
		RuleID: x.rule, RuleIndex: i, Level: f.rules[i].Default.Level,
		Message:      sarifText{plainMessage(strings.Join(x.message, ". ") + ".")},
		Locations:    []sarifLocation{f.location(x.step)},
		Related:      x.related,
		Fingerprints: map[string]string{"primaryLocationLineHash": f.fingerprint(x)},
		Properties:   sarifProperties{x.bytes, nullIndex(x.step)},
	})
}

// checksum is a part of a record that another build of the same Dockerfile may
// have otherwise.
var checksum = regexp.MustCompile(`\b[0-9a-f]{12,64}\b`)

// fingerprint returns what stays of a finding from build to build: its rule and
// the text of its instruction. Of several of the same the number tells.
func (f *finder) fingerprint(x finding) string {
	stable := ""
	if x.step >= 0 {
		stable = checksum.ReplaceAllString(f.Image.Steps[x.step].Text, "")
	}
	sum := sha256.Sum256([]byte(x.rule + "\x00" + stable + "\x00" + x.about))
	print := hex.EncodeToString(sum[:16])
	f.seen[print]++
	return print + ":" + strconv.Itoa(f.seen[print])
}

// plainMessage escapes what makes a link of text in a message ("[text](to)",
// SARIF 3.11.6).
func plainMessage(s string) string {
	if !strings.Contains(s, "](") {
		return s
	}
	return linkEscaper.Replace(s)
}

var linkEscaper = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`)

// Cells that a message spends on one piece of the image's text, and the paths
// and the reasons that it names.
const (
	messageText    = 100
	messagePaths   = 3
	messageReasons = 3
)

// quoted returns text of the image for a message.
func quoted(s string) string { return text.TruncateMiddle(text.OneLine(s), messageText) }

func stepName(step int) string { return "step " + strconv.Itoa(step) }

// does says which step does something, at the start of a sentence.
func (f *finder) does(step int, what string) string {
	return fmt.Sprintf("Step %d (%s) %s", step, quoted(f.Image.Steps[step].Text), what)
}

// relate returns the location of another step, and what it has to do with the
// finding.
func (f *finder) relate(step int, what string) sarifLocation {
	l := f.location(step)
	l.Message = &sarifText{f.does(step, what)}
	return l
}

// names are some paths, the first of which are told.
type names struct {
	first []string
	all   int
}

func (n *names) add(name func() string) {
	if n.all++; n.all <= messagePaths {
		n.first = append(n.first, name())
	}
}

// String returns "/a, /b, /c and 4 more".
func (n *names) String() string {
	s := strings.Join(n.first, ", ")
	if more := n.all - len(n.first); more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// copyName returns a copy's path and size.
func (f *finder) copyName(c waste.Copy) string {
	return fmt.Sprintf("%s (%s)", quoted(f.path(c.Path)), text.Size(c.Bytes))
}

// stores says how many bytes of how many files are stored.
func stores(s waste.Sum) string {
	return fmt.Sprintf("stores %s in %s", text.Size(s.Bytes), text.Plural(s.Copies, "file"))
}

// dead adds a result for each step that stores bytes which are dead.
func (f *finder) dead() {
	paths := make([]names, len(f.Image.Layers))
	for _, c := range f.Findings.Dead.Copies {
		paths[c.Ref.Layer].add(func() string { return f.copyName(c.Copy) })
	}
	var order []int // layers, those with the most bytes of a cause first
	causes := map[int][]waste.Cause{}
	for _, c := range f.causes() {
		if causes[c.Written] == nil {
			order = append(order, c.Written)
		}
		causes[c.Written] = append(causes[c.Written], c)
	}
	for _, k := range order {
		sum := f.Findings.Dead.Layers[k]
		x := finding{rule: ruleDead, step: f.step(k), bytes: &sum.Bytes, message: []string{
			f.does(f.step(k), stores(sum)+" that no path of the image leads to: "+paths[k].String())}}
		f.because(&x, causes[k])
		f.add(x)
	}
}

// because adds to a finding why bytes are dead and who killed them.
func (f *finder) because(x *finding, causes []waste.Cause) {
	var killers []int // layers, those that kill most first
	killed := map[int]int64{}
	for i, c := range causes {
		if i < messageReasons {
			x.message = append(x.message, upperFirst(f.advice(c)))
		}
		if killed[c.Killed] == 0 {
			killers = append(killers, c.Killed)
		}
		killed[c.Killed] += c.Bytes
	}
	for _, k := range killers {
		if step := f.step(k); step != x.step {
			x.related = append(x.related, f.relate(step, fmt.Sprintf("takes %s of %s out of reach", text.Size(killed[k]), stepName(x.step))))
		}
	}
	if more := len(causes) - messageReasons; more > 0 {
		x.message = append(x.message, "And so on, for "+text.Plural(more, "more reason"))
	}
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// disposable adds a result for each class of disposable files and step that
// brought some.
func (f *finder) disposable() {
	for _, class := range f.Findings.Disposable.Classes {
		paths := make([]names, len(f.Image.Layers))
		for _, c := range class.Files {
			paths[c.Origin].add(func() string { return f.copyName(c.Copy) })
		}
		for k, sum := range class.Origins {
			if sum.Copies == 0 || !f.Image.IsOwn(k) {
				continue
			}
			f.add(finding{rule: class.Rule.ID, step: f.step(k), bytes: &sum.Bytes, message: []string{
				f.does(f.step(k), stores(sum)+" that the image may not need, "+class.Rule.Title+": "+paths[k].String()),
				strings.TrimSuffix(class.Rule.Fix, "."),
			}})
		}
	}
}

// duplicates adds a result for each step that stores what the image has.
func (f *finder) duplicates() {
	paths := make([]names, len(f.Image.Layers))
	first := make([]waste.Copy, len(f.Image.Layers))
	for _, g := range f.Findings.Duplicates.Groups {
		for _, c := range g.Copies[1:] {
			k := c.Ref.Layer
			if paths[k].all == 0 {
				first[k] = g.Copies[0]
			}
			paths[k].add(func() string { return fmt.Sprintf("%s as %s", f.copyName(c), quoted(f.path(g.Copies[0].Path))) })
		}
	}
	for k, sum := range f.Findings.Duplicates.Layers {
		if sum.Copies == 0 || !f.Image.IsOwn(k) {
			continue
		}
		x := finding{rule: ruleDuplicates, step: f.step(k), bytes: &sum.Bytes, message: []string{
			f.does(f.step(k), stores(sum)+" that the image has elsewhere: "+paths[k].String()), "Store them once, or make links of them"}}
		if from := f.writer(first[k]); from != x.step {
			x.related = append(x.related, f.relate(from, "stores "+quoted(f.path(first[k].Path))))
		}
		f.add(x)
	}
}

// secretFiles adds a result for each leaked file.
func (f *finder) secretFiles() {
	for _, s := range f.Findings.SecretFiles {
		if !f.Image.IsOwn(int(s.Ref.Layer)) {
			continue
		}
		x := finding{rule: ruleSecretFile, step: f.writer(s.Copy), bytes: &s.Bytes, about: f.path(s.Path)}
		killer := f.step(s.KilledBy)
		x.message = []string{
			f.does(x.step, fmt.Sprintf("stores %s, by its name a secret (%s)", f.copyName(s.Copy), quoted(s.Kind))),
			fmt.Sprintf("That %s hides it keeps nobody who pulls the image from reading it", stepName(killer)),
			"Replace the secret, and give it to the build with RUN --mount=type=secret",
		}
		if killer != x.step {
			x.related = []sarifLocation{f.relate(killer, "hides "+quoted(f.path(s.Path)))}
		}
		f.add(x)
	}
}

// secretValues adds a result for each value in the history that looks secret.
func (f *finder) secretValues() {
	for _, v := range f.Findings.SecretValues {
		if f.Image.Steps[v.Step].Base {
			continue
		}
		f.add(finding{rule: ruleSecretValue, step: v.Step, about: v.In + " " + v.Name, message: []string{
			fmt.Sprintf("The history of step %d has a value that looks secret: %s", v.Step, quoted(v.Label()+"="+v.Masked)),
			"Everybody who pulls the image can read it",
			"Replace the secret, and give it to the build with RUN --mount=type=secret",
		}})
	}
}

// gates adds a result for each limit that the image isn't within.
func (f *finder) gates() {
	if f.Gates == nil {
		return
	}
	for _, r := range f.Gates.Results {
		if r.Level <= gate.Pass {
			continue
		}
		rule := ruleOverLimit
		if r.Level == gate.Warn {
			rule = ruleOverWarning
		}
		f.add(finding{rule: rule, step: -1, about: r.Rule.String(), message: []string{style{}.overLimit(r, quoted)}})
	}
}
