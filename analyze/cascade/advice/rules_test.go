package advice

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/cascade"
)

// filesOf makes a context of names, each with "=" and a text behind it if it has
// one.
func filesOf(names ...string) map[string]string {
	files := map[string]string{}
	for _, n := range names {
		name, text, _ := strings.Cut(n, "=")
		files[name] = text
	}
	return files
}

const lastly = "CMD x\n"

// node is a project of npm.
func node(more ...string) map[string]string {
	files := filesOf("package.json={}", "package-lock.json={}", "src/app.js=x")
	maps.Copy(files, filesOf(more...))
	return files
}

// ruleCases are Dockerfiles that a rule finds something in, and near ones that it
// must not. want has what the edit adds, or "" for no finding.
var ruleCases = []struct {
	rule, name, text string
	files            map[string]string
	want             string
}{
	{"dockerfile-in-context", "copied with all", "FROM a\nCOPY . .\nRUN x\n", node(), "+Dockerfile\n"},
	{"dockerfile-in-context", "both", "FROM a\nCOPY . .\n", node(".dockerignore=#x\n"), "+Dockerfile\n+.dockerignore\n"},
	{"dockerfile-in-context", "a mount", "FROM a\nRUN --mount=type=bind,target=/src cp /src /x -r\n", node(), "+Dockerfile\n"},
	{"dockerfile-in-context", "a pattern", "FROM a\nCOPY * /x/\n", node(), "+Dockerfile\n"},
	{"dockerfile-in-context", "a part", "FROM a\nCOPY src .\n", node(), ""},
	{"dockerfile-in-context", "by name", "FROM a\nCOPY . .\nCOPY Dockerfile /Dockerfile\n", node(), ""},
	{"dockerfile-in-context", "by a pattern of its name", "FROM a\nCOPY . .\nCOPY Docker* /\n", node(), ""},
	{"dockerfile-in-context", "mentioned", "FROM a\nCOPY . .\nRUN hadolint Dockerfile\n", node(), ""},
	{"dockerfile-in-context", "excluded", "FROM a\nCOPY --exclude=Dockerfile . .\n", node(), ""},
	{"dockerfile-in-context", "a stage that isn't built", "FROM a AS x\nCOPY . .\nFROM b\nRUN x\n", node(), ""},

	{"copy-before-install", "npm ci", "FROM a\nWORKDIR /w\nCOPY . .\nRUN npm ci\n", node(), "+COPY package.json package-lock.json ./\n RUN npm ci\n+COPY . .\n"},
	{"copy-before-install", "what this machine installed", "FROM a\nWORKDIR /w\nCOPY . .\nRUN npm ci\n", node("node_modules/x=1"), "+node_modules\n"},
	{"copy-before-install", "flags", "FROM a\nCOPY --chown=1:1 --link . /w\nWORKDIR /w\nRUN npm install --omit=dev\n", node(), "+COPY --chown=1:1 --link package.json package-lock.json /w/\n"},
	{"copy-before-install", "a directory", "FROM a\nCOPY web /w\nWORKDIR /w\nRUN npm ci\n", filesOf("web/package.json={}", "web/x.js"), "+COPY web/package.json /w/\n"},
	{"copy-before-install", "below", "FROM a\nCOPY . /w/\nWORKDIR /w/web\nRUN npm ci\n", filesOf("web/package.json={}", "web/x.js"), "+COPY web/package.json /w/web/\n"},
	{"copy-before-install", "below by cd", "FROM a\nWORKDIR /w\nCOPY . .\nRUN cd web && npm ci\n", filesOf("web/package.json={}", "web/x.js"), "+COPY web/package.json ./web/\n"},
	{"copy-before-install", "workdir of the base", "FROM a\nCOPY . .\nRUN npm ci\n", node(), "+COPY package.json package-lock.json ./\n"},
	{"copy-before-install", "with system packages", "FROM a\nWORKDIR /w\nCOPY . .\nRUN apk add git && npm ci\nRUN apk add x\n", node(), "+COPY package.json package-lock.json ./\n"},
	{"copy-before-install", "yarn", "FROM a\nCOPY . .\nRUN yarn install --frozen-lockfile\n", node("yarn.lock", ".yarnrc.yml", ".yarn/releases/y.cjs"), "+COPY package.json yarn.lock .yarnrc.yml ./\n+COPY .yarn ./.yarn/\n"},
	{"copy-before-install", "pnpm", "FROM a\nCOPY . .\nRUN corepack enable && pnpm i --frozen-lockfile\n", node("pnpm-lock.yaml"), "+COPY package.json pnpm-lock.yaml ./\n"},
	{"copy-before-install", "go", "FROM a\nCOPY . .\nRUN go mod download\nRUN go build\n", filesOf("go.mod=module x", "go.sum", "main.go"), "+COPY go.mod go.sum ./\n"},
	{"copy-before-install", "pip", "FROM a\nCOPY . .\nRUN pip install --no-cache-dir -r requirements.txt\n", filesOf("requirements.txt=-r more/base.txt\nflask==1 # x\n-c c.txt\n", "more/base.txt=a @ https://x/y.whl", "c.txt", "app.py"), "+COPY c.txt requirements.txt ./\n+COPY more/base.txt ./more/\n"},
	{"copy-before-install", "uv", "FROM a\nCOPY . .\nRUN uv sync --frozen --no-install-project\n", filesOf("pyproject.toml=[build-system]", "uv.lock", "app.py"), "+COPY pyproject.toml uv.lock ./\n"},
	{"copy-before-install", "poetry", "FROM a\nCOPY . .\nRUN pip install poetry && poetry install --no-root\n", filesOf("pyproject.toml", "poetry.lock", "app.py"), "+COPY pyproject.toml poetry.lock ./\n"},
	{"copy-before-install", "pipenv", "FROM a\nCOPY . .\nRUN pipenv install --deploy --system\n", filesOf("Pipfile", "Pipfile.lock", "app.py"), "+COPY Pipfile Pipfile.lock ./\n"},
	{"copy-before-install", "bundler", "FROM a\nCOPY . .\nRUN bundle install\n", filesOf("Gemfile=ruby File.read('.ruby-version').strip\n", "Gemfile.lock", ".ruby-version", "app.rb"), "+COPY Gemfile Gemfile.lock .ruby-version ./\n"},
	{"copy-before-install", "composer", "FROM a\nCOPY . .\nRUN composer install --no-scripts --no-autoloader\n", filesOf(`composer.json={"scripts":{"x":"y"}}`, "composer.lock", "a.php"), "+COPY composer.json composer.lock ./\n"},
	{"copy-before-install", "maven", "FROM a\nCOPY . .\nRUN ./mvnw -B dependency:go-offline\n", filesOf("pom.xml=<project/>", "mvnw", ".mvn/x", "src/A.java"), "+COPY pom.xml mvnw ./\n+COPY .mvn ./.mvn/\n"},
	{"copy-before-install", "gradle", "FROM a\nCOPY . .\nRUN gradle dependencies --no-daemon\n", filesOf("build.gradle=plugins {}", "settings.gradle=rootProject.name = 'x'", "src/A.java"), "+COPY settings.gradle build.gradle ./\n"},
	{"copy-before-install", "dotnet", "FROM a\nCOPY . .\nRUN dotnet restore\n", filesOf("x.sln", "a/a.csproj=<Project/>", "b/b.csproj=<Project/>", "a/A.cs"), "+COPY a/a.csproj ./a/\n+COPY b/b.csproj ./b/\n+COPY x.sln ./\n"},
	{"copy-before-install", "is split", "FROM a\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\n", node(), ""},
	{"copy-before-install", "installed before", "FROM a\nCOPY package.json .\nRUN npm ci\nCOPY . .\nRUN npm ci\n", node(), ""},
	{"copy-before-install", "builds too", "FROM a\nCOPY . .\nRUN npm ci && npm run build\n", node(), ""},
	{"copy-before-install", "a script in between", "FROM a\nCOPY . .\nRUN ./prepare\nRUN npm ci\n", node(), ""},
	{"copy-before-install", "a copy in between", "FROM a\nCOPY . .\nCOPY src/app.js package.json\nRUN npm ci\n", node(), ""},
	{"copy-before-install", "another directory", "FROM a\nCOPY . /w\nWORKDIR /x\nRUN npm ci\n", node(), ""},
	{"copy-before-install", "postinstall", "FROM a\nCOPY . .\nRUN npm ci\n", node(`package.json={"scripts":{"postinstall":"x"}}`), ""},
	{"copy-before-install", "postinstall ignored", "FROM a\nCOPY . .\nRUN npm ci --ignore-scripts\n", node(`package.json={"scripts":{"postinstall":"x"}}`), "+COPY package.json package-lock.json ./\n"},
	{"copy-before-install", "a local dependency", "FROM a\nCOPY . .\nRUN npm ci\n", node(`package.json={"dependencies":{"x":"file:src"}}`), ""},
	{"copy-before-install", "workspaces", "FROM a\nCOPY . .\nRUN npm ci\n", node(`package.json={"workspaces":["x"]}`), ""},
	{"copy-before-install", "a native module", "FROM a\nCOPY . .\nRUN npm ci\n", node("binding.gyp"), ""},
	{"copy-before-install", "a broken manifest", "FROM a\nCOPY . .\nRUN npm ci\n", node("package.json={"), ""},
	{"copy-before-install", "go replaces", "FROM a\nCOPY . .\nRUN go mod download\n", filesOf("go.mod=replace x => ./y", "main.go"), ""},
	{"copy-before-install", "pip of the project", "FROM a\nCOPY . .\nRUN pip install .\n", filesOf("requirements.txt", "setup.py"), ""},
	{"copy-before-install", "pip of the project, by a file", "FROM a\nCOPY . .\nRUN pip install -r requirements.txt\n", filesOf("requirements.txt=-e .\n", "setup.py"), ""},
	{"copy-before-install", "uv of the project", "FROM a\nCOPY . .\nRUN uv sync\n", filesOf("pyproject.toml=[build-system]", "app.py"), ""},
	{"copy-before-install", "poetry of the project", "FROM a\nCOPY . .\nRUN poetry install\n", filesOf("pyproject.toml", "app.py"), ""},
	{"copy-before-install", "a Gemfile that reads", "FROM a\nCOPY . .\nRUN bundle install\n", filesOf("Gemfile=gemspec", "x.gemspec"), ""},
	{"copy-before-install", "composer's scripts", "FROM a\nCOPY . .\nRUN composer install\n", filesOf(`composer.json={"scripts":{"x":"y"}}`, "a.php"), ""},
	{"copy-before-install", "modules", "FROM a\nCOPY . .\nRUN mvn dependency:go-offline\n", filesOf("pom.xml=<modules>", "A.java"), ""},
	{"copy-before-install", "gradle's projects", "FROM a\nCOPY . .\nRUN gradle dependencies\n", filesOf("build.gradle", "settings.gradle=include 'x'", "A.java"), ""},
	{"copy-before-install", "dotnet's other project", "FROM a\nCOPY . .\nRUN dotnet restore b.csproj\n", filesOf("a.csproj=<Project/>", "A.cs"), ""},
	{"copy-before-install", "cargo", "FROM a\nCOPY . .\nRUN cargo fetch\n", filesOf("Cargo.toml", "src/main.rs"), ""},
	{"copy-before-install", "nothing but manifests", "FROM a\nCOPY . .\nRUN npm ci\n", filesOf("package.json={}"), ""},
	{"copy-before-install", "excludes", "FROM a\nCOPY --exclude=*.md . .\nRUN npm ci\n", node(), ""},

	{"early-variable", "ARG", "FROM a\nARG GIT_SHA\nRUN apk add git\nRUN make $GIT_SHA\n" + lastly, nil, " RUN apk add git\n+ARG GIT_SHA\n"},
	{"early-variable", "ENV", "FROM a\nENV APP_VERSION=1\nRUN apk add git\n", nil, " RUN apk add git\n+ENV APP_VERSION=1\n"},
	{"early-variable", "with its comment", "FROM a\n# of CI\nARG BUILD_ID\nRUN apk add git\n", nil, "+RUN apk add git\n # of CI\n ARG BUILD_ID\n"},
	{"early-variable", "npm ci", "FROM a\nARG VERSION=1\nCOPY package.json .\nRUN npm ci\nRUN make\n", node(), " RUN npm ci\n+ARG VERSION=1\n"},
	{"early-variable", "used", "FROM a\nARG GIT_SHA\nRUN apk add git=$GIT_SHA\n", nil, ""},
	{"early-variable", "used by another", "FROM a\nARG GIT_SHA\nENV X=$GIT_SHA\nRUN apk add git\n", nil, ""},
	{"early-variable", "a setting", "FROM a\nENV NODE_ENV=production\nRUN npm ci\n", node(), ""},
	{"early-variable", "a tool's version", "FROM a\nENV PIP_VERSION=1\nRUN pip install x\n", nil, ""},
	{"early-variable", "a tool's version: npm", "FROM a\nARG BUNDLER_VERSION=1\nRUN bundle install\n", filesOf("Gemfile"), ""},
	{"early-variable", "a build", "FROM a\nARG GIT_SHA\nRUN make\n", nil, ""},
	{"early-variable", "a script", "FROM a\nARG GIT_SHA\nRUN apk add git && ./x\n", nil, ""},
	{"early-variable", "a pipe", "FROM a\nARG GIT_SHA\nRUN curl x | sh\n", nil, ""},
	{"early-variable", "in a manifest", "FROM a\nARG RAILS_VERSION=1\nCOPY Gemfile .\nRUN bundle install\n", filesOf("Gemfile=gem 'rails', ENV['RAILS_VERSION']"), ""},
	{"early-variable", "MSBuild reads all", "FROM a\nARG VERSION=1\nCOPY a.csproj .\nRUN dotnet restore\n", filesOf("a.csproj=<Project/>"), ""},
	{"early-variable", "in FROM too", "ARG VERSION=1\nFROM a:$VERSION\nARG VERSION\nRUN apk add git\n", nil, ""},
	{"early-variable", "late", "FROM a\nRUN apk add git\nARG GIT_SHA\nRUN make\n", nil, ""},

	{"early-platform", "go", "FROM --platform=$BUILDPLATFORM a\nARG TARGETOS TARGETARCH\nCOPY go.mod .\nRUN go mod download\nRUN GOARCH=$TARGETARCH go build\n", filesOf("go.mod=module x"), " RUN go mod download\n+ARG TARGETOS TARGETARCH\n"},
	{"early-platform", "variant", "FROM --platform=$BUILDPLATFORM a\nARG TARGETVARIANT\nRUN apk add git\n", nil, "+ARG TARGETVARIANT\n"},
	{"early-platform", "used", "FROM --platform=$BUILDPLATFORM a\nARG TARGETARCH\nRUN dotnet restore -a $TARGETARCH\n", nil, ""},
	{"early-platform", "no cross compiling", "FROM a\nARG TARGETARCH\nRUN apk add git\n", nil, ""},
	{"early-platform", "a value of its own", "FROM --platform=$BUILDPLATFORM a\nARG TARGETARCH=arm\nRUN apk add git\n", nil, ""},
	{"early-platform", "the build's platform", "FROM --platform=$BUILDPLATFORM a\nARG BUILDPLATFORM\nRUN apk add git\n", nil, ""},
	{"early-platform", "may be read", "FROM --platform=$BUILDPLATFORM a\nARG TARGETARCH\nRUN xx-apk add git\n", nil, ""},

	{"unneeded-context", "packages", "FROM a\nCOPY . .\nRUN npm ci\n", node("web/node_modules/a=1"), "+**/node_modules\n"},
	{"unneeded-context", "packages that nothing installs", "FROM a\nCOPY . .\nCMD node .\n", node("node_modules/a=1"), ""},
	{"unneeded-context", "packages by name", "FROM a\nCOPY . .\nRUN npm ci\nCOPY node_modules/a /a\n", node("node_modules/a=1"), ""},
	{"unneeded-context", "bytecode", "FROM a\nCOPY . .\n", filesOf("a/__pycache__/x.pyc"), "+**/__pycache__\n+**/*.pyc\n"},
	{"unneeded-context", "git", "FROM a\nCOPY . .\n", filesOf(".git/HEAD"), "+.git\n"},
	{"unneeded-context", "git is asked", "FROM a\nCOPY . .\nRUN git describe > v\n", filesOf(".git/HEAD"), ""},
	{"unneeded-context", "git is asked by a tool", "FROM a\nCOPY . .\nRUN pip install .\n", filesOf(".git/HEAD", "pyproject.toml=setuptools_scm"), ""},
	{"unneeded-context", "notes", "FROM a\nCOPY . .\n", filesOf("README.md"), "+README.md\n"},
	{"unneeded-context", "notes that a package has", "FROM a\nCOPY . .\n", filesOf("README.md", "pyproject.toml=readme = 'README.md'"), ""},
	{"unneeded-context", "all of a COPY at once", "FROM a\nCOPY . .\nRUN npm ci\n", node("node_modules/a=1", "a.log", ".git/HEAD"), "+**/node_modules\n+**/*.log\n+.git\n"},
	{"unneeded-context", "taken back by name", "FROM a\nCOPY . .\n", filesOf(".dockerignore=*.md\n!README.md\n! /a.log\n", "README.md", "a.log", "b.log"), ""},
	{"unneeded-context", "below is taken back by name", "FROM a\nCOPY . .\nRUN npm ci\n", node(".dockerignore=node_modules\n!node_modules/a\n", "node_modules/a"), ""},
	{"unneeded-context", "another is taken back", "FROM a\nCOPY . .\n", filesOf(".dockerignore=*\n!src\n", "src/a.log"), "+**/*.log\n"},
	{"unneeded-context", "a site", "FROM a\nCOPY . /usr/share/nginx/html\n", filesOf("README.md", "a.log"), ""},
	{"unneeded-context", "a site in the working directory", "FROM a\nWORKDIR /var/www/html\nCOPY . .\n", filesOf("README.md", "a.log"), ""},
	{"unneeded-context", "a site of httpd", "FROM a\nADD . /usr/local/apache2/htdocs/\n", filesOf("README.md", "a.log"), ""},
	{"unneeded-context", "not copied", "FROM a\nCOPY src .\n", filesOf("src/a", "README.md", "a.log"), ""},
	{"unneeded-context", "target is what is run", "FROM a\nCOPY . .\n", filesOf("pom.xml", "target/a.jar"), ""},
	{"unneeded-context", "target is made", "FROM a\nCOPY . .\nRUN mvn package\n", filesOf("pom.xml", "target/a.jar"), "+target\n"},

	{"no-link", "a stage", "FROM a AS b\nRUN x\nFROM nginx\nCOPY --from=b /dist/ /usr/share/nginx/html/\n", nil, "+COPY --link --from=b /dist/ /usr/share/nginx/html/\n"},
	{"no-link", "the context", "FROM a\nWORKDIR /app\nCOPY . .\n", node(), "+COPY --link . .\n"},
	{"no-link", "linked", "FROM a\nWORKDIR /app\nCOPY --link . .\n", node(), ""},
	{"no-link", "pinned", "FROM a@sha256:" + strings.Repeat("0", 64) + "\nWORKDIR /app\nCOPY . .\n", node(), ""},
	{"no-link", "scratch", "FROM scratch\nWORKDIR /app\nCOPY . .\n", node(), ""},
	{"no-link", "a name", "FROM a\nWORKDIR /app\nCOPY --chown=node:node . .\n", node(), ""},
	{"no-link", "a mode", "FROM a\nWORKDIR /app\nCOPY --chmod=755 . .\n", node(), ""},
	{"no-link", "a link in most bases", "FROM a\nCOPY src/app.js /bin/app.js\nCOPY src/app.js /var/run/app.js\n", node(), ""},
	{"no-link", "another's home", "FROM a\nUSER node\nWORKDIR /home/node\nCOPY . .\n", node(), ""},
	{"no-link", "another's directory", "FROM a\nUSER node\nWORKDIR /app\nCOPY . .\n", node(), ""},
	{"no-link", "changed by a RUN", "FROM a\nRUN mkdir /app && chown 5 /app\nWORKDIR /app\nCOPY . .\n", node(), ""},
	{"no-link", "a file or a directory", "FROM a\nCOPY src/app.js /opt/x\n", node(), ""},
	{"no-link", "of the same base", "FROM busybox AS base\nRUN touch /a\nFROM busybox\nWORKDIR /b\nCOPY --from=base /a .\n", nil, ""},
	{"no-link", "of the same base, by another stage", "FROM a AS x\nRUN y\nFROM b AS z\nCOPY --from=x /a /a\nRUN y\nFROM a\nWORKDIR /b\nCOPY --from=z /b .\n", nil, ""},
	{"no-link", "of the base itself", "FROM a\nWORKDIR /b\nCOPY --from=a /b/ ./\n", nil, ""},
	{"no-link", "one of the same base, one not", "FROM a AS x\nRUN y\nFROM a\nWORKDIR /app\nCOPY --from=x /b/ ./\nCOPY src .\n", node(), " COPY --from=x /b/ ./\n-COPY src .\n+COPY --link src .\n"},
	{"no-link", "above a RUN", "FROM a\nWORKDIR /app\nCOPY . .\nRUN make\n", node(), ""},
	{"no-link", "above and below a RUN", "FROM a\nWORKDIR /app\nCOPY . .\nRUN make\nCOPY src src\n", node(), " RUN make\n-COPY src src\n+COPY --link src src\n"},
	{"no-link", "an old frontend", "# syntax=docker/dockerfile:1.2\nFROM a\nWORKDIR /app\nCOPY . .\n", node(), ""},

	{"no-cache-mount", "npm", "FROM a\nCOPY . .\nRUN npm ci\n", node(), "+RUN --mount=type=cache,target=/root/.npm npm ci\n"},
	{"no-cache-mount", "pip told to keep none", "FROM a\nRUN pip install --no-cache-dir x\n", nil, "+RUN --mount=type=cache,target=/root/.cache/pip pip install x\n"},
	{"no-cache-mount", "go, all of it", "FROM golang\nCOPY . .\nRUN go mod download\nRUN go build\n", nil, "+RUN --mount=type=cache,target=/go/pkg/mod go mod download\n+RUN --mount=type=cache,target=/go/pkg/mod go build\n"},
	{"no-cache-mount", "go, and what isn't known", "FROM golang\nCOPY . .\nRUN go mod download\nRUN make\n", nil, ""},
	{"no-cache-mount", "mounted", "FROM a\nRUN --mount=type=cache,target=/root/.npm npm ci\n", node(), ""},
	{"no-cache-mount", "another user", "FROM a\nUSER node\nRUN npm ci\n", node(), ""},
	{"no-cache-mount", "cleaned", "FROM a\nRUN npm ci && npm cache clean --force\n", node(), ""},
	{"no-cache-mount", "kept elsewhere", "FROM a\nENV PIP_NO_CACHE_DIR=1\nRUN pip install x\n", nil, ""},
	{"no-cache-mount", "a tool", "FROM a\nRUN npm install -g x\n", nil, ""},
	{"no-cache-mount", "a frontend without mounts", "# syntax=docker/dockerfile:1.1\nFROM a\nCOPY . .\nRUN npm ci\n", node(), ""},
	{"no-cache-mount", "a frontend without mounts, in full", "#syntax = docker.io/docker/dockerfile:1.0.3\nFROM a\nCOPY . .\nRUN npm ci\n", node(), ""},
	{"no-cache-mount", "the first frontend with mounts", "# syntax=docker/dockerfile:1.2\nFROM a\nCOPY . .\nRUN npm ci\n", node(), "+RUN --mount=type=cache,target=/root/.npm npm ci\n"},
	{"no-cache-mount", "a later frontend", "# syntax=docker/dockerfile:1.10\nFROM a\nCOPY . .\nRUN npm ci\n", node(), "+RUN --mount=type=cache,target=/root/.npm npm ci\n"},
	{"no-cache-mount", "a heredoc", "FROM a\nRUN <<E\nnpm ci\nE\n", node(), ""},

	{"workdir-slash", "a slash", "FROM a\nWORKDIR /w/\nRUN x\n", nil, "+WORKDIR /w\n"},
	{"workdir-slash", "nothing below", "FROM a\nWORKDIR /w/\nCOPY src .\n", node(), ""},
	{"workdir-slash", "the root", "FROM a\nWORKDIR /\nRUN x\n", nil, ""},
	{"workdir-slash", "none", "FROM a\nWORKDIR /w\nRUN x\n", nil, ""},

	{"early-workdir", "apk", "FROM a\nWORKDIR /w\nRUN apk add git\nCOPY src .\n", node(), " RUN apk add git\n+WORKDIR /w\n"},
	{"early-workdir", "a local package", "FROM a\nWORKDIR /w\nRUN apt-get install ./x.deb\n", nil, ""},
	{"early-workdir", "a project's", "FROM a\nWORKDIR /w\nRUN npm ci\n", node(), ""},
	{"early-workdir", "a script", "FROM a\nWORKDIR /w\nRUN <<E bash\napk add x\nE\n", nil, ""},
	{"early-workdir", "cd", "FROM a\nWORKDIR /w\nRUN cd x && apk add git\n", nil, ""},
}

// TestRuleCases holds the rules to Dockerfiles of which it is known what they
// find, and each finding to what can be told without it.
func TestRuleCases(t *testing.T) {
	tested := map[string][2]int{}
	for _, c := range ruleCases {
		t.Run(c.rule+" "+c.name, func(t *testing.T) {
			b, disk := buildOf(t, c.text, c.files, cascade.Options{})
			all, err := Find(t.Context(), b, nil, disk)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string]string{"Dockerfile": c.text}
			maps.Copy(files, c.files)
			var diffs []string
			for _, f := range all {
				checkFinding(t, b, files, f)
				if f.Rule.ID == c.rule {
					diffs = append(diffs, f.Edit.Diff())
				}
			}
			got := strings.Join(diffs, "")
			n := tested[c.rule]
			if c.want == "" {
				n[0]++
			} else {
				n[1]++
			}
			tested[c.rule] = n
			switch {
			case c.want == "" && got != "":
				t.Errorf("found\n%s", got)
			case !inOrder(got, c.want):
				t.Errorf("found\n%s\nwant\n%s", got, c.want)
			}
		})
	}
	for _, r := range Rules() {
		if n := tested[r.ID]; n[0] == 0 || n[1] == 0 {
			t.Errorf("%s has no case in which it finds, or none in which it doesn't", r.ID)
		}
	}
}

// inOrder tells whether a diff has the lines that are wanted, one after another.
func inOrder(diff, want string) bool {
	for line := range strings.Lines(want) {
		_, after, ok := strings.Cut("\n"+diff, "\n"+strings.TrimSuffix(line, "\n")+"\n")
		if !ok {
			return false
		}
		diff = after
	}
	return true
}

// TestRules holds the table to itself.
func TestRules(t *testing.T) {
	ids := map[string]bool{}
	for _, r := range Rules() {
		if ids[r.ID] {
			t.Errorf("two rules are called %s", r.ID)
		}
		ids[r.ID] = true
		for _, s := range []string{r.ID, r.Title, r.What, r.Why, r.Not, r.Fix, r.Bad, r.Good, r.Saved} {
			if s == "" || strings.TrimSpace(s) != s {
				t.Errorf("%s: something is missing, or has space around it", r.ID)
			}
		}
		if r.find == nil || !r.For(cascade.BuildKit) {
			t.Errorf("%s finds nothing", r.ID)
		}
	}
	if r := Rules(); r[0].ID != "dockerfile-in-context" || slices.ContainsFunc(r, func(r *Rule) bool {
		return strings.HasPrefix(r.ID, "no-") && cmp.Or(r.For(cascade.Classic), r.For(cascade.Buildah))
	}) {
		t.Error("the order, or the builders, of the rules are others")
	}
}
