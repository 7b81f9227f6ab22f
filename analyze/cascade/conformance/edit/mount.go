package edit

import (
	"slices"
	"strings"
)

// mountKinds are edits of the mounts of a RUN.
var mountKinds = []kind{
	{"mount-add", []string{"RUN"}, func(d *document, s *spot) []string {
		if len(s.words) == 0 {
			return nil
		}
		var texts []string
		for _, m := range []string{
			"type=cache,target=/added", "type=tmpfs,target=/added", "type=bind,target=/added", "type=bind,rw,target=/added",
			"type=secret,id=added", "type=ssh",
		} {
			texts = append(texts, d.with(s, s.withFlag("--mount="+m)))
		}
		return texts
	}},
	flagKind("mount-drop", "RUN", "mount", nil, dropped),
	{"mount-swap", []string{"RUN"}, func(d *document, s *spot) []string {
		m := s.flag("mount")
		if len(m) < 2 {
			return nil
		}
		return []string{d.with(s, s.head[:m[0].start]+s.at(m[1])+s.head[m[0].end:m[1].start]+s.at(m[0])+s.head[m[1].end:])}
	}},
	mountKind("mount-type", func(m mount) []mount {
		var ms []mount
		for _, t := range []string{"bind", "cache", "tmpfs", "secret", "ssh"} {
			if t != m.kind() {
				ms = append(ms, m.with("type", t))
			}
		}
		return ms
	}),
	mountKind("mount-type-explicit", func(m mount) []mount {
		if _, there := m.get("type"); there {
			return nil
		}
		return []mount{m.with("type", "bind")}
	}),
	mountKind("mount-options-swap", func(m mount) []mount {
		if len(m) < 2 {
			return nil
		}
		swapped := slices.Clone(m)
		last := len(m) - 1
		swapped[last], swapped[last-1] = swapped[last-1], swapped[last]
		return []mount{swapped}
	}),
	mountKind("mount-target", changed("target", "dst", "destination")),
	mountKind("mount-target-alias", func(m mount) []mount {
		v, there := m.get("target")
		if !there {
			return nil
		}
		return []mount{m.without("target").with("dst", v)}
	}),
	mountKind("mount-target-slash", func(m mount) []mount {
		v, there := m.get("target")
		switch {
		case !there || v == "/":
			return nil
		case strings.HasSuffix(v, "/"):
			return []mount{m.with("target", strings.TrimRight(v, "/"))}
		}
		return []mount{m.with("target", v+"/")}
	}),
	mountKind("mount-source", func(m mount) []mount {
		if m.kind() == "ssh" || m.kind() == "tmpfs" {
			return nil
		}
		ms := changed("source", "src")(m)
		if ms == nil && m.kind() != "secret" {
			ms = append(ms, m.with("source", "added"))
		}
		return ms
	}),
	mountKind("mount-from", func(m mount) []mount {
		if m.kind() != "bind" && m.kind() != "cache" {
			return nil
		}
		if _, there := m.get("from"); there {
			return []mount{m.without("from"), m.with("from", "other.invalid/image")}
		}
		return []mount{m.with("from", "other.invalid/image")}
	}),
	mountKind("mount-id", func(m mount) []mount {
		if _, there := m.get("id"); there && m.kind() == "cache" {
			return []mount{m.with("id", "other"), m.without("id")}
		}
		return []mount{m.with("id", "other")}
	}),
	mountKind("mount-sharing", func(m mount) []mount {
		if m.kind() != "cache" {
			return nil
		}
		return []mount{m.with("sharing", "locked"), m.with("sharing", "private"), m.with("sharing", "shared")}
	}),
	mountKind("mount-ro", func(m mount) []mount {
		return []mount{m.without("rw").without("readwrite").with("ro", ""), m.without("ro").without("readonly").with("rw", "")}
	}),
	mountKind("mount-size", func(m mount) []mount {
		if m.kind() != "tmpfs" {
			return nil
		}
		return []mount{m.with("size", "4m"), m.with("size", "8m")}
	}),
	mountKind("mount-required", func(m mount) []mount {
		if m.kind() != "secret" && m.kind() != "ssh" {
			return nil
		}
		if _, there := m.get("required"); there {
			return []mount{m.without("required")}
		}
		return []mount{m.with("required", ""), m.with("required", "true")}
	}),
	mountKind("mount-env", func(m mount) []mount {
		if m.kind() != "secret" {
			return nil
		}
		return []mount{m.with("env", "SECRET")}
	}),
	mountKind("mount-uid", func(m mount) []mount { return []mount{m.with("uid", "1234"), m.with("gid", "1234")} }),
	mountKind("mount-mode", func(m mount) []mount { return []mount{m.with("mode", "0440")} }),
}

// mount is the options of a mount, as written.
type mount []string

func mountKind(name string, change func(mount) []mount) kind {
	return flagKind(name, "RUN", "mount", nil, func(value string) []string {
		values := []string{}
		if strings.ContainsAny(value, "\"\n") {
			return values
		}
		for _, m := range change(strings.Split(value, ",")) {
			if v := strings.Join(m, ","); v != value {
				values = append(values, v)
			}
		}
		return values
	})
}

// changed returns the change of the option of these names to another value.
func changed(names ...string) func(mount) []mount {
	return func(m mount) []mount {
		for _, name := range names {
			if v, there := m.get(name); there {
				return []mount{m.with(name, other(strings.TrimRight(v, "/")))}
			}
		}
		return nil
	}
}

func (m mount) at(name string) int {
	return slices.IndexFunc(m, func(o string) bool {
		n, _, _ := strings.Cut(o, "=")
		return n == name
	})
}

func (m mount) get(name string) (string, bool) {
	i := m.at(name)
	if i < 0 {
		return "", false
	}
	_, v, _ := strings.Cut(m[i], "=")
	return v, true
}

func (m mount) kind() string {
	if t, there := m.get("type"); there {
		return t
	}
	return "bind"
}

// with returns the options with one set, in its place or at the end; value ""
// is none.
func (m mount) with(name, value string) mount {
	option := name
	if value != "" {
		option += "=" + value
	}
	if i := m.at(name); i >= 0 {
		m = slices.Clone(m)
		m[i] = option
		return m
	}
	return append(slices.Clone(m), option)
}

func (m mount) without(name string) mount {
	return slices.DeleteFunc(slices.Clone(m), func(o string) bool {
		n, _, _ := strings.Cut(o, "=")
		return n == name
	})
}
