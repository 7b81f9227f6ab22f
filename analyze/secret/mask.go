package secret

import (
	"regexp"
	"strings"
)

// shape is a form that only credentials have.
type shape struct {
	name string // what has the form: "GitHub token"
	// start is what all such values begin with. It gives nothing away; a mask
	// shows some of it.
	start string
	match *regexp.Regexp
}

// maxShown is the most characters of a value that a mask shows.
const maxShown = 4

// privateKey is the first line of a key in PEM.
const privateKey = `-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----`

// shapes are the forms. What issuers publish about their tokens: a prefix made
// to be found, and so many characters.
var shapes = []shape{
	{"private key", "-----BEGIN ", regexp.MustCompile(`(?s)` + privateKey + `(?:.*?-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|.*)`)},
	{"AWS access key", "AKIA", regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b`)},
	{"AWS access key", "ASIA", regexp.MustCompile(`\bASIA[0-9A-Z]{16}\b`)},
	{"GitHub token", "ghp_", regexp.MustCompile(`\bghp_[0-9A-Za-z]{36,}`)},
	{"GitHub token", "gho_", regexp.MustCompile(`\bgho_[0-9A-Za-z]{36,}`)},
	{"GitHub token", "ghu_", regexp.MustCompile(`\bghu_[0-9A-Za-z]{36,}`)},
	{"GitHub token", "ghs_", regexp.MustCompile(`\bghs_[0-9A-Za-z]{36,}`)},
	{"GitHub token", "ghr_", regexp.MustCompile(`\bghr_[0-9A-Za-z]{36,}`)},
	{"GitHub token", "github_pat_", regexp.MustCompile(`\bgithub_pat_[0-9A-Za-z_]{22,}`)},
	{"GitLab token", "glpat-", regexp.MustCompile(`\bglpat-[0-9A-Za-z_.-]{20,}`)},
	{"Slack token", "xox", regexp.MustCompile(`\bxox[abeoprs]-[0-9A-Za-z-]{10,}`)},
	{"Slack token", "xapp-", regexp.MustCompile(`\bxapp-[0-9A-Za-z-]{10,}`)},
	{"Stripe key", "sk_live_", regexp.MustCompile(`\bsk_live_[0-9A-Za-z]{16,}`)},
	{"Stripe key", "rk_live_", regexp.MustCompile(`\brk_live_[0-9A-Za-z]{16,}`)},
	{"JSON web token", "eyJ", regexp.MustCompile(`\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}`)},
	{"npm token", "npm_", regexp.MustCompile(`\bnpm_[0-9A-Za-z]{36,}`)},
	{"PyPI token", "pypi-AgE", regexp.MustCompile(`\bpypi-AgE[0-9A-Za-z_-]{16,}`)},
	{"Docker Hub token", "dckr_pat_", regexp.MustCompile(`\bdckr_pat_[0-9A-Za-z_-]{20,}`)},
	{"Google API key", "AIza", regexp.MustCompile(`\bAIza[0-9A-Za-z_-]{35}`)},
	{"Google OAuth token", "ya29.", regexp.MustCompile(`\bya29\.[0-9A-Za-z_-]{20,}`)},
	{"DigitalOcean token", "dop_v1_", regexp.MustCompile(`\bdop_v1_[0-9a-f]{64}`)},
	{"Hugging Face token", "hf_", regexp.MustCompile(`\bhf_[0-9A-Za-z]{34,}`)},
	{"SendGrid key", "SG.", regexp.MustCompile(`\bSG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}`)},
	{"Vault token", "hvs.", regexp.MustCompile(`\bhvs\.[0-9A-Za-z_-]{24,}`)},
	{"API key", "sk-", regexp.MustCompile(`\bsk-(?:proj-|ant-)?[0-9A-Za-z_-]{40,}`)},
	{"Shopify token", "shpat_", regexp.MustCompile(`\bshpat_[0-9a-fA-F]{32}`)},
}

// hidden stands for what isn't shown.
const hidden = "…"

// Mask returns what is shown instead of a value: of a value whose form says
// whose it is the start that says so, of all others nothing. It doesn't tell
// how long the value is, and has at most four characters of it.
func Mask(value string) string {
	for i := range shapes {
		s := &shapes[i]
		if at := s.match.FindStringIndex(value); at != nil && at[0] == 0 {
			return strings.Trim(s.start[:min(len(s.start), maxShown)], "-") + hidden
		}
	}
	return hidden
}
