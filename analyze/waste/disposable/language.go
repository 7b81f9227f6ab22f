package disposable

import "slices"

// languagePackages are the rules about what languages' package managers and
// build tools keep.
func languagePackages() []*Rule {
	return slices.Concat(pythonCaches(), nodeCaches(), compiledCaches(), jvmCaches(), otherCaches(), buildCaches())
}

func pythonCaches() []*Rule {
	return []*Rule{
		{
			ID:    "conda-cache",
			Title: "conda packages",
			What:  "The packages that conda, mamba and their kin downloaded and unpacked (`pkgs`).",
			Why: "Environments are hard links to the unpacked files or copies of them, and keep working. " +
				"Files that an environment still links to are not counted: removing them frees nothing.",
			Fix: "`conda clean --all` in the RUN that installs.",
			Bad: `RUN conda install -y numpy`,
			Good: `RUN conda install -y numpy \
 && conda clean --all --yes`,
			Paths: paths("/opt/conda/pkgs/**", "**/{miniconda,miniconda3,anaconda,anaconda3,miniforge,miniforge3,mambaforge,micromamba,.conda,.mamba}/pkgs/**"),
		},
		{
			ID:    "pip-cache",
			Title: "pip, Poetry and Pipenv caches",
			What:  "Packages as they were downloaded, and wheels built of them.",
			Why:   "The packages are installed. The caches only make the next installation faster, which in an image never comes.",
			Fix: "`pip install --no-cache-dir`, or `ENV PIP_NO_CACHE_DIR=1`; to build fast too, have a cache mount. " +
				"Poetry: `poetry install --no-cache`, with a cache mount at `/root/.cache/pypoetry`.",
			Bad: `RUN pip install -r requirements.txt`,
			Good: `RUN --mount=type=cache,target=/root/.cache/pip \
    pip install -r requirements.txt`,
			Paths: paths("**/.cache/pip/**", "**/.cache/pypoetry/{cache,artifacts}/**", "**/.cache/pipenv/**"),
		},
		{
			ID:    "uv-cache",
			Title: "uv cache",
			What:  "What uv downloaded, unpacked and built.",
			Why: "uv links or copies out of it, and what it installed keeps working. Two exceptions: with " +
				"`UV_LINK_MODE=symlink` the packages are only there, and an image that runs `uvx` would download its tools again.",
			Fix: "`uv sync --no-cache`, or a cache mount with `UV_LINK_MODE=copy`.",
			Bad: `RUN uv sync --locked`,
			Good: `ENV UV_LINK_MODE=copy
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked`,
			Paths: paths("**/.cache/uv/**"),
		},
	}
}

func nodeCaches() []*Rule {
	return []*Rule{
		{
			ID:    "npm-cache",
			Title: "npm cache",
			What:  "Packages as npm downloaded them, its debug logs, and the headers that node-gyp fetched.",
			Why:   "The packages are in `node_modules`. The headers only serve to build native modules.",
			Fix:   "A cache mount, or `npm cache clean --force` in the RUN that installs.",
			Bad:   `RUN npm ci --omit=dev`,
			Good: `RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev`,
			Paths: paths("**/_cacache/**", "**/.npm/{_logs,_prebuilds}/**", "**/.cache/node-gyp/**", "**/.node-gyp/**"),
		},
		{
			ID:    "yarn-cache",
			Title: "Yarn cache",
			What:  "Packages as Yarn downloaded them.",
			Why: "With `node_modules` the packages are installed and the cache has no use any more. With Plug'n'Play they are " +
				"run from the cache: in an image with a `.pnp.cjs` the rule matches nothing.",
			Fix: "A cache mount, or `yarn cache clean` in the RUN that installs.",
			Bad: `RUN yarn install --frozen-lockfile --production`,
			Good: `RUN --mount=type=cache,target=/usr/local/share/.cache/yarn \
    yarn install --frozen-lockfile --production`,
			Paths:  paths("**/.cache/yarn/**", "**/.yarn-cache/**", "**/.yarn/cache/**", "**/.yarn/berry/{cache,index,metadata}/**"),
			Unless: []string{"**/.pnp.{cjs,js,loader.mjs}"},
		},
		{
			ID:    "pnpm-cache",
			Title: "pnpm store",
			What:  "The store that pnpm links or copies packages from, and its cache of metadata.",
			Why: "What `node_modules` has stays where it is. Files that are hard links to it are not counted: removing " +
				"one name frees nothing. Neither is a global virtual store (`links`), which packages are run from.",
			Fix: "A cache mount for the store; or `pnpm store prune` in the RUN that installs.",
			Bad: `RUN pnpm install --frozen-lockfile --prod`,
			Good: `RUN --mount=type=cache,target=/root/.local/share/pnpm/store \
    pnpm install --frozen-lockfile --prod`,
			Paths: paths("**/.local/share/pnpm/store/**", "**/.pnpm-store/**", "**/pnpm/store/v[0-9]*/**", "**/.cache/pnpm/**"),
			Keep:  []string{"**/{store,.pnpm-store}/v[0-9]*/links/**", "**/.cache/pnpm/dlx*/**"},
		},
		{
			ID:    "bun-cache",
			Title: "Bun cache",
			What:  "Packages as Bun downloaded them.",
			Why: "What `node_modules` has stays where it is. A script that has no `node_modules` and lets Bun install what it " +
				"imports would download it at each start.",
			Fix: "A cache mount, or `bun pm cache rm` in the RUN that installs.",
			Bad: `RUN bun install --production`,
			Good: `RUN --mount=type=cache,target=/root/.bun/install/cache \
    bun install --production`,
			Paths: paths("**/.bun/install/cache/**"),
		},
	}
}

func compiledCaches() []*Rule {
	return []*Rule{
		{
			ID:    "go-cache",
			Title: "Go build and module caches",
			What:  "Modules' sources and what the go command built of them.",
			Why:   "A program has all it needs inside. Where the go command itself is in the image, it downloads and builds again.",
			Fix:   "Build in a stage of its own and copy the program; cache mounts keep such a stage fast.",
			Bad: `FROM golang:1.26
COPY . /src
RUN cd /src && go build -o /usr/local/bin/app .
CMD ["app"]`,
			Good: `FROM golang:1.26 AS build
COPY . /src
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    cd /src && CGO_ENABLED=0 go build -o /app .

FROM alpine
COPY --from=build /app /app
CMD ["/app"]`,
			Paths: paths("**/.cache/go-build/**", "**/go/pkg/{mod,sumdb}/**", "**/pkg/mod/cache/**"),
		},
		{
			ID:    "cargo-cache",
			Title: "Cargo registry and intermediate files",
			What: "Crates as Cargo downloaded them (`registry`, `git`), what rustup left of its downloads, and what a build keeps " +
				"below `target` for the next one.",
			Why: "A program has all it needs inside. Programs and shared libraries below `target` are not matched: they may be what runs.",
			Fix: "Build in a stage of its own and copy the program; cache mounts keep such a stage fast.",
			Bad: `FROM rust:1
COPY . /src
RUN cd /src && cargo build --release
CMD ["/src/target/release/app"]`,
			Good: `FROM rust:1 AS build
COPY . /src
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cd /src && cargo build --release && cp target/release/app /app

FROM debian:stable-slim
COPY --from=build /app /usr/local/bin/app
CMD ["app"]`,
			Paths: paths("**/.cargo/{registry,git}/**", "/{usr/local,opt}/cargo/{registry,git}/**",
				"**/.rustup/{downloads,tmp}/**", "/{usr/local,opt}/rustup/{downloads,tmp}/**",
				"**/target/{debug,release,*/debug,*/release}/{incremental,.fingerprint}/**",
				"**/target/{debug,release,*/debug,*/release}/deps/*.{rlib,rmeta,d,o}"),
		},
	}
}

func jvmCaches() []*Rule {
	return []*Rule{
		{
			ID:    "maven-cache",
			Title: "Maven repository",
			What:  "The local repository that Maven downloads dependencies and plugins to, and what its wrapper downloaded.",
			Why: "An application that was packaged has its dependencies with it. An image that starts by running Maven " +
				"(`mvn spring-boot:run`) needs them, and should run the packaged application instead.",
			Fix: "Build in a stage of its own and copy the packaged application.",
			Bad: `FROM maven:3-eclipse-temurin-21
COPY . /src
RUN cd /src && mvn -q package
CMD ["java", "-jar", "/src/target/app.jar"]`,
			Good: `FROM maven:3-eclipse-temurin-21 AS build
COPY . /src
RUN --mount=type=cache,target=/root/.m2 cd /src && mvn -q package

FROM eclipse-temurin:21-jre
COPY --from=build /src/target/app.jar /app.jar
CMD ["java", "-jar", "/app.jar"]`,
			Paths: paths("**/.m2/{repository,wrapper}/**"),
		},
		{
			ID:    "gradle-cache",
			Title: "Gradle caches",
			What:  "Dependencies, compiled scripts, distributions and the daemon's logs below `.gradle`, a user's or a project's.",
			Why: "An application that was packaged has its dependencies with it. An image that starts by running Gradle " +
				"(`gradle bootRun`) needs them, and should run the packaged application instead.",
			Fix: "Build in a stage of its own and copy the packaged application.",
			Bad: `FROM gradle:8-jdk21
COPY . /src
RUN cd /src && gradle installDist
CMD ["/src/build/install/app/bin/app"]`,
			Good: `FROM gradle:8-jdk21 AS build
COPY . /src
RUN --mount=type=cache,target=/home/gradle/.gradle/caches \
    cd /src && gradle --no-daemon installDist

FROM eclipse-temurin:21-jre
COPY --from=build /src/build/install/app /app
CMD ["/app/bin/app"]`,
			Paths: paths("**/.gradle/{caches,daemon,wrapper,native,notifications,.tmp,buildOutputCleanup,vcs-1,[0-9]*}/**", "**/caches/modules-2/**"),
		},
	}
}

func otherCaches() []*Rule {
	return []*Rule{
		{
			ID:    "nuget-cache",
			Title: "NuGet packages",
			What:  "The packages that `dotnet restore` downloaded and unpacked, and its HTTP cache.",
			Why: "`dotnet publish` copies all that the application needs. An image that starts by `dotnet run` needs them, and " +
				"should run the published application instead.",
			Fix: "Build in a stage of its own and copy what `dotnet publish` made.",
			Bad: `FROM example.org/dotnet/sdk:9.0
COPY . /src
RUN dotnet publish /src -o /app
CMD ["dotnet", "/app/app.dll"]`,
			Good: `FROM example.org/dotnet/sdk:9.0 AS build
COPY . /src
RUN --mount=type=cache,target=/root/.nuget/packages dotnet publish /src -o /app

FROM example.org/dotnet/aspnet:9.0
COPY --from=build /app /app
CMD ["dotnet", "/app/app.dll"]`,
			Paths: paths("**/.nuget/packages/**", "**/.local/share/NuGet/{http-cache,v3-cache,plugins-cache}/**"),
		},
		{
			ID:    "composer-cache",
			Title: "Composer cache",
			What:  "Packages as Composer downloaded them.",
			Why:   "The packages are in `vendor`.",
			Fix:   "A cache mount, or `composer install --no-cache`.",
			Bad:   `RUN composer install --no-dev`,
			Good: `RUN --mount=type=cache,target=/root/.composer/cache \
    composer install --no-dev`,
			Paths: paths("**/.composer/cache/**", "**/.cache/composer/**"),
		},
		{
			ID:    "gem-cache",
			Title: "RubyGems and Bundler caches",
			What:  "Gems as they were downloaded, Bundler's clones of git repositories, and indexes of available gems.",
			Why:   "The gems are installed beside. A project's `vendor/cache` is not matched: gems from git are run from there.",
			Fix:   "Remove the cache in the RUN that installs, as the Dockerfile does that Rails generates; or have a cache mount.",
			Bad:   `RUN bundle install`,
			Good: `RUN bundle install \
 && rm -rf ~/.bundle/cache /usr/local/bundle/cache /usr/local/bundle/ruby/*/cache`,
			Paths: paths("/usr/local/bundle/cache/**", "**/bundle/ruby/*/cache/**", "**/ruby/gems/*/cache/**", "/var/lib/gems/*/cache/**",
				"**/.gem/ruby/*/cache/**", "**/.gem/specs/**", "**/.local/share/gem/specs/**", "**/.cache/gem/**", "**/.bundle/cache/**"),
		},
		{
			ID:    "cpan-cache",
			Title: "CPAN caches",
			What:  "What cpan and cpanm downloaded, unpacked and built.",
			Why:   "The modules are installed elsewhere.",
			Fix:   "Remove the directory in the RUN that installs.",
			Bad:   `RUN cpanm Mojolicious`,
			Good:  `RUN cpanm --notest Mojolicious && rm -rf ~/.cpanm`,
			Paths: paths("**/.cpanm/**", "**/.cpan/{build,sources}/**"),
		},
	}
}

func buildCaches() []*Rule {
	return []*Rule{
		{
			ID:    "build-cache",
			Title: "caches of compilers, bundlers, linters and test runners",
			What:  "What such tools keep to be faster the next time: ccache, sccache, `node_modules/.cache`, `.next/cache/webpack`, `.mypy_cache` and others.",
			Why: "They serve the next build or check. Caches that hold what programs run from are not matched: browsers of " +
				"Puppeteer and Playwright, Prisma's engines.",
			Fix: "A cache mount, a stage of its own for the build, and a `.dockerignore` for those that come with the sources.",
			Bad: `COPY . .
RUN npm run build`,
			Good: `COPY . .
RUN --mount=type=cache,target=/app/node_modules/.cache \
    --mount=type=cache,target=/app/.next/cache \
    npm run build`,
			Paths: paths("**/node_modules/.cache/**", "**/.next/cache/{webpack,swc,turbopack,eslint}/**",
				"**/{.parcel-cache,.nyc_output,.mypy_cache,.pytest_cache,.ruff_cache,.phpunit.cache}/**",
				"**/{.angular,.nx}/cache/**", "**/.ccache/**", "**/.cache/{ccache,sccache}/**",
				"**/{.eslintcache,.stylelintcache,.phpunit.result.cache,.php-cs-fixer.cache,.php_cs.cache}"),
			Keep: []string{"**/node_modules/.cache/{puppeteer,ms-playwright,playwright,prisma,Cypress}/**"},
		},
	}
}
