package tui

import (
	"strconv"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/view/text"
)

// stepRows are the steps of an image as rows: their number where there is room,
// bytes, share bar, the mark of the base, and the instruction.
type stepRows struct {
	look   *look
	image  *analyze.Image
	stored int64 // by all the steps, as far as known
}

func newStepRows(k *look, m *analyze.Image) *stepRows {
	r := &stepRows{look: k, image: m}
	for i := range m.Steps {
		r.stored += max(0, m.Steps[i].Stored)
	}
	return r
}

// Len returns the number of steps.
func (r *stepRows) Len() int { return len(r.image.Steps) }

// Row returns the cells of step i.
func (r *stepRows) Row(i, width int) []cell {
	s := &r.image.Steps[i]
	main, bar := roleText, roleBar
	if s.Layer < 0 {
		main = roleDim
	}
	base := " "
	if s.Base {
		base = r.look.base
	}
	var cells []cell
	if width >= numberFrom {
		cells = append(cells, cell{text: strconv.Itoa(i), width: len(strconv.Itoa(r.Len() - 1)), right: true, role: roleDim})
	}
	dead, bars := max(0, s.Dead), barWidth(width)
	cells = append(cells,
		cell{text: r.look.size(s.Stored), width: r.look.sizeWidth(r.stored), right: true, role: main},
		cell{text: r.look.bar(s.Stored-dead, dead, r.stored, bars), width: bars, role: bar},
		cell{text: base, width: 1, role: roleDim})
	return fill(cells, width, cell{text: text.OneLine(s.Text), role: main})
}

// numberFrom is the width of a list from which on steps are numbered.
const numberFrom = 48

// barWidth is how wide the share bar is in a list of some width.
func barWidth(width int) int {
	switch {
	case width < numberFrom:
		return 5
	case width < 80:
		return 8
	}
	return 12
}
