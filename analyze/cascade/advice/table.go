package advice

import "github.com/layerscope/layerscope/analyze/cascade"

// table returns the rules, the most useful first.
func table() []*Rule {
	return []*Rule{
		{
			ID:    "dockerfile-in-context",
			Title: "the Dockerfile is among what it copies",
			What:  "A COPY, an ADD or a bind mount that takes the Dockerfile or `.dockerignore` along with the files around them.",
			Why: "Builders compare what is copied by its bytes. Where the Dockerfile is part of it, any edit of the Dockerfile, " +
				"even of a comment or of its last line, runs that COPY again and all that is below it.",
			Not: "Not found where the Dockerfile is copied by its name or where a RUN mentions it. Builders read the Dockerfile and " +
				"`.dockerignore` even if they are left out of the context.",
			Fix: "Name both in `.dockerignore`.",
			Bad: `COPY . .
RUN npm ci`,
			Good: `# .dockerignore:
#   Dockerfile
#   .dockerignore
COPY . .
RUN npm ci`,
			Saved: "The saving is that of an edited comment.",
			find:  findSelf,
		},
		{
			ID:    "copy-before-install",
			Title: "more is copied than the install below needs",
			What: "A COPY of a whole directory above a step that installs dependencies and reads nothing but manifests: those of npm, " +
				"Yarn, pnpm, Bun, Go, pip, uv, Poetry, Pipenv, Bundler, Composer, Maven, Gradle and .NET.",
			Why: "Any file of the directory that changes installs everything again, though the dependencies are the same.",
			Not: "Not found where the install seems to need more than manifests: scripts of a `package.json` that run at an install " +
				"(`postinstall`, `prepare`), dependencies by path (`file:`, `replace … => ./x`, `-e .`), workspaces, a project that is " +
				"installed itself (`pip install .`, `poetry install` without `--no-root`), a Gemfile that reads other files. Nor where the " +
				"same RUN installs and builds: make two of it first. Cargo isn't covered, as it wants sources beside the manifest: copy " +
				"`Cargo.toml` and `Cargo.lock`, build with a dummy `src/main.rs`, then copy the sources; or have cargo-chef do it.",
			Fix: "Copy the manifests, install, then copy the rest. What an install writes into the project (`node_modules`) belongs " +
				"into `.dockerignore`, or the COPY puts this machine's over it.",
			Bad: `COPY . .
RUN npm ci`,
			Good: `COPY package.json package-lock.json ./
RUN npm ci
COPY . .`,
			Saved: "The saving is that of a changed source file.",
			find:  findSplits,
		},
		{
			ID:    "early-variable",
			Title: "a variable stands above an install that doesn't use it",
			What: "An ARG or an ENV that changes often, such as a version, a commit, or the number or time of a build, above a step that " +
				"installs packages and doesn't mention it.",
			Why: "Variables are part of the environment of every RUN below them, whether used or not. An ARG counts from its own line on, " +
				"as soon as it has a value.",
			Not: "Only variables that no tool reads for a setting of its own are found, and only above steps that are known to install " +
				"packages and to do nothing else: `make` or `npm run build` may read any variable.",
			Fix: "Move the ARG or ENV below the installs, best right above the first instruction that uses it.",
			Bad: `ARG GIT_SHA
RUN apt-get update && apt-get install -y curl
RUN make VERSION=$GIT_SHA`,
			Good: `RUN apt-get update && apt-get install -y curl
ARG GIT_SHA
RUN make VERSION=$GIT_SHA`,
			Saved: "The saving is that of other values.",
			find:  findEarly,
		},
		{
			ID:    "early-platform",
			Title: "the target platform stands above an install that doesn't use it",
			What: "`ARG TARGETARCH`, `TARGETOS`, `TARGETPLATFORM` or `TARGETVARIANT` in a stage `FROM --platform=$BUILDPLATFORM`, above a " +
				"step that downloads the same for all platforms.",
			Why: "Once declared, the argument is part of the environment of every RUN below it. A build for several platforms then does " +
				"for each of them what it could do once.",
			Not:      "Not found above steps that may read the argument, as builds and scripts do.",
			Fix:      "Declare it right above the step that compiles.",
			Builders: []cascade.Builder{cascade.BuildKit},
			Bad: `FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /app`,
			Good: `FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /app`,
			Saved: "The saving is that of a build for one more platform.",
			find:  findEarlyTarget,
		},
		{
			ID:    "unneeded-context",
			Title: "files that no step seems to need are copied",
			What: "Files of the context that a COPY takes and that builds rarely need: packages that are installed in the build anyway, " +
				"what it makes anew, caches, logs, files of editors, of CI and of git.",
			Why: "A change of any of them runs the COPY again and all that is below it. The build has to be sent them too.",
			Not: "A file that a step names isn't found, nor one that `.dockerignore` takes back by its name (`!README.md`), nor what is copied into the " +
				"root of a web server, which serves it. Whether a program reads one at run time can't be seen here. Without `.git`, tools " +
				"that derive a version of it (setuptools_scm, `git describe`, `go build`) fail or tell another one: a survey found that " +
				"of 33 builds 11 broke.",
			Fix: "Name them in `.dockerignore`.",
			Bad: `COPY . .
RUN npm ci`,
			Good: `# .dockerignore:
#   **/node_modules
#   **/*.log
#   .github
COPY . .
RUN npm ci`,
			Saved: "One finding has all that a COPY takes. The saving is that of a change of the first of the files.",
			find:  findLitter,
		},
		{
			ID:    "no-link",
			Title: "a COPY that could do without its base",
			What:  "A COPY of the target's stage without `--link`, on a base that isn't pinned to a digest.",
			Why: "A COPY stands on what is below it: if the base moves, all is copied again into new layers. With `--link` it is a layer of " +
				"its own that is only put upon the new base, and neither built nor pushed anew.",
			Not: "`--link` doesn't look at what is there: it replaces a link to a directory by a directory, makes parents anew as root's, and takes " +
				"no names for `--chown`. Destinations where that may matter aren't found: `/bin`, `/lib` and `/var`, home directories, and " +
				"what a RUN or another user made. Nor is a COPY above a RUN of its stage, which reruns either way, or one of what is itself made from that base.",
			Fix:      "`COPY --link`. It wants Dockerfile syntax 1.4.",
			Builders: []cascade.Builder{cascade.BuildKit},
			Bad: `FROM nginx:1.29
COPY --from=build /app/dist/ /usr/share/nginx/html/`,
			Good: `FROM nginx:1.29
COPY --link --from=build /app/dist/ /usr/share/nginx/html/`,
			Saved: "The saving is that of a base that moved.",
			find:  findUnlinked,
		},
		{
			ID:    "no-cache-mount",
			Title: "downloads that no cache keeps",
			What:  "A RUN that downloads packages, as root, without a cache mount: npm, pnpm, Bun, pip, Poetry, Pipenv, Go, Cargo, Maven, NuGet, Composer, gem and Bundler.",
			Why: "When the step runs again, it downloads all packages again, of which one may have changed. A cache mount keeps them from build " +
				"to build, and out of the image.",
			Not: "Not found where the tool is told to keep its cache elsewhere or to clean it, where it runs as another user, and where a later " +
				"step that isn't known may need what the mount holds, nor with Dockerfile syntax 1.0 and 1.1, whose RUN has no `--mount`. Builds on machines that keep no cache gain nothing. apt, too, can do with mounts " +
				"(`/var/cache/apt` and `/var/lib/apt` with `sharing=locked`), if the image's `docker-clean` is taken away first.",
			Fix:      "`RUN --mount=type=cache,target=…`, in all steps that use the cache.",
			Builders: []cascade.Builder{cascade.BuildKit},
			Bad:      `RUN npm ci`,
			Good:     `RUN --mount=type=cache,target=/root/.npm npm ci`,
			Saved:    "No saving is computed: the step runs as often, but faster.",
			find:     findUnmounted,
		},
		{
			ID:    "workdir-slash",
			Title: "a WORKDIR with a slash at its end",
			What:  "A WORKDIR that ends in a slash.",
			Why: "`/app` and `/app/` are one directory, but builders cache a RUN by the text of its working directory. To tidy the slash up later, or " +
				"to write it in one of two stages that are alike, runs every RUN below again.",
			Not:   "Taking it off runs them again too, once: do it along with another edit of that part.",
			Fix:   "Leave the slash out.",
			Bad:   "WORKDIR /app/\nRUN make",
			Good:  "WORKDIR /app\nRUN make",
			Saved: "The saving is that of the slash taken off later.",
			find:  findSlash,
		},
		{
			ID:    "early-workdir",
			Title: "a WORKDIR above an install of system packages",
			What:  "A WORKDIR right above a RUN that installs packages and doesn't care where it runs.",
			Why:   "The working directory is part of what a RUN is cached by: another one installs everything again.",
			Not:   "A directory that never changes costs nothing.",
			Fix:   "Move the WORKDIR below, to what works in it.",
			Bad: `WORKDIR /app
RUN apk add --no-cache git
COPY . .`,
			Good: `RUN apk add --no-cache git
WORKDIR /app
COPY . .`,
			Saved: "The saving is that of another directory.",
			find:  findEarlyWorkdir,
		},
	}
}
