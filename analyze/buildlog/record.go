package buildlog

import (
	"fmt"
	"time"
)

// maxText bounds what the names, errors and digests of all steps of a log take,
// and so how many steps there are. A build of a thousand steps has some 200 kB.
const (
	maxText     = 32 << 20
	stepText    = 512      // what a step takes beside its texts
	maxStepText = 64 << 10 // of a name; a line of a Dockerfile has no more
	maxErr      = 4 << 10
)

// record collects the steps of a log's builds.
type record struct {
	log  Log
	at   map[occurrence]int // into log.Steps
	text int
}

// occurrence is a step's stage and name, and how many steps of the same build had it
// before. Digests don't join the steps of two builds: they hold the session's
// id wherever something comes from the context.
type occurrence struct {
	stage, name string
	n           int
}

// take accounts for n bytes that are kept.
func (r *record) take(n int) error {
	if r.text += n + stepText; r.text > maxText {
		return fmt.Errorf("the log has too many steps: their names are more than %d bytes", maxText)
	}
	return nil
}

// add adds the steps of one build, which is later than those before.
func (r *record) add(build []Step) {
	if len(build) == 0 {
		return
	}
	if r.at == nil {
		r.at = map[occurrence]int{}
	}
	r.log.Builds++
	seen := map[occurrence]int{}
	for _, s := range build {
		key := occurrence{stage: s.Stage, name: s.Name}
		key.n, seen[key] = seen[key], seen[key]+1
		i, ok := r.at[key]
		switch {
		case !ok:
			r.at[key] = len(r.log.Steps)
			r.log.Steps = append(r.log.Steps, s)
		case s.Timed || !r.log.Steps[i].Timed:
			r.log.Steps[i] = s
		}
	}
}

// span extends the time that the log covers.
func (r *record) span(t time.Time) {
	if r.log.Started.IsZero() || t.Before(r.log.Started) {
		r.log.Started = t
	}
	if t.After(r.log.Completed) {
		r.log.Completed = t
	}
}

// short cuts a text that is longer than anyone needs.
func short(s string, most int) string {
	if len(s) > most {
		return s[:most]
	}
	return s
}
