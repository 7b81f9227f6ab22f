package history

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// normal returns an instruction's operands without what builders leave out or
// write in several ways: white space, quotes, flags, the order of ports.
func normal(keyword, operands string) string {
	switch keyword {
	case "RUN":
		return spaced(mounts.ReplaceAllString(joined(operands), ""))
	case "COPY", "ADD":
		return listed(copyFlags.ReplaceAllString(strings.TrimSpace(joined(operands)), ""))
	case "ENV", "LABEL", "ARG", "USER", "STOPSIGNAL":
		return spaced(unquoter.Replace(legacyPair(keyword, spaced(operands))))
	case "WORKDIR":
		return cleanDest(unquoter.Replace(operands))
	case "CMD", "ENTRYPOINT", "VOLUME", "SHELL":
		return listed(operands)
	case "EXPOSE":
		return portList(operands)
	}
	return spaced(joined(operands))
}

// spaced makes one space of white space.
func spaced(s string) string { return strings.Join(strings.Fields(s), " ") }

// joined joins continuation lines, which some builders record.
func joined(s string) string { return strings.ReplaceAll(s, "\\\n", " ") }

var (
	// mounts are the flags that a RUN begins with, which BuildKit leaves out.
	mounts    = regexp.MustCompile(`^\s*(?:--(?:mount|network|security|device)=\S+\s+)+`)
	copyFlags = regexp.MustCompile(`^(?:--[a-z-]+(?:=\S*)?\s+)+`)
	unquoter  = strings.NewReplacer(`"`, "", `'`, "", `\`, "")
)

// listed returns a list's items, which may be in JSON or in brackets.
func listed(s string) string {
	s = strings.TrimSpace(s)
	var list []string
	if strings.HasPrefix(s, "[") && json.Unmarshal([]byte(s), &list) == nil {
		return spaced(strings.Join(list, " "))
	}
	return spaced(unbracket(s))
}

// legacyPair writes the "name value" of an ENV or LABEL as "name=value".
func legacyPair(keyword, s string) string {
	if name, value, ok := strings.Cut(s, " "); ok && (keyword == "ENV" || keyword == "LABEL") && !strings.ContainsAny(name, `="'`) {
		return name + "=" + value
	}
	return s
}

// portList sorts ports and leaves out the protocol that goes without saying.
func portList(s string) string {
	ports := strings.Fields(s)
	for i, p := range ports {
		ports[i] = strings.TrimSuffix(p, "/tcp")
	}
	slices.Sort(ports)
	return strings.Join(slices.Compact(ports), " ")
}
