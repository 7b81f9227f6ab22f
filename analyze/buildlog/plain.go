package buildlog

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// plainReader reads BuildKit's plain progress. Each line is of a numbered
// vertex, and what a step writes has the step's number and seconds in front, so
// that it is taken for nothing else (BuildKit, util/progress/progressui/printer.go):
//
//	#12 [build 3/6] RUN npm ci       the vertex, again when it is gone on with
//	#12 0.431 what npm writes
//	#12 sha256:1234… 1MB / 2MB       what is being done
//	#12 ...                          another is gone on with
//	#12 DONE 3.2s                    or CACHED, CANCELED, ERROR: why
//
// There is an empty line before the first of these, but at the very beginning. A
// group of vertices, such as the two of a COPY --link, is one here.
type plainReader struct {
	rec   record
	marks int

	nodes map[int]*plainNode
	order []*plainNode
	last  int  // the highest number
	fresh bool // an empty line came before, or nothing
	begun bool
}

type plainNode struct {
	Step
	ended, ran bool
}

var (
	plainDone = regexp.MustCompile(`^DONE(?: ([0-9]{1,9}\.[0-9])s)?$`)
	// plainOutput is a line that a step wrote, and plainStatus what is being
	// done: no names.
	plainOutput = regexp.MustCompile(`^[0-9]+\.[0-9]+ `)
	plainStatus = regexp.MustCompile(`(?: done|[0-9]s|[0-9][kMGT]?B)$|^(?:WARN: |sha256:[0-9a-f]{64}\b)`)
)

func (r *plainReader) line(l line) error {
	fresh := r.fresh || !r.begun
	r.fresh = strings.TrimSpace(l.text) == ""
	number, text, ok := numbered(l.text)
	if !ok {
		return nil
	}
	if number == 0 { // "#0 building with ..." comes first
		r.flush()
		r.fresh, r.begun = true, false
		return nil
	}
	if n := r.nodes[number]; n != nil && n.mark(text) {
		r.seen(l.at)
		r.marks++
		return nil
	}
	if plainOutput.MatchString(text) || text == "..." || isMark(text) {
		return nil
	}
	return r.name(number, text, fresh, l.at)
}

// numbered reads "#12 text".
func numbered(s string) (number int, text string, ok bool) {
	s, ok = strings.CutPrefix(s, "#")
	if !ok {
		return 0, "", false
	}
	digits, text, ok := strings.Cut(s, " ")
	n, err := strconv.ParseUint(digits, 10, 20)
	return int(n), text, ok && err == nil && text != ""
}

// name takes a line that may name a vertex.
func (r *plainReader) name(number int, name string, fresh bool, at stamp) error {
	_, step := ParseName(name)
	fresh = fresh || step || strings.HasPrefix(name, "[internal] ")
	n := r.nodes[number]
	switch {
	case !fresh && (n != nil || number != r.last+1) || plainStatus.MatchString(name) && !step:
		return nil
	case n != nil && number == 1 && (n.Name != name || n.ended && r.last > 1):
		r.flush() // numbers begin anew
	case n != nil:
		return nil // gone on with
	}
	if fresh {
		r.marks++
	}
	r.begun = true
	n = &plainNode{Step: Step{Name: short(name, maxStepText)}}
	n.Position, _ = ParseName(n.Name)
	if r.nodes == nil {
		r.nodes = map[int]*plainNode{}
	}
	r.nodes[number] = n
	r.order = append(r.order, n)
	r.last = max(r.last, number)
	r.seen(at)
	return r.rec.take(len(n.Name))
}

func (r *plainReader) seen(at stamp) {
	if at.dated() {
		r.rec.span(at.time)
	}
}

func isMark(s string) bool { return new(plainNode).mark(s) }

// mark takes a line that says how the vertex ended, and tells whether it is one.
// A vertex may end several times; the last one's seconds are the sum of all. One
// that was cached stays so, as with the other formats.
func (n *plainNode) mark(s string) bool {
	if strings.IndexByte("DCE", s[0]) < 0 {
		return false
	}
	reason, failed := strings.CutPrefix(s, "ERROR: ")
	switch m := plainDone.FindStringSubmatch(s); {
	case m != nil:
		n.ran = n.ran || n.Index > 0 && !n.Cached && !strings.HasPrefix(n.Text, "FROM ")
		if tenths, err := strconv.ParseInt(strings.Replace(m[1], ".", "", 1), 10, 64); err == nil && !n.Cached {
			n.Duration, n.Timed = time.Duration(tenths)*100*time.Millisecond, true
		}
		n.Failed, n.Err = false, ""
	case s == "CACHED":
		if !n.ran {
			n.find()
		}
	case s == "CANCELED":
		n.fail("canceled")
	case failed:
		n.fail(short(reason, maxErr))
	default:
		return false
	}
	n.ended = true
	return true
}

// fail says that the step failed, which leaves it without a duration.
func (s *Step) fail(reason string) {
	s.Failed, s.Err = true, reason
	s.Cached, s.Timed, s.Duration = false, false, 0
}

// find says that the step was found in the cache.
func (s *Step) find() {
	s.Cached = true
	s.Failed, s.Err, s.Timed, s.Duration = false, "", false, 0
}

// flush adds the build to what is known, and begins another.
func (r *plainReader) flush() {
	steps := make([]Step, len(r.order))
	for i, n := range r.order {
		steps[i] = n.Step
		if !n.ended {
			r.rec.log.Truncated = true
		}
	}
	r.rec.add(steps)
	r.nodes, r.order, r.last, r.begun = nil, nil, 0, false
}

func (r *plainReader) finish() (*record, int) {
	r.flush()
	r.rec.log.Resolution = 100 * time.Millisecond
	return &r.rec, r.marks
}
