package packages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
)

// programScanner finds the build info of Go programs in bodies that stream
// past: debug/buildinfo wants a file that it can seek in. The linker puts the
// info into the program's data behind a magic number, at an address, and so at
// an offset, that is a multiple of 16 (cmd/link/internal/ld, buildinfo).
type programScanner struct {
	state      scanState
	base       int64  // offset in the body of what window holds
	window     []byte // not gone through yet
	candidates int    // places with the magic number and nothing sensible behind
	old        bool   // one looked like what Go up to 1.17 wrote
	found      *file
}

type scanState uint8

const (
	scanHead scanState = iota // isn't known to be a program yet
	scanBody
	scanDone
)

// The layout of the build info (debug/buildinfo, readRawBuildInfo).
const (
	infoMagic  = "\xff Go buildinf:"
	infoAlign  = 16
	infoHeader = 32
	infoInline = 2 // flag: the strings follow; else there are pointers to them

	maxInfo       = 4 << 20 // bytes of module info; a program of 1,000 modules has 150 kB
	maxVersion    = 1 << 10
	maxCandidates = 16 // a program that reads build info has the magic number too
)

// executables are the first bytes of ELF, PE and Mach-O files, fat ones too.
var executables = []string{
	"\x7fELF", "MZ", "\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe",
}

// reset begins with a body; false says that it is too short for a program.
func (s *programScanner) reset(size int64) bool {
	*s = programScanner{window: s.window[:0]}
	return size > infoHeader
}

// write goes through the next bytes of the body.
func (s *programScanner) write(p []byte) {
	if s.state == scanDone {
		return
	}
	s.window = append(s.window, p...)
	if s.state == scanHead {
		if len(s.window) < 4 {
			return
		}
		if !isExecutable(s.window) {
			s.state = scanDone
			return
		}
		s.state = scanBody
	}
	s.scan(false)
}

func isExecutable(head []byte) bool {
	for _, magic := range executables {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

// scan goes through the window as far as that can be done before more comes;
// last says that nothing will.
func (s *programScanner) scan(last bool) {
	at := 0
	for s.state == scanBody {
		i := bytes.Index(s.window[at:], []byte(infoMagic))
		if i < 0 {
			at = max(at, len(s.window)-len(infoMagic)+1) // it may have begun
			break
		}
		at += i
		if (s.base+int64(at))%infoAlign != 0 {
			at++
			continue
		}
		f, err := s.parse(s.window[at:])
		if errors.Is(err, errMore) && !last {
			break
		}
		if err == nil {
			s.found, s.state = f, scanDone
			return
		}
		at++
		if s.candidates++; s.candidates == maxCandidates {
			s.state = scanDone
		}
	}
	s.base += int64(at)
	s.window = s.window[:copy(s.window, s.window[at:])]
}

// close ends the body and returns what was found; nil if it isn't a Go program,
// or one that says nothing of modules.
func (s *programScanner) close() *file {
	s.scan(true)
	if cap(s.window) > maxSpare {
		s.window = nil
	}
	switch {
	case s.found != nil && s.found.name == "" && s.found.err == nil:
		return nil
	case s.found != nil:
		s.found.kind = goProgram
		return s.found
	case s.old:
		return &file{kind: goProgram, err: errors.New("its build info is in the format of Go before 1.18")}
	}
	return nil
}

// What parse may say, besides that it found build info.
var (
	errMore    = errors.New("more is needed")
	errNotInfo = errors.New("not build info")
)

// parse reads build info that b begins with.
func (s *programScanner) parse(b []byte) (*file, error) {
	if len(b) < infoHeader {
		return nil, errMore
	}
	if pointer, flags := b[14], b[15]; flags&infoInline == 0 {
		// Pointers of so many bytes, and the flag says only how.
		s.old = s.old || (pointer == 4 || pointer == 8) && flags <= 1
		return nil, errNotInfo
	}
	version, b, err := cutString(b[infoHeader:], maxVersion)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(version, []byte("go")) && !bytes.HasPrefix(version, []byte("devel")) {
		return nil, errNotInfo
	}
	mod, _, err := cutString(b, maxInfo)
	if errors.Is(err, errLong) {
		return &file{err: fmt.Errorf("its build info has more than %d bytes", maxInfo)}, nil
	}
	if err != nil {
		return nil, err
	}
	return readModules(mod)
}

var errLong = errors.New("too long")

// cutString cuts a string off that has its length before it.
func cutString(b []byte, limit uint64) (s, rest []byte, err error) {
	n, used := binary.Uvarint(b)
	switch {
	case used == 0:
		return nil, nil, errMore
	case used < 0:
		return nil, nil, errNotInfo
	case n > limit:
		return nil, nil, errLong
	case uint64(len(b)-used) < n:
		return nil, nil, errMore
	}
	return b[used:][:n], b[used:][n:], nil
}

// infoSentinel is how many bytes stand before and after the module info
// (cmd/go/internal/modload, ModInfoData).
const infoSentinel = 16

// readModules reads a program's module info. A program without any has no name.
func readModules(mod []byte) (*file, error) {
	f := new(file)
	if len(mod) < 2*infoSentinel+1 || mod[len(mod)-infoSentinel-1] != '\n' {
		return f, nil
	}
	info, err := debug.ParseBuildInfo(string(mod[infoSentinel : len(mod)-infoSentinel]))
	if err != nil {
		return nil, errNotInfo
	}
	f.name, f.version = strings.Clone(info.Main.Path), strings.Clone(info.Main.Version)
	if f.name == "" {
		f.name = strings.Clone(info.Path) // of Go's own commands
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		f.modules = append(f.modules, Module{strings.Clone(m.Path), strings.Clone(m.Version)})
	}
	return f, nil
}
