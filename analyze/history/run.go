package history

import (
	"crypto/sha256"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// run reads the command of a RUN: "|1 A=b /bin/sh -c x", with the arguments
// and in exec form the shell left out.
func (d *decoder) run(s *Step, cmd string) {
	if args, rest, ok := d.cutArgs(s.Builder, cmd); ok {
		s.Args, cmd = args, rest
	}
	if rest, ok := d.cutShell(s.Builder, cmd); ok {
		cmd = rest
	}
	if s.Builder == BuildKit {
		cmd = heredoc(cmd)
	} else {
		cmd = cutChecksums(cutTails(cmd))
	}
	s.Instruction = "RUN"
	s.Text = strings.TrimSpace("RUN " + strings.TrimSpace(cmd))
}

// looksRun tells whether a container's command may be that of a RUN.
func (d *decoder) looksRun(by string) bool {
	if _, ok := d.cutShell(Classic, by); ok {
		return true
	}
	_, _, ok := cutCount(by)
	return ok
}

// cutShell takes the shell off a command in shell form. Only BuildKit's
// records are sure to name the SHELL in force: buildah's always have the
// default one.
func (d *decoder) cutShell(b Builder, cmd string) (string, bool) {
	for _, sh := range d.shells {
		if rest, ok := cutWord(cmd, sh); ok {
			return rest, true
		}
	}
	if b == BuildKit {
		return cmd, false
	}
	return cutWord(cmd, unixShell)
}

// cutWord is strings.CutPrefix for whole words.
func cutWord(s, prefix string) (string, bool) {
	rest, ok := strings.CutPrefix(s, prefix+" ")
	return rest, ok && prefix != ""
}

// pipes is where BuildKit puts the script of a heredoc that starts with "#!";
// the record holds its path and not its text.
const pipes = "/dev/pipes/"

// heredoc gives back the first line of such a heredoc: all that is left of it.
// Of others the record holds the text, or all of it.
func heredoc(cmd string) string {
	if name, ok := strings.CutPrefix(cmd, pipes); ok && !strings.ContainsAny(name, " \n\t") {
		return "<<" + name
	}
	return cmd
}

// cutCount reads the "|2 " before two build arguments.
func cutCount(s string) (n int, rest string, ok bool) {
	s, ok = strings.CutPrefix(s, "|")
	if !ok {
		return 0, "", false
	}
	digits, rest, ok := strings.Cut(s, " ")
	n, err := strconv.Atoi(digits)
	return n, rest, ok && err == nil && n > 0
}

// cutArgs takes the build arguments off a RUN's command. Values aren't quoted,
// so where the arguments end is where the shell starts, and a word that could
// be an argument or a part of a value makes the record ambiguous unless the
// count or the ARG records settle it: ok is false if they don't.
func (d *decoder) cutArgs(b Builder, cmd string) (args []Arg, rest string, ok bool) {
	n, s, ok := cutCount(cmd)
	if !ok {
		return nil, cmd, false
	}
	var starts []int
	words, end := 0, -1
	for at, word := range wordsOf(s) {
		// buildah counts the words of its arguments, others the arguments.
		if len(starts) >= n || b != BuildKit && words == n {
			if _, ok := d.cutShell(b, s[at:]); ok {
				end = at
				break
			}
		}
		if isArg(word) {
			starts = append(starts, at)
		}
		words++
	}
	if end < 0 {
		return d.cutKnownArgs(n, s)
	}
	if len(starts) > n {
		starts = slices.DeleteFunc(starts, func(at int) bool { return !d.declared(s[at:end]) })
	}
	if len(starts) == 0 || starts[0] != 0 || len(starts) != n && words != n {
		return nil, cmd, false
	}
	return splitArgs(s[:end], starts), s[end:], true
}

// cutKnownArgs takes n arguments off a command in exec form, which no shell
// marks the start of: the ARG records must have told their values.
func (d *decoder) cutKnownArgs(n int, s string) (args []Arg, rest string, ok bool) {
	rest = s
	for range n {
		name, _, _ := strings.Cut(rest, "=")
		value, known := d.args[name]
		if rest, ok = strings.CutPrefix(rest, name+"="+value+" "); !known || !ok {
			return nil, "", false
		}
		args = append(args, Arg{name, value})
	}
	return args, rest, true
}

// splitArgs splits "A=1 B=2 3" at the starts of its arguments.
func splitArgs(s string, starts []int) []Arg {
	args := make([]Arg, len(starts))
	for i, at := range starts {
		end := len(s)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(s[at:end], " "), "=")
		args[i] = Arg{name, value}
	}
	return args
}

// wordsOf yields the words of s, split at single spaces, with their offsets.
func wordsOf(s string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for at := 0; at <= len(s); {
			word, _, _ := strings.Cut(s[at:], " ")
			if !yield(at, word) {
				return
			}
			at += len(word) + 1
		}
	}
}

var argName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// isArg tells whether a word may start an argument.
func isArg(word string) bool {
	name, _, ok := strings.Cut(word, "=")
	return ok && argName.MatchString(name)
}

// declared tells whether "name=value" is an argument some ARG record declared.
func (d *decoder) declared(s string) bool {
	name, _, _ := strings.Cut(s, "=")
	_, ok := d.args[name]
	return ok
}

// declare remembers the arguments of an ARG record: "A=1 B", in buildah's
// without values.
func (d *decoder) declare(s string) {
	var starts []int
	for at, word := range wordsOf(s) {
		if isArg(word) {
			starts = append(starts, at)
		} else if argName.MatchString(word) {
			d.args[word] = ""
		}
	}
	for _, a := range splitArgs(s, starts) {
		d.args[a.Name] = a.Value
	}
}

// tails are what buildah appends to a record so that its cache tells apart
// what the instruction alone doesn't: "|inheritLabels=false".
var tails = regexp.MustCompile(`(?:\|(?:inheritLabels|unsetLabel|force-mtime)=[^\s|]*)+$`)

func cutTails(s string) string {
	return strings.TrimRight(s[:len(s)-len(tails.FindString(s))], " ")
}

var (
	runFlags  = regexp.MustCompile(`^\s*(?:--\S+\s+)+`)
	bindMount = regexp.MustCompile(`--mount=(?:\S*,)?type=bind\b`)
)

// cutChecksums takes off what buildah appends to a RUN for each bind mount of
// which it knows the contents, ":<sha256>" (stage_executor.go, getCreatedBy): at
// most as many as there are bind mounts. Docker's records never have the flags
// and so lose nothing.
func cutChecksums(cmd string) string {
	ok := true
	for range bindMount.FindAllStringIndex(runFlags.FindString(cmd), -1) {
		if cmd, ok = cutChecksum(cmd); !ok {
			break
		}
	}
	return cmd
}

// cutChecksum takes off one checksum, with or without its algorithm, but not
// the author's own "image@sha256:…".
func cutChecksum(cmd string) (string, bool) {
	at := len(cmd) - len(":") - sha256.Size*2
	if at < 0 || cmd[at] != ':' || !isHex(cmd[at+1:]) {
		return cmd, false
	}
	rest := cmd[:at]
	if strings.HasSuffix(rest, "@sha256") {
		return cmd, false
	}
	return strings.TrimSuffix(rest, ":sha256"), true
}
