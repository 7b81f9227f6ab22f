package packages

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/layerscope/layerscope/analyze/layer"
)

// This file finds the distribution that an image is made of.

// maxValue is the most bytes of a value of os-release that is taken for one.
const maxValue = 256

// readOSRelease reads an os-release (freedesktop.org, os-release(5)); nil if it
// names no distribution. The format says that ID may be left out, for "linux":
// that names none. Of a name that is set twice the last value counts.
func readOSRelease(body []byte) *Distribution {
	var d Distribution
	for line := range bytes.Lines(body) {
		name, value, ok := cutAssignment(string(bytes.TrimSpace(line)))
		if !ok || len(value) > maxValue || !utf8.ValidString(value) {
			continue
		}
		switch name {
		case "ID":
			d.ID = strings.ToLower(value)
		case "VERSION_ID":
			d.Version = value
		case "PRETTY_NAME":
			d.Name = value
		}
	}
	if !isDistributionID(d.ID) {
		return nil
	}
	return &d
}

func isDistributionID(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}

// cutAssignment reads a line of os-release, in the shell's syntax without its
// expansions: NAME=value, NAME="value" or NAME='value', and perhaps a comment.
func cutAssignment(line string) (name, value string, ok bool) {
	name, rest, ok := strings.Cut(line, "=")
	if !ok || strings.HasPrefix(name, "#") {
		return "", "", false
	}
	value, rest, ok = cutShellWord(rest)
	comment := strings.TrimLeft(rest, " \t")
	if !ok || comment != "" && (comment[0] != '#' || comment == rest) {
		return "", "", false // the format has no words of several parts
	}
	return name, value, true
}

// cutShellWord reads one word off the start of s, quoted or not.
func cutShellWord(s string) (word, rest string, ok bool) {
	quote := byte(0)
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		quote, s = s[0], s[1:]
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == 0:
			return "", "", false
		case c == quote:
			return b.String(), s[i+1:], true
		case quote == 0 && (c == ' ' || c == '\t'):
			return b.String(), s[i:], true
		case quote == 0 && (c == '"' || c == '\''):
			return "", "", false
		case c == '\\' && quote != '\'':
			if i++; i == len(s) {
				return "", "", false // goes on in the next line, which the format doesn't have
			}
			if quote == '"' && !strings.ContainsRune("\"\\$`", rune(s[i])) {
				b.WriteByte(c) // before others it stands for itself
			}
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", quote == 0
}

// readDebianVersion reads Debian's debian_version: "12.5", or "trixie/sid", which
// is no release and "".
func readDebianVersion(body []byte) string {
	s := strings.TrimSpace(string(body[:min(len(body), maxValue)]))
	if strings.Trim(s, "0123456789.") != "" {
		return ""
	}
	return s
}

var errOtherName = errors.New("it leads to a file of another name, which isn't read")

// distribution finds what the final image's os-release says. As its format has
// it, the one in /usr/lib counts only where /etc has none.
func (f *finder) distribution() {
	for _, path := range []string{"etc/" + osReleaseName, "usr/lib/" + osReleaseName} {
		if m, ok := f.leadsTo(path, osRelease); ok {
			if m != nil && m.distribution != nil {
				d := *m.distribution
				d.Point = f.pointRelease(&d)
				f.report.Distribution = &d
			}
			return
		}
	}
}

// pointRelease returns the point release of a release, "" if nothing tells it.
func (f *finder) pointRelease(d *Distribution) string {
	if d.ID != "debian" || d.Version == "" {
		return "" // Ubuntu's is that of the Debian it was made of
	}
	m, _ := f.leadsTo("etc/"+debianVersionName, debianVersion)
	if m == nil || !strings.HasPrefix(m.version, d.Version+".") {
		return ""
	}
	return m.version
}

// leadsTo returns what the file that a path leads to says as one of a kind, nil
// if it says nothing or can't be read; ok is false if it leads to no file.
func (f *finder) leadsTo(path string, k kind) (m *file, ok bool) {
	n, err := f.final.Resolve(path)
	if err != nil {
		return nil, false
	}
	st, _ := f.t.StateAt(n, f.t.Layers()-1)
	e := f.entry(st.Inode)
	if e == nil || e.Type != layer.File {
		return nil, false
	}
	switch m = f.at(st.Inode); {
	case e.Size == 0:
		return nil, true
	case m == nil || m.kind != k:
		f.unread(n, int(st.Inode.Layer), errOtherName)
		return nil, true
	case m.err != nil:
		f.unread(n, int(st.Inode.Layer), m.err)
		return nil, true
	}
	return m, true
}
