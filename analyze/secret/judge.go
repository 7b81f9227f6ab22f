package secret

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// secretEnds are the words that names of secrets end with, joined.
var secretEnds = []string{
	"PASSWORD", "PASSWD", "PASSPHRASE", "PASS", "PWD",
	"TOKEN", "SECRET", "SECRETS", "CREDENTIAL", "CREDENTIALS", "CREDS",
	"GITHUB_PAT", "GH_PAT", "GITLAB_PAT", "AZDO_PAT", "ADO_PAT", "EXT_PAT",
	"API_KEY", "ACCESS_KEY", "SECRET_KEY", "PRIVATE_KEY", "PRIV_KEY", "ENCRYPTION_KEY", "SIGNING_KEY",
	"MASTER_KEY", "AUTH_KEY", "ACCOUNT_KEY", "STORAGE_KEY", "LICENSE_KEY", "DEPLOY_KEY", "SSH_KEY", "JWT_KEY",
}

// fusedEnds are such words that are also written without anything before them:
// MYSQLPASSWORD.
var fusedEnds = []string{
	"PASSWORD", "PASSWD", "APIKEY", "ACCESSKEY", "SECRETKEY", "PRIVATEKEY", "ACCESSTOKEN", "AUTHTOKEN",
}

// qualifiers may follow them: SECRET_KEY_BASE, TOKEN_2.
var qualifiers = regexp.MustCompile(`(?:_(?:BASE|BASE64|B64|VALUE|STRING|DEFAULT|[0-9]+))+$`)

// switches are the words that names of settings about secrets begin with, or
// hold: --disabled-password, ALLOW_EMPTY_PASSWORD.
var switches = []string{"DISABLED", "DISABLE", "ALLOW", "EMPTY", "NO", "WITHOUT", "REQUIRE", "REQUIRED", "SKIP", "ENABLE", "PROMPT", "ASK", "PUBLIC"}

// secretName tells whether a variable or flag is named as what holds a secret.
func secretName(name string) bool {
	switch name {
	case "PWD", "OLDPWD":
		return false
	case "_auth", "_password":
		return true // of .npmrc
	}
	words := strings.Trim(words(name), "_")
	for w := range strings.SplitSeq(words, "_") {
		if slices.Contains(switches, w) {
			return false
		}
	}
	words = qualifiers.ReplaceAllString(words, "")
	for _, end := range secretEnds {
		if words == end || strings.HasSuffix(words, "_"+end) {
			return true
		}
	}
	return slices.ContainsFunc(fusedEnds, func(end string) bool { return strings.HasSuffix(words, end) })
}

// words returns a name's words in upper case with _ between them, whether it
// is written api_key, api-key or apiKey.
func words(name string) string {
	var b strings.Builder
	was := rune('_')
	for _, r := range name {
		switch {
		case r == '-' || r == '.':
			r = '_'
		case unicode.IsUpper(r) && unicode.IsLower(was):
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
		was = r
	}
	return b.String()
}

var (
	// reference is a value that stands elsewhere: $NAME, ${NAME}, $(command),
	// %NAME%, {{ name }}.
	reference = regexp.MustCompile("^\\$|\\$\\{|\\$\\(|`|^%[^%]+%$|\\{\\{|^@[^@]+@$")
	// shellReference is one within a word of a shell's.
	shellReference = regexp.MustCompile(`\$[A-Za-z_{(0-9@*]`)
	// setting is a value that no secret has.
	setting = regexp.MustCompile(`(?i)^(?:true|false|yes|no|on|off|none|null|nil|unset|undefined|empty|default|disabled|enabled|optional|required|.)$`)
	// placeholder is a value to be replaced by another.
	placeholder = regexp.MustCompile(`(?i)^(?:x{3,}|\*+|\.{2,}|<.*>|\[.*\]|change[-_ ]?(?:me|it|this).*|dummy.*|place[-_]?holder.*|fake.*|mock.*|your?[-_ ].*|todo|fixme|redacted|insert.*|replace.*|example.*|not[-_ ].*)$|EXAMPLE`)
	// filePath is a path, or a file's name.
	filePath = regexp.MustCompile(`^(?:~|\.{1,2})?/[A-Za-z0-9._@-]*(?:/[A-Za-z0-9._@-]*)*$|^[\w./~-]+\.(?:json|pem|key|crt|txt|ya?ml|ini|cfg|conf|properties|toml|p12|pfx|jks|env|sh|py|gpg|asc)$`)
	// plainURL is a URL, which tells its credentials by itself.
	plainURL = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)
	// mount is the value of a --secret or --ssh of a builder.
	mount = regexp.MustCompile(`^(?:id|type|src|source|env)=`)
)

// maxPath is the longest value that begins with a slash and is taken for a
// path without a closer look: base64 has slashes too.
const maxPath = 31

// plausible tells whether a value, which stands where a secret would, may be
// one, and not a reference to one, a switch or a placeholder.
func plausible(value string) bool {
	switch {
	case value == "", reference.MatchString(value), setting.MatchString(value), placeholder.MatchString(value),
		plainURL.MatchString(value), mount.MatchString(value):
		return false
	}
	return !filePath.MatchString(value) || len(value) > maxPath && mixed(value)
}

// mixed tells whether a value has digits and letters of both cases, and no dot:
// what is random has, and paths rarely.
func mixed(v string) bool {
	return strings.ContainsFunc(v, unicode.IsDigit) && strings.ContainsFunc(v, unicode.IsUpper) &&
		strings.ContainsFunc(v, unicode.IsLower) && !strings.Contains(v, ".")
}
