package disposable

import "strings"

var languagesWanted = &Env{
	Text: "the languages that the image's `LANG`, `LANGUAGE` and `LC_*` name",
	keep: func(env []string) []string {
		var globs []string
		for _, v := range env {
			name, value, _ := strings.Cut(v, "=")
			if name != "LANG" && name != "LANGUAGE" && !strings.HasPrefix(name, "LC_") {
				continue
			}
			for _, locale := range strings.Split(value, ":") {
				if lang := language(locale); lang != "" {
					globs = append(globs, localeGlobs("{"+lang+","+lang+"[._@]*}")...)
				}
			}
		}
		return globs
	},
}

// language returns the language of a locale as in "de_DE.UTF-8", "" if it has
// none. The environment is the image's: it may say anything.
func language(locale string) string {
	end := strings.IndexAny(locale, "._@")
	if end < 0 {
		end = len(locale)
	}
	lang := locale[:end]
	if len(lang) < 2 || len(lang) > 3 || strings.Trim(lang, "abcdefghijklmnopqrstuvwxyz") != "" {
		return ""
	}
	return lang
}

// localeGlobs are the directories of locales of a name.
func localeGlobs(name string) []string {
	return []string{
		"/usr/share/locale/" + name + "/**",
		"/usr/share/locale-langpack/" + name + "/**",
		"/usr/lib/locale/" + name + "/**",
	}
}

var sourceMapsWanted = &Env{
	Text: "anything, where the image's `NODE_OPTIONS` have `--enable-source-maps`",
	keep: func(env []string) []string {
		for _, v := range env {
			if options, ok := strings.CutPrefix(v, "NODE_OPTIONS="); ok && strings.Contains(options, "--enable-source-maps") {
				return []string{"**/*.map"}
			}
		}
		return nil
	},
}
