package tui

import (
	"errors"
	"regexp"
	"strings"

	"github.com/layerscope/layerscope/view/text"
)

// unverified is what is said of all that is shown once the reading has failed:
// it may be the very layer whose bytes aren't those the image names.
const unverified = "not verified"

// showFailure shows all of the error that ended the reading.
func (u *ui) showFailure() {
	if u.failure() == nil {
		u.say(roleDim, "nothing failed")
		return
	}
	u.open(newPage(u, "Error", u.failureFields))
}

// failureFields returns the error, what can be done, and what is still there.
func (u *ui) failureFields() []field {
	var f fields
	err := u.failure()
	f.add("error", err.Error())
	var advisor interface{ Advice() string }
	if errors.As(err, &advisor) {
		f.add("hint", advisor.Advice())
	}
	f.add("shown", layersRead(u.news.image)+"; what is shown of the image is "+unverified+", not complete")
	return f
}

// failureLine returns the error in one line with the keys that matter then.
func (u *ui) failureLine(err error, width int) []span {
	keys := append([]span{{"  ", roleDim}}, hint(u.keys.of("error"), "more")...)
	keys = append(append(keys, hint(u.keys.of("help"), "help")...), hint(u.keys.of("quit"), "quit")...)
	room := width + hintGap - lineWidth(keys)
	return append([]span{{text.Pad(brief(err.Error(), room), room), roleError}}, keys...)
}

// digests finds digests and, in them, as much as is enough to recognize one.
var digests = regexp.MustCompile(`(sha256:[0-9a-f]{8}|sha512:[0-9a-f]{8})[0-9a-f]{32,}`)

// brief writes an error in width cells. The cause stands at its end, so what
// goes first is the rest of digests, then what the cause was met in ("reading x:
// reading layer 3: "), as long as two parts remain.
func brief(msg string, width int) string {
	const prefix, cut = "error: ", "… "
	msg = digests.ReplaceAllString(text.OneLine(msg), "$1…")
	for text.Width(prefix+msg) > width {
		_, rest, ok := strings.Cut(strings.TrimPrefix(msg, cut), ": ")
		if !ok || !strings.Contains(rest, ": ") {
			break
		}
		msg = cut + rest
	}
	return text.Truncate(prefix+msg, width)
}
