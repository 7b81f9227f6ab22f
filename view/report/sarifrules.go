package report

import (
	"github.com/layerscope/layerscope/analyze/waste/disposable"
)

// The levels of results.
const (
	levelError   = "error"
	levelWarning = "warning"
	levelNote    = "note"
)

// The rules that aren't of disposable files.
const (
	ruleSecretFile  = "leaked-file"
	ruleSecretValue = "secret-value"
	ruleDead        = "dead-bytes"
	ruleDuplicates  = "duplicate-files"
	ruleOverLimit   = "limit-exceeded"
	ruleOverWarning = "limit-warned"
)

// sarifRules returns all rules there are, whether an image breaks them or not.
func sarifRules(classes []*disposable.Rule) []sarifRule {
	rules := []sarifRule{
		coreRule(ruleSecretFile, levelError, "Deleted secret that can still be read",
			"A file with the name of a secret is in a layer, but no longer in the image's filesystem.",
			"Everybody who pulls the image has the layer and the file in it. Replace the secret; give it to the build with RUN --mount=type=secret, or leave it out with .dockerignore."),
		coreRule(ruleSecretValue, levelError, "Secret in the image's history",
			"A build argument, a variable, a label or a command in the image's history has a value that looks secret.",
			"Everybody who pulls the image can read its history. Replace the secret; give it to the build with RUN --mount=type=secret, and to the container when it starts."),
		coreRule(ruleDead, levelWarning, "Bytes that nothing can reach",
			"A step stores files that a later one deletes, overwrites or stores again: their bytes are in the image, and no path leads to them.",
			"Bytes go away only in the layer that stores them: delete files in the RUN that makes them, set owner and mode with COPY --chown and --chmod, leave what isn't needed out."),
		coreRule(ruleDuplicates, levelNote, "Files that are in the image twice",
			"Files have the same content as others of the image, and take their bytes again.",
			"Copy them once, or make the others links."),
		coreRule(ruleOverLimit, levelError, "Limit exceeded",
			"The image isn't within a limit that it is held to.",
			"See what the report says under the limit's name, or raise the limit."),
		coreRule(ruleOverWarning, levelWarning, "Limit of a warning exceeded",
			"The image isn't within a limit that is to be warned of.",
			"See what the report says under the limit's name, or raise the limit."),
	}
	for _, r := range classes {
		rules = append(rules, sarifRule{
			ID: r.ID, Short: sarifText{r.Title}, Full: sarifText{r.What}, Help: sarifText{r.Why + " " + r.Fix},
			HelpURI: project + "/blob/main/docs/rules/" + r.ID + ".md", Default: sarifConfig{levelNote},
		})
	}
	return rules
}

func coreRule(id, level, title, what, help string) sarifRule {
	return sarifRule{
		ID: id, Short: sarifText{title}, Full: sarifText{what}, Help: sarifText{help},
		HelpURI: project + "/blob/main/docs/sarif.md#" + id, Default: sarifConfig{level},
	}
}
