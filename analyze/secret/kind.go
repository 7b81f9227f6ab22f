package secret

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// kind is one kind of secret file and what its paths look like: any of names,
// tails, or else ends and match, as far as there are any.
type kind struct {
	name  string
	names []string       // the last component, in lower case
	tails []string       // the last components, a slash at the end for anything below
	ends  []string       // the end of the last component, in lower case
	match *regexp.Regexp // the last component, in lower case; not tried unless it ends so
	// unless are paths that look so and are no secrets.
	unless func(path, base string) bool
}

// kinds are tried in order: the first that matches a path is its kind.
var kinds = []kind{
	{
		name:  "private key",
		names: []string{"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk", "identity.pem"},
		ends:  []string{".ppk"},
	},
	{name: "SSH host key", ends: []string{"_key"}, match: regexp.MustCompile(`^ssh_host_(?:[a-z0-9]+_)?key$`)},
	{name: "SSH file", tails: []string{"/.ssh/"}, unless: publicSSH},
	{name: "GnuPG private key", names: []string{"secring.gpg"}, tails: []string{"/.gnupg/private-keys-v1.d/"}},
	{name: "Rails master key", tails: []string{"/config/master.key", "/config/credentials/production.key"}},
	{name: "private key", ends: []string{".key"}, unless: publicKey},
	{name: "private key", ends: []string{".pem"}, unless: publicPEM},
	{name: "key store", ends: []string{".p12", ".pfx", ".jks", ".keystore", ".kdb", ".kdbx"}, unless: publicStore},
	{name: "environment file", match: regexp.MustCompile(`^\.env(?:\..+)?$`), unless: exampleEnv},

	{name: "npm configuration", names: []string{".npmrc"}, unless: inPackage},
	{name: "Yarn configuration", tails: []string{"/root/.yarnrc.yml"}},
	{name: "PyPI credentials", names: []string{".pypirc"}},
	{name: "pip configuration", tails: []string{"/.pip/pip.conf", "/.config/pip/pip.conf"}},
	{name: "netrc", names: []string{".netrc", "_netrc"}},
	{name: "Git credentials", names: []string{".git-credentials"}, tails: []string{"/.config/git/credentials"}},
	{name: "GitHub credentials", tails: []string{"/.config/gh/hosts.yml", "/.config/hub"}},
	{name: "Cargo credentials", tails: []string{"/.cargo/credentials", "/.cargo/credentials.toml"}},
	{name: "RubyGems credentials", tails: []string{"/.gem/credentials"}},
	{name: "Composer credentials", tails: []string{"/.composer/auth.json", "/composer/auth.json"}},
	{name: "Maven settings", tails: []string{"/.m2/settings.xml", "/.m2/settings-security.xml"}},
	{name: "Gradle properties", tails: []string{"/.gradle/gradle.properties"}},
	{name: "registry credentials", names: []string{"auth.json"}, unless: inPackage},

	{name: "AWS credentials", tails: []string{"/.aws/credentials"}},
	{name: "Google Cloud credentials", names: []string{"application_default_credentials.json"},
		tails: []string{"/.config/gcloud/credentials.db", "/.config/gcloud/access_tokens.db", "/.config/gcloud/legacy_credentials/"},
		ends:  []string{".json"},
		match: regexp.MustCompile(`(?:^|[-_.])service[-_]?account(?:[-_.].*)?\.json$|^gcp[-_]key\.json$|^gcloud-service-key\.json$|firebase-adminsdk.*\.json$|^client_secrets?.*\.json$`)},
	{name: "credentials", ends: []string{".json"}, match: regexp.MustCompile(`^(?:.+[-_.])?credentials?\.json$`), unless: inPackage},
	{name: "Azure credentials", ends: []string{".json", ".bin"}, match: regexp.MustCompile(`^(?:accesstokens\.json|msal_token_cache\.(?:json|bin)|service_principal_entries\.(?:json|bin))$`),
		unless: func(p, _ string) bool { return !strings.Contains("/"+p, "/.azure/") }},
	{name: "kubeconfig", names: []string{"kubeconfig", "kubeconfig.yaml", "kubeconfig.yml"}, tails: []string{"/.kube/config", "/etc/kubernetes/admin.conf"},
		ends: []string{".kubeconfig"}},
	{name: "Docker credentials", names: []string{".dockercfg", ".dockerconfigjson"}, tails: []string{"/.docker/config.json"}},
	{name: "Vault token", names: []string{".vault-token"}},
	{name: "Ansible vault password", names: []string{".vault_pass", ".vault_pass.txt", ".vault-password"}},
	{name: "Terraform state", match: regexp.MustCompile(`^terraform\.tfstate(?:\.backup)?$`)},
	{name: "Terraform variables", ends: []string{".tfvars", ".tfvars.json"}, unless: func(_, base string) bool { return example.MatchString(base) }},
	{name: "Terraform credentials", names: []string{".terraformrc", "credentials.tfrc.json"}},

	{name: "password file", names: []string{".htpasswd"}},
	{name: "PostgreSQL passwords", names: []string{".pgpass"}},
	{name: "MySQL credentials", names: []string{".my.cnf", ".mylogin.cnf"}},
	{name: "S3 credentials", names: []string{".s3cfg", ".boto", ".passwd-s3fs"}},
	{name: "rclone configuration", tails: []string{"/.config/rclone/rclone.conf"}},
	{name: "VPN profile", ends: []string{".ovpn"}},
}

// KindOf returns what kind of secret the name of a file says it holds, "" for
// none. The path is relative to the image's root.
func KindOf(p string) string {
	base := strings.ToLower(path.Base(p))
	slashed := "/" + p // once: there may be a million dead files
	for i := range kinds {
		if k := &kinds[i]; k.matches(slashed, base) && (k.unless == nil || !k.unless(p, base)) {
			return k.name
		}
	}
	return ""
}

func (k *kind) matches(slashed, base string) bool {
	if slices.Contains(k.names, base) {
		return true
	}
	for _, t := range k.tails {
		if hasTail(slashed, t) {
			return true
		}
	}
	if k.ends != nil && !slices.ContainsFunc(k.ends, func(end string) bool { return strings.HasSuffix(base, end) }) {
		return false
	}
	if k.match != nil {
		return k.match.MatchString(base)
	}
	return k.ends != nil
}

// hasTail tells whether a path ends so; of a tail that ends with a slash,
// whether it is below such a directory. Both begin with a slash.
func hasTail(slashed, tail string) bool {
	if strings.HasSuffix(tail, "/") {
		return strings.Contains(slashed, tail)
	}
	return strings.HasSuffix(slashed, tail)
}

// publicSSH tells which of a .ssh directory's files hold no secret.
func publicSSH(_, base string) bool {
	switch base {
	case "known_hosts", "known_hosts.old", "known_hosts2", "authorized_keys", "authorized_keys2", "config", ".gitkeep":
		return true
	}
	return strings.HasSuffix(base, ".pub")
}

var (
	// example are names of files that show what a file should look like.
	example = regexp.MustCompile(`(?:^|[-_.])(?:example|sample|template|tpl|dist|defaults?|schema)(?:[-_.]|$)`)
	// published are directories of what distributions and libraries ship,
	// keys of package repositories and certificates of authorities among it.
	published = regexp.MustCompile(`^(?:usr/share|usr/local/share/ca-certificates|etc/ssl/certs|etc/apt|etc/apk|etc/pki/rpm-gpg|etc/pki/ca-trust|etc/pki/tls/certs|etc/ca-certificates)/` +
		`|/(?:tests?|testdata|__tests__|fixtures|examples?|docs?|node_modules|certifi)/`)
	// keyStem is in the names of private keys, publicStem in those of others.
	keyStem    = regexp.MustCompile(`(?:^|[-_.])(?:key|priv|private|privkey|privatekey)(?:[-_.]|$)|privkey`)
	publicStem = regexp.MustCompile(`gpg|pgp|asc|pub|release|archive|repo|signing|cacert|bundle|chain`)
	// hostStem is in the names of servers' keys.
	hostStem = regexp.MustCompile(`(?:^|[-_.])(?:server|client|host|tls|ssl|priv|private|privkey|ca|root|domain|deploy|master)(?:[-_.]|$)`)
	// keyPlace are directories where keys are kept.
	keyPlace = regexp.MustCompile(`(?:^|/)(?:private|keys|secrets?|\.ssh|credentials)/`)
)

// publicKey tells which *.key files aren't private keys: those of package
// repositories, which are fetched to /tmp more often than not.
func publicKey(p, base string) bool {
	stem := strings.TrimSuffix(base, ".key")
	return published.MatchString(p) || publicStem.MatchString(stem) ||
		strings.HasPrefix(p, "tmp/") && !hostStem.MatchString(stem)
}

// publicPEM tells which *.pem files aren't private keys: most are certificates,
// unless the name or the directory says otherwise.
func publicPEM(p, base string) bool {
	stem := strings.TrimSuffix(base, ".pem")
	switch {
	case published.MatchString(p), publicStem.MatchString(stem):
		return true
	}
	return !keyStem.MatchString(stem) && !keyPlace.MatchString(path.Dir(p)+"/")
}

// publicStore tells which key stores hold certificates alone.
func publicStore(p, base string) bool {
	return published.MatchString(p) || strings.HasPrefix(base, "cacerts") || strings.Contains(base, "truststore")
}

func exampleEnv(_, base string) bool { return example.MatchString(base) }

// inPackage tells whether a path is in an installed npm or Composer package.
func inPackage(p, _ string) bool {
	return strings.Contains("/"+p, "/node_modules/") || strings.Contains("/"+p, "/vendor/")
}
