package disposable

import "slices"

// leftBehind are the rules about places that collect what is left behind.
func leftBehind() []*Rule {
	return []*Rule{
		{
			ID:    "core-dumps",
			Title: "core and heap dumps",
			What:  "What the kernel, the JVM and crash reporters write when a program ends in a crash.",
			Why: "Something crashed while the image was built: worth a look, and then gone. A dump holds the program's memory, " +
				"with any secret that was in it.",
			Fix:  "Find out what crashed. Until then `ulimit -c 0` at the beginning of the RUN keeps the dump from being written.",
			Bad:  `RUN make test || true`,
			Good: `RUN ulimit -c 0 && make test`,
			Paths: slices.Concat(
				when(byKernel, "**/core", "**/core.[0-9]*"),
				paths("/var/crash/**", "/var/lib/systemd/coredump/**", "/var/lib/apport/coredump/**", "**/{hs_err,replay}_pid*.log",
					"**/java_pid*.hprof", "**/javacore.[0-9]*.txt", "**/heapdump.[0-9]*.phd", "**/Snap.[0-9]*.trc", "**/core.[0-9]*.dmp"),
			),
		},
		{
			ID:    "tmp",
			Title: "temporary files",
			What:  "What is in `/tmp` and `/var/tmp`.",
			Why: "Mostly downloads and half-built things that nobody removed. What a container needs shouldn't be there: many " +
				"run with an empty `/tmp` mounted over it.",
			Fix: "Remove it in the RUN that made it, download by `ADD` in a stage of its own, or have `--mount=type=tmpfs,target=/tmp`.",
			Bad: `RUN curl -fsSLo /tmp/tool.tar.gz https://example.org/tool.tar.gz
RUN tar -xzf /tmp/tool.tar.gz -C /usr/local`,
			Good:  `RUN curl -fsSL https://example.org/tool.tar.gz | tar -xz -C /usr/local`,
			Paths: paths("/{tmp,var/tmp}/**"),
		},
		{
			ID:    "logs",
			Title: "logs",
			What:  "What package managers and programs wrote to `/var/log`, to directories called log or logs, and to home directories.",
			Why: "They tell of the build, and containers write their own. Remove the files and keep the directories: " +
				"programs may not start without the one they write to.",
			Fix: "Remove them in the RUN that wrote them, and name `*.log` in `.dockerignore`.",
			Bad: `RUN apt-get update && apt-get install -y nginx && rm -rf /var/lib/apt/lists/*`,
			Good: `RUN apt-get update && apt-get install -y nginx \
 && rm -rf /var/lib/apt/lists/* \
 && find /var/log -type f -delete`,
			Paths: paths("/var/log/**", "~/*.log", "**/{log,logs}/*.log",
				"**/{npm,yarn,pnpm,lerna}-debug.log*", "**/yarn-error.log"),
		},
	}
}
