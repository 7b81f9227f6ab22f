package cascade

import (
	"fmt"
	"strings"
)

// Why says in words why an instruction runs again, as a sentence without a
// capital and a full stop: "package-lock.json, copied by line 4, changed". It
// is "" for a [Hit] and a [NotBuilt]. It holds text of the Dockerfile and names
// of files as they are.
func (p *Prediction) Why(v Verdict) string {
	if v.Cause == nil {
		return ""
	}
	return v.Cause.words(p.After.Graph, v.Step.Index)
}

// line names the lines that an instruction stands on.
func (g *Graph) line(step int) string {
	r := g.Steps[step].Lines
	if r.Start != r.End {
		return fmt.Sprintf("lines %d-%d", r.Start, r.End)
	}
	return fmt.Sprintf("line %d", r.Start)
}

// words says a cause, of an instruction.
func (c *Cause) words(g *Graph, of int) string {
	if c.Kind == CauseContent {
		return c.contentWords(g, of)
	}
	why := c.root(g, of)
	// A cause that comes through an instruction below it names that one too.
	if c.Via >= 0 && c.Via != of && c.Via != c.Step && c.Via != c.By {
		return fmt.Sprintf("as %s: %s", g.line(c.Via), why)
	}
	return why
}

// contentWords says that content decides.
func (c *Cause) contentWords(g *Graph, of int) string {
	verb := "copies"
	if c.Role == RoleMount {
		verb = "mounts"
	}
	what := strings.Join(c.Files, ", ")
	if what == "" || what == "/" {
		what = "files"
	}
	by := of
	if c.By >= 0 {
		by = c.By
	}
	if c.Change == "assumed" {
		why := fmt.Sprintf("%s %s from %s, taken to differ", verb, what, c.What)
		if by != of {
			return fmt.Sprintf("as %s, which %s", g.line(by), why)
		}
		return "it " + why
	}
	if by != of {
		return fmt.Sprintf("%s may be: it %s %s from %s, and only its bytes count", g.line(by), verb, what, c.What)
	}
	return fmt.Sprintf("it %s %s from %s, and only its bytes count", verb, what, c.What)
}

// root says what changed, and where.
func (c *Cause) root(g *Graph, of int) string {
	here := c.Step == of
	at := ""
	if c.Step >= 0 && !here {
		at = " on " + g.line(c.Step)
	}
	switch c.Kind {
	case CauseItself:
		if here {
			return c.itself()
		}
		return fmt.Sprintf("%s changed", strings.TrimPrefix(at, " on "))
	case CauseNew:
		if here {
			return "no earlier build has it"
		}
		return fmt.Sprintf("%s is new", strings.TrimPrefix(at, " on "))
	case CauseVariable:
		if c.Step < 0 {
			return fmt.Sprintf("%s isn't part of its environment any more", c.What)
		}
		if g.Steps[c.At].Keyword != "RUN" {
			return fmt.Sprintf("it uses %s %s%s", g.Steps[c.Step].Keyword, c.What, at)
		}
		return fmt.Sprintf("%s %s%s is part of its environment", g.Steps[c.Step].Keyword, c.What, at)
	case CauseSetting:
		return fmt.Sprintf("its %s is set%s", settingName(c.What), at)
	case CauseFiles:
		files, became := someOf(c.Files), "changed"
		switch verb := "is"; c.Change {
		case "new", "gone":
			if len(c.Files) > 1 {
				verb = "are"
			}
			became = verb + " " + c.Change
		}
		if c.By < 0 || c.By == of {
			return fmt.Sprintf("%s %s", files, became)
		}
		taken := "copied"
		if g.Steps[c.By].Keyword == "RUN" {
			taken = "mounted"
		}
		return fmt.Sprintf("%s, %s by %s, %s", files, taken, g.line(c.By), became)
	case CauseBase:
		if c.What == "FROM" || c.What == "" {
			return fmt.Sprintf("its base%s is another", at)
		}
		if strings.HasPrefix(c.What, "ARG ") {
			return fmt.Sprintf("its base hangs on %s%s", c.What, at)
		}
		return fmt.Sprintf("its base %s%s is another", c.What, at)
	case CauseSource:
		return fmt.Sprintf("%s%s is another", c.What, at)
	case CauseOrder:
		return fmt.Sprintf("what stands before it%s is another", at)
	case CauseNoCache:
		if here {
			return "it was told not to be cached"
		}
		return fmt.Sprintf("%s was told not to be cached", strings.TrimPrefix(at, " on "))
	case CauseContext:
		return fmt.Sprintf("a directory (%s) as a base is never cached", c.What)
	case CauseUnknown:
		return fmt.Sprintf("what %s%s does isn't known", c.What, at)
	}
	return string(c.Kind)
}

// itself says what of an instruction changed.
func (c *Cause) itself() string {
	if c.What == "" || strings.ToUpper(c.What) == c.What {
		return "it changed"
	}
	return fmt.Sprintf("its %s changed", strings.TrimPrefix(c.What, "--"))
}

// settingName names a setting as people do.
func settingName(what string) string {
	switch what {
	case "WORKDIR", "workdir":
		return "working directory"
	case "USER", "user":
		return "user"
	case "SHELL", "shell":
		return "shell"
	}
	return what
}

// someOf names files: a few of many.
func someOf(files []string) string {
	const most = 3
	if len(files) <= most {
		return strings.Join(files, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(files[:most], ", "), len(files)-most)
}
