package disposable

import "slices"

// named are the rules about what is told by its name, wherever it is.
func named() []*Rule {
	return []*Rule{
		{
			ID:    "python-bytecode",
			Title: "Python bytecode",
			What:  "Compiled modules (`.pyc`, `.pyo`) whose sources are there too.",
			Why: "Python compiles a module when it is imported and there is no bytecode. That costs time at the first import, and at " +
				"each start of a container where the file can't be written: keep the bytecode where starts must be fast. " +
				"Bytecode without its source is the program, and isn't matched.",
			Fix: "`ENV PYTHONDONTWRITEBYTECODE=1` and `pip install --no-compile`. Debian's packages are compiled when they are " +
				"installed all the same: delete their `__pycache__` in that RUN.",
			Bad: `RUN pip install --no-cache-dir flask`,
			Good: `ENV PYTHONDONTWRITEBYTECODE=1
RUN pip install --no-cache-dir --no-compile flask`,
			Paths: when(withSource, "**/*.py{c,o}"),
		},
		{
			ID:    "source-maps",
			Title: "source maps",
			What:  "Maps from generated JavaScript, CSS and type declarations to their sources, beside what they are of.",
			Why: "Debuggers read them, and Node.js for readable stack traces if told to: with `--enable-source-maps` in the image's " +
				"`NODE_OPTIONS` the rule matches nothing; on the command line, or through the package source-map-support, it isn't seen. " +
				"Served to browsers they give the sources away.",
			Fix:   "Have the bundler write none for production, or upload them to where errors are reported and remove them in the same RUN.",
			Bad:   `RUN npm run build`,
			Good:  `RUN npm run build && find dist -name '*.map' -delete`,
			Paths: when(besideMapped, "**/*.{js,mjs,cjs,jsx,css,ts,mts,cts}.map"),
			Env:   sourceMapsWanted,
		},
		{
			ID:    "package-leftovers",
			Title: "old databases and configuration of packages",
			What: "The copies that dpkg, debconf, useradd and the like make before they write (`status-old`, `passwd-`), configuration files " +
				"that were replaced or not taken over (`.dpkg-dist`, `.rpmnew`), and the cache of ldconfig.",
			Why:  "They are there for an administrator to compare with. The files in use are others.",
			Fix:  "Remove them in the RUN that installs or adds users.",
			Bad:  `RUN useradd --system app`,
			Good: `RUN useradd --system app && rm -f /etc/passwd- /etc/shadow- /etc/group- /etc/gshadow- /etc/subuid- /etc/subgid-`,
			Paths: paths("/var/lib/dpkg/{status,available,diversions,statoverride}-old", "/var/cache/debconf/*-old", "/var/backups/**",
				"/etc/{passwd,shadow,group,gshadow,subuid,subgid}-", "/etc/**/*.{dpkg-old,dpkg-dist,dpkg-new,dpkg-bak,dpkg-tmp,ucf-old,ucf-dist,ucf-new}",
				"/etc/**/*.{rpmnew,rpmsave,rpmorig,apk-new,pacnew,pacsave}", "/var/cache/ldconfig/aux-cache"),
		},
		{
			ID:    "litter",
			Title: "litter of editors and desktops",
			What: "What editors, desktops and shells leave: swap and backup files beside what they are of, project settings " +
				"(`.idea`, `.vscode`), folder views (`.DS_Store`, `Thumbs.db`), histories of commands.",
			Why: "Nothing that runs reads it. A history of commands may hold secrets. A backup that can be executed is not matched: " +
				"it may be the program that a script of its name wraps.",
			Fix: "Name them in `.dockerignore`.",
			Bad: `COPY . .`,
			Good: `# .dockerignore: **/.DS_Store **/.*.sw? **/*~ .idea .vscode
COPY . .`,
			Paths: slices.Concat(
				paths("**/{.DS_Store,Thumbs.db,ehthumbs.db}", "**/{__MACOSX,.AppleDouble,.Spotlight-V100,.Trashes,.fseventsd}/**",
					"**/.idea/**", "**/.vscode/*", "**/*.sublime-workspace", "**/.*.sw[nop]",
					"~/.{bash,ash,sh,zsh,python,node_repl,mysql,psql,sqlite,irb,rediscli}_history", "~/.{lesshst,viminfo,wget-hsts}"),
				when(besideData, "**/._*"),
				when(backup, "**/*~", "**/#*#", "**/*.{orig,rej,bak}"),
			),
		},
	}
}
