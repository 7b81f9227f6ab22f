package secret

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/history"
)

// Secrets that are nobody's. They are put together so that no scanner of
// repositories takes them for real ones.
var (
	github = "ghp_" + strings.Repeat("a1B2", 9)
	aws    = "AKIA" + "QWERTYUIOPASDFGH"
	jwt    = "eyJhbGciOiJI" + "." + "eyJzdWIiOiIx" + "." + "c2lnbmF0dXJl"
	pem    = "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE" + " KEY-----"
)

// TestScan tells what is found in an instruction: "name=secret" of each.
func TestScan(t *testing.T) {
	tests := []struct {
		text string
		want []string
	}{
		{"ENV DB_PASSWORD=hunter2", []string{"DB_PASSWORD=hunter2"}},
		{"ENV DB_PASSWORD hunter2 and more", []string{"DB_PASSWORD=hunter2 and more"}},
		{"ENV A=1 API_KEY=k3y B=2", []string{"API_KEY=k3y"}},
		{`ENV PASSPHRASE=correct horse battery USER=me`, []string{"PASSPHRASE=correct horse battery"}},
		{`ENV PASSPHRASE="correct USER=horse" OTHER_TOKEN='t0k'`, []string{"PASSPHRASE=correct USER=horse", "OTHER_TOKEN=t0k"}},
		{"/bin/sh -c #(nop)  ENV DB_PASSWORD=hunter2", []string{"DB_PASSWORD=hunter2"}},
		{"/bin/sh -c #(nop)  ARG TOKEN=abc123", []string{"TOKEN=abc123"}},
		{"ARG TOKEN=abc123", []string{"TOKEN=abc123"}},
		{"ARG TOKEN", nil},
		{"ARG TOKEN=", nil},
		{`ARG TOKEN=""`, nil},
		{"ENV dbPassword=hunter2", []string{"dbPassword=hunter2"}},
		{"ENV MYSQLPASSWORD=hunter2", []string{"MYSQLPASSWORD=hunter2"}},
		{"ENV SECRET_KEY_BASE=0123abcd", []string{"SECRET_KEY_BASE=0123abcd"}},
		{"ENV AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", []string{"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG"}},
		{"ENV AWS_ACCESS_KEY_ID=" + aws, []string{"AWS access key=" + aws}},
		{"ENV GREETING=hello KEY=" + github, []string{"GitHub token=" + github}},
		{"LABEL note=" + jwt, []string{"JSON web token=" + jwt}},
		{"ENV K=" + pem, []string{"private key=" + pem}},
		{"RUN echo '" + pem + "' > /key", []string{"private key=" + pem}},
		{"RUN echo '" + pem[:40] + "' > /key", []string{"private key=" + pem[:40] + "' > /key"}},

		{"RUN curl https://me:s3cret@example.org/x", []string{"URL=s3cret"}},
		{"RUN git clone https://me:$TOKEN@example.org/x", nil},
		{"RUN git clone https://me:${TOKEN}@example.org/x", nil},
		{"RUN curl http://localhost:8080/@me", nil},
		{"ENV DATABASE_URL=postgres://app:s3cret@db:5432/app", []string{"URL=s3cret"}},
		{"RUN NPM_TOKEN=abc123 npm ci", []string{"NPM_TOKEN=abc123"}},
		{`RUN export NPM_TOKEN="abc 123" && npm ci`, []string{"NPM_TOKEN=abc 123"}},
		{"RUN echo //registry.npmjs.org/:_authToken=abc123 > .npmrc", []string{"_authToken=abc123"}},
		{"RUN curl 'https://example.org/?access_token=abc123&x=1'", []string{"access_token=abc123"}},
		{`RUN TOKEN=$(cat /run/secrets/token) make`, nil},
		{"RUN TOKEN=`cat /run/secrets/token` make", nil},
		{`RUN TOKEN="$NPM_TOKEN" make`, nil},
		{`RUN [ "$PASSWORD" = "x" ] || exit 1`, nil},
		{"RUN login --password hunter2", []string{"password=hunter2"}},
		{"RUN login --verbose --password=hunter2", []string{"password=hunter2"}},
		{"RUN login --api-key 'hunter2' && x", []string{"api-key=hunter2"}},
		{"RUN login --password-stdin < /x", nil},
		{"RUN login --password --verbose", nil},
		{"RUN adduser --disabled-password app", nil},
		{"RUN --mount=type=secret,id=token cat /run/secrets/token", nil},
		{"RUN docker build --secret id=token .", nil},
		{`RUN curl -H "Authorization: Bearer abc123" https://example.org`, []string{"Authorization=abc123"}},
		{`RUN curl -H "Authorization: Bearer $TOKEN" https://example.org`, nil},
		{`RUN curl -H 'PRIVATE-TOKEN: abc123' https://example.org`, []string{"PRIVATE-TOKEN=abc123"}},
		{"RUN curl -fsS -u me:s3cret https://example.org", []string{"curl --user=s3cret"}},
		{"RUN curl -fsS -u me:$PASS https://example.org", nil},
		{"RUN chown -R 1000:1000 /app && install -o root:root x", nil},
		{"RUN echo 'root:toor' | chpasswd", []string{"chpasswd=toor"}},
		{`RUN echo "root:$PW" | chpasswd`, nil},
		{`CMD ["app","--password=hunter2","--port","80"]`, []string{"password=hunter2"}},
		{`ENTRYPOINT ["app" "--api-key" "hunter 2" "--verbose"]`, []string{"api-key=hunter 2"}},
		{`CMD ["app", "--token", "$TOKEN", "--secret", "--verbose", "--password-file", "x1"]`, nil},
		{`RUN login "--password=hunter2" "--token=$TOKEN"`, []string{"password=hunter2"}},
		{"RUN mysql -uroot -phunter2 < x.sql && mysqldump -p's3 cret' db", []string{"mysql --password=hunter2", "mysql --password=s3 cret"}},
		{"RUN mysql -u root -p$PASS; mysql -p db; apt-get install mysql-client && mkdir -pv /x; cp /usr/share/mysql -pR", nil},
		{"ENV CONNECTION=Server=db;User=sa;Password=s3cret;Timeout=3 B=2", []string{"Password=s3cret"}},
		{"ENV STORE=AccountName=x;AccountKey=s3cret==;EndpointSuffix=core", []string{"AccountKey=s3cret=="}},
		{"ENV JAVA_OPTS=-Xmx1g -Djavax.net.ssl.keyStorePassword=s3cret", []string{"Djavax.net.ssl.keyStorePassword=s3cret"}},
		{"ENV JAVA_OPTS=-Djavax.net.ssl.keyStorePassword=${PASS} -Dx=y", nil},
		{"ARG GITHUB_PAT=s3cret", []string{"GITHUB_PAT=s3cret"}},
		{"RUN git clone https://Abcdefgh12345678@example.org/x", []string{"URL=Abcdefgh12345678"}},
		{"RUN git clone https://some-user-name-2024@example.org/x git+ssh://git@example.org/y https://$TOKEN1234567890Ab@example.org", nil},
		{"RUN docker login -u me -p s3cret example.org && skopeo login -p=$PW x && mkdir -p /x", []string{"login --password=s3cret"}},
		{`RUN echo "machine example.org login me password s3cret" > ~/.netrc`, []string{"netrc=s3cret"}},
		{`RUN printf 'machine example.org login me password s3cret\n' > ~/.netrc`, []string{"netrc=s3cret"}},
		{`RUN echo "machine example.org login me password $PW" > ~/.netrc`, nil},
		{"RUN npm config set //registry.npmjs.org/:_authToken s3cret", []string{"_authToken=s3cret"}},
		{"RUN aws configure set aws_secret_access_key s3cret; aws configure set region eu", []string{"aws_secret_access_key=s3cret"}},
		{"RUN sshpass -p s3cret ssh me@host", []string{"sshpass=s3cret"}},

		{"ENV GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568", nil}, // of the python image
		{"ENV PYTHON_SHA256=abc TOKEN_VERSION=1.2 PASSWORD_FILE=/run/secrets/pw SECRETS_DIR=secrets", nil},
		{"ENV PATH=/usr/bin PWD=/x OLDPWD=/y", nil},
		{"ENV GOOGLE_APPLICATION_CREDENTIALS=/etc/key.json", nil},
		{"ENV CREDENTIALS=key.json API_KEY=~/.key", nil},
		{"ENV TOKEN=$OTHER SECRET=${OTHER}", nil},
		{"ENV ALLOW_EMPTY_PASSWORD=yes MYSQL_ROOT_PASSWORD=changeme REQUIRE_PASSWORD=maybe", nil},
		{"ENV PASSWORD=true TOKEN=none SECRET=<secret> API_KEY=your-api-key X_TOKEN=xxxx", nil},
		{"ENV TOKENIZERS_PARALLELISM=false NOPASSWD=x COMPASS=north EOS_TOKEN=<eos>", nil},
		{"ENV AUTH_TOKEN_URL=https://example.org PUBLIC_KEY=abc KEY=abc", nil},
		{"ENV AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", nil}, // of AWS's documentation
		{"RUN echo 'user ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/user", nil},
		{`CMD ["server" "--port" "80"]`, nil},
		{"", nil},
	}
	for _, tt := range tests {
		var got []string
		for _, h := range scan(tt.text) {
			got = append(got, h.name+"="+tt.text[h.start:h.end])
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.text, diff)
		}
	}
}

func TestMask(t *testing.T) {
	for value, want := range map[string]string{
		"":                                       "…",
		"a":                                      "…",
		"ghp_":                                   "…",
		"hunter2":                                "…",
		"AKIA1":                                  "…",
		aws:                                      "AKIA…",
		github:                                   "ghp_…",
		github + "abcdefgh":                      "ghp_…",
		jwt:                                      "eyJ…",
		pem:                                      "…",
		"x" + github:                             "…",
		"long but of no form that anybody knows": "…",
	} {
		if got := Mask(value); got != want {
			t.Errorf("%q is masked %q, want %q", value, got, want)
		}
	}
}

// TestValues reads a history: a build argument is told once, where it first
// is, with the values of the RUN it was given to.
func TestValues(t *testing.T) {
	cfg := &v1.ConfigFile{History: []v1.History{
		{CreatedBy: "ARG NPM_TOKEN=" + github, Comment: "buildkit.dockerfile.v0", EmptyLayer: true},
		{CreatedBy: "RUN |2 NPM_TOKEN=" + github + " PW=a pass word /bin/sh -c npm ci # buildkit", Comment: "buildkit.dockerfile.v0", EmptyLayer: true},
		{CreatedBy: "RUN |2 NPM_TOKEN=" + github + " DB_PW=x DB_PASS=a pass word /bin/sh -c npm ci # buildkit", Comment: "buildkit.dockerfile.v0", EmptyLayer: true},
		{CreatedBy: "RUN |1 DB_PASS=a pass word /bin/sh -c npm ci # buildkit", Comment: "buildkit.dockerfile.v0", EmptyLayer: true},
		{CreatedBy: "ENV DB_PASS=other", Comment: "buildkit.dockerfile.v0", EmptyLayer: true},
		{CreatedBy: "RUN /bin/sh -c login --password " + "hunter22", EmptyLayer: true},
		{CreatedBy: "/bin/sh -c #(nop)  ENV A=1", EmptyLayer: true},
	}}
	want := []Value{
		{0, "ARG", "NPM_TOKEN", "ghp_…"},
		{3, "RUN", "DB_PASS", "…"},
		{4, "ENV", "DB_PASS", "…"},
		{5, "RUN", "password", "…"},
	}
	got := Values(history.Read(cfg, nil).Steps)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRedactor takes secrets out of the texts they stand in, and what is told
// somewhere to be a secret out of all others.
func TestRedactor(t *testing.T) {
	r := NewRedactor([]history.Step{
		{Instruction: "ENV", Text: "ENV DB_PASSWORD=hunter2secret OTHER_PASSWORD=postgres"},
		{Instruction: "RUN", Text: "RUN login", Args: []history.Arg{{Name: "TOKEN", Value: github}}},
	})
	for text, want := range map[string]string{
		"ENV DB_PASSWORD=hunter2secret X=1": "ENV DB_PASSWORD=… X=1",
		"RUN psql -p hunter2secret":         "RUN psql -p …",
		"RUN psql -U postgres":              "RUN psql -U postgres", // a common word
		"ENV OTHER_PASSWORD=postgres":       "ENV OTHER_PASSWORD=…",
		"RUN A_TOKEN=unheard login":         "RUN A_TOKEN=… login",
		"RUN echo " + github:                "RUN echo ghp_…",
		"RUN make":                          "RUN make",
		"":                                  "",
	} {
		if got := r.Text(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	for _, v := range [][3]string{{"A_TOKEN", "two words", "…"}, {"HOME", "/root", "/root"}, {"X", "a hunter2secret b", "a … b"}} {
		if got := r.Variable(v[0], v[1]); got != v[2] {
			t.Errorf("%s=%q becomes %q, want %q", v[0], v[1], got, v[2])
		}
	}
}

// TestRedactArgs masks words of a command that nothing in the history tells of.
func TestRedactArgs(t *testing.T) {
	words := []string{"app", "--token", "hunter2", "--password=hunter3", "--secret", "--verbose", "--port", "80", "--token"}
	want := []string{"app", "--token", "…", "--password=…", "--secret", "--verbose", "--port", "80", "--token"}
	was := slices.Clone(words)
	if diff := cmp.Diff(want, NewRedactor(nil).Args(words)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(was, words); diff != "" {
		t.Errorf("the words themselves were changed: -want +got:\n%s", diff)
	}
	if got := NewRedactor(nil).Args(nil); got != nil {
		t.Errorf("no words become %q", got)
	}
}

// FuzzMask: a mask never holds the value, nor more than four characters of it,
// and of two values of a form it is the same whatever their lengths.
func FuzzMask(f *testing.F) {
	for _, v := range []string{"hunter2", github, aws, jwt, pem, "ghp_", "…", "a…", "\xff"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		m := Mask(v)
		shown, ok := strings.CutSuffix(m, hidden)
		if !ok || len(shown) > maxShown || !strings.HasPrefix(v, shown) || len(shown) > 0 && len(v) < 4*len(shown) {
			t.Errorf("%q is masked %q", v, m)
		}
		if strings.Contains(m, v) && !strings.Contains(hidden, v) {
			t.Errorf("the mask %q holds %q", m, v)
		}
	})
}

// FuzzRedactor: nothing that is found in a history is still there afterwards,
// at its place or, if it is no common word, anywhere.
func FuzzRedactor(f *testing.F) {
	f.Add("ENV DB_PASSWORD=hunter2secret", "RUN login --password hunter2secret", "TOKEN", github)
	f.Add("ENV PASSPHRASE=a b c USER=x", "RUN curl https://me:s3cret@host https://me:s3cret@host", "X", "")
	f.Add("RUN A_TOKEN='x y' B_TOKEN=\"z\\\"", "ENV TOKEN", "PASSWORD", "\xff\x00")
	f.Fuzz(func(t *testing.T, one, two, name, arg string) {
		steps := []history.Step{
			{Instruction: "ENV", Text: one},
			{Instruction: "RUN", Text: two, Args: []history.Arg{{Name: name, Value: arg}}},
		}
		r := NewRedactor(steps)
		for _, s := range findAll(steps) {
			if s.secret == "" {
				t.Fatalf("nothing is found to be the secret %q", s.Name)
			}
			if strings.Contains(s.Masked, s.secret) && !strings.Contains(hidden, s.secret) {
				t.Errorf("the mask %q holds %q", s.Masked, s.secret)
			}
			if len(s.secret) < minKnown || !strings.ContainsAny(s.secret, "0123456789") || !strings.ContainsAny(s.secret, "abcdefghijklmnopqrstuvwxyz") {
				continue
			}
			for _, text := range []string{r.Text(one), r.Text(two), r.Variable(name, arg)} {
				if strings.Contains(text, s.secret) {
					t.Errorf("%q still holds %q", text, s.secret)
				}
			}
		}
	})
}
