package advice

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// script is the commands of a RUN, as far as they can be told.
type script struct {
	commands [][]string // words of each
	// opaque tells that the commands aren't all that is done: the text has
	// pipes, substitutions and the like, or isn't a shell's.
	opaque bool
}

func newScript(c *instructions.RunCommand) *script {
	switch {
	case len(c.Files) > 1 || len(c.CmdLine) == 0:
		return &script{opaque: true}
	case len(c.Files) == 1:
		if parser.MustParseHeredoc(c.CmdLine[0]) == nil || strings.HasPrefix(c.Files[0].Data, "#!") {
			return &script{opaque: true}
		}
		return parseScript(c.Files[0].Data)
	case !c.PrependShell:
		return &script{commands: [][]string{c.CmdLine}}
	}
	return parseScript(strings.Join(c.CmdLine, " "))
}

// parseScript splits a shell's text into commands that are done one after
// another, and each into words.
func parseScript(text string) *script {
	l := &lexer{text: text, script: &script{}}
	for l.at < len(text) {
		l.next()
	}
	l.endCommand()
	s := l.script
	for i, words := range s.commands {
		s.commands[i] = plainWords(words)
		if len(s.commands[i]) > 0 && slices.Contains(shellWords, s.commands[i][0]) {
			s.opaque = true
		}
	}
	s.commands = slices.DeleteFunc(s.commands, func(words []string) bool { return len(words) == 0 })
	return s
}

// lexer reads a shell's text.
type lexer struct {
	*script
	text   string
	at     int
	words  []string
	word   strings.Builder
	inWord bool
}

func (l *lexer) endWord() {
	if l.inWord {
		l.words = append(l.words, l.word.String())
		l.word.Reset()
		l.inWord = false
	}
}

func (l *lexer) endCommand() {
	l.endWord()
	if len(l.words) > 0 {
		l.commands = append(l.commands, l.words)
		l.words = nil
	}
}

func (l *lexer) add(s string) {
	l.word.WriteString(s)
	l.inWord = true
}

// next reads what is next.
func (l *lexer) next() {
	c, rest := l.text[l.at], l.text[l.at+1:]
	l.at++
	switch c {
	case ' ', '\t', '\r':
		l.endWord()
	case ';', '\n':
		l.endCommand()
	case '&':
		if strings.HasPrefix(rest, "&") {
			l.at++
		} else {
			l.opaque = true
		}
		l.endCommand()
	case '|', '<', '>', '(', ')', '`':
		l.opaque = true
		l.endWord()
	case '#':
		if l.inWord {
			l.add("#")
		} else if i := strings.IndexByte(rest, '\n'); i >= 0 {
			l.at += i
		} else {
			l.at = len(l.text)
		}
	case '\\':
		if rest != "" && rest[0] != '\n' {
			l.add(rest[:1])
		}
		l.at++
	case '\'', '"':
		l.quotation(c)
	default:
		l.opaque = l.opaque || c == '$' && strings.HasPrefix(rest, "(")
		l.add(l.text[l.at-1 : l.at])
	}
}

// quotation reads what is in quotation marks.
func (l *lexer) quotation(mark byte) {
	end := quoted(l.text, l.at-1)
	if end < 0 {
		l.opaque = true
		l.at = len(l.text)
		return
	}
	inner := l.text[l.at:end]
	if mark == '"' && (strings.Contains(inner, "$(") || strings.Contains(inner, "`")) {
		l.opaque = true
	}
	l.add(inner)
	l.at = end + 1
}

// shellWords begin commands that hold others.
var shellWords = []string{"if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "{", "}", "!", "function", "eval", "exec", ".", "source"}

// quoted returns where a quotation ends that begins at a place; -1 if it
// doesn't.
func quoted(text string, at int) int {
	for i := at + 1; i < len(text); i++ {
		if text[i] == '\\' && text[at] == '"' {
			i++
			continue
		}
		if text[i] == text[at] {
			return i
		}
	}
	return -1
}

// plainWords returns a command without the variables that are set for it, and
// without sudo, env and the path of the program.
func plainWords(words []string) []string {
	for len(words) > 0 {
		name, _, ok := strings.Cut(words[0], "=")
		if words[0] != "sudo" && words[0] != "env" && !(ok && isName(name)) {
			break
		}
		words = words[1:]
	}
	if len(words) > 0 && strings.HasPrefix(words[0], "/") {
		words = append([]string{path.Base(words[0])}, words[1:]...)
	}
	return words
}

// isName tells whether a word is a variable's name.
func isName(word string) bool {
	for i := range len(word) {
		if !wordByte(word[i]) {
			return false
		}
	}
	return word != ""
}

// effect is what a command needs and leaves.
type effect struct {
	known bool // it is told at all
	heavy bool // it takes time: something is downloaded or unpacked
	// install is of what a project's manifests name; nil for a command that
	// reads nothing of the project and doesn't hang on the working directory.
	install *install
}

// install is a command that installs what manifests name.
type install struct {
	tool *tool
	args []string // behind the tool's name
	dir  string   // below the working directory, by a cd before it
}

// effects returns what each command of a RUN needs; nil if one can't be told.
func (s *script) effects() []effect {
	if s.opaque || len(s.commands) == 0 {
		return nil
	}
	var all []effect
	dir := ""
	for _, words := range s.commands {
		if words[0] == "cd" && len(words) == 2 && !strings.HasPrefix(words[1], "/") && !strings.ContainsAny(words[1], "$~-") {
			dir = path.Join(dir, words[1])
			continue
		}
		e := effectOf(words)
		if !e.known {
			return nil
		}
		if e.install != nil {
			e.install.dir = dir
		}
		all = append(all, e)
	}
	return all
}

// effectOf tells what a command needs.
func effectOf(words []string) effect {
	if e, ok := systemEffect(words); ok {
		return e
	}
	for _, t := range tools() {
		for _, name := range t.names {
			if n := len(name); len(words) >= n && slices.Equal(words[:n], name) {
				return t.effect(t, words[n:])
			}
		}
	}
	return effect{}
}

var (
	unknown    = effect{}
	light      = effect{known: true}
	standalone = effect{known: true, heavy: true}
)

// systemEffect knows what the system's own tools need.
func systemEffect(words []string) (effect, bool) {
	args := words[1:]
	switch words[0] {
	case "apt-get", "apt", "aptitude", "apk", "dnf", "yum", "microdnf", "tdnf", "zypper", "pacman":
		if slices.ContainsFunc(args, isFile) {
			return unknown, true
		}
		return standalone, true
	case "set", "true", ":", "echo", "addgroup", "adduser", "groupadd", "useradd", "usermod", "update-ca-certificates", "locale-gen", "ldconfig", "export", "node", "python", "python3":
		if words[0] == "node" || words[0] == "python" || words[0] == "python3" {
			if len(args) == 1 && (args[0] == "--version" || args[0] == "-v" || args[0] == "-V") {
				return light, true
			}
			return unknown, words[0] == "node" // python -m pip is a tool's
		}
		return light, true
	case "rm", "mkdir", "rmdir":
		for _, a := range args {
			if !strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "/") {
				return unknown, true
			}
		}
		return light, true
	}
	return unknown, false
}

// isFile tells whether a package manager's argument is a file and no package.
func isFile(arg string) bool {
	return strings.HasPrefix(arg, ".") || strings.HasPrefix(arg, "/") || strings.Contains(arg, "=./") ||
		strings.HasSuffix(arg, ".deb") || strings.HasSuffix(arg, ".rpm") || strings.HasSuffix(arg, ".apk")
}
