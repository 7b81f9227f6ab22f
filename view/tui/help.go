package tui

import "strings"

// helpPage is made of the registry of actions, and says what the marks mean.
func helpPage(u *ui) *page {
	return newPage(u, "Help", func() []field { return append(keyFields(u.all), u.legend()...) })
}

// keyFields returns the keys of the scopes, innermost last.
func keyFields(all []action) []field {
	var fields []field
	for _, s := range helpOrder {
		fields = append(fields, field{label: s.String(), heading: true})
		for _, a := range all {
			if a.scope == s {
				fields = append(fields, field{label: strings.Join(a.keys, " "), text: a.help})
			}
		}
	}
	return fields
}

// helpOrder is the order in which help has the scopes.
var helpOrder = [scopes]scope{inHome, inSteps, inFiles, inFilter, inLists, inPage, anywhere}

// legend says what the marks mean.
func (u *ui) legend() []field {
	k := u.look
	fields := []field{
		{label: "Marks", heading: true},
		{label: "+ ~ -", text: "added, changed (or merely stored again) and removed by the step"},
		{label: k.base, text: "a step of the base image"},
		{label: k.filled(len(k.parts)) + k.dead, text: "a step's share of the image's bytes: live ones, and dead ones, which no final path refers to"},
		{label: k.symlink + " " + k.hardlink, text: "a symbolic link, and a hard link, to"},
		{label: "-1.2 MB", text: "what the step removed: layers below still store it"},
	}
	if !u.opts.Mouse {
		return fields
	}
	return append(fields,
		field{label: "Mouse", heading: true},
		field{label: "click", text: "selects; a double click opens; the wheel scrolls"},
		field{label: "Shift-drag", text: "selects text, as the terminal does by itself (Option on iTerm2)"})
}
