package disposable

// systemPackages are the rules about distributions' package managers.
func systemPackages() []*Rule {
	return []*Rule{
		{
			ID:    "apt-lists",
			Title: "apt package lists",
			What:  "The lists of available packages that `apt-get update` fetches.",
			Why: "They say what could be installed, not what is. They are out of date in days, and whoever installs " +
				"something later has to fetch them again anyway.",
			Fix: "Remove them in the same RUN that fetched them; a later RUN hides them and frees nothing. " +
				"Or keep them out of the image with a cache mount.",
			Bad: `RUN apt-get update
RUN apt-get install -y --no-install-recommends curl`,
			Good: `RUN apt-get update \
 && apt-get install -y --no-install-recommends curl \
 && rm -rf /var/lib/apt/lists/*`,
			Paths: paths("/var/lib/apt/lists/**"),
		},
		{
			ID:    "apt-archives",
			Title: "apt archives and caches",
			What: "Packages that were installed already (`.deb`), those in local repositories such as NVIDIA's installers leave among " +
				"them, and apt's binary caches of its lists.",
			Why: "What the packages held is installed. apt makes its caches anew when it needs them. " +
				"A directory that serves as an apt repository is not waste: its packages are what the image is for.",
			Fix: "Official Debian and Ubuntu images remove downloaded packages by themselves, unless `docker-clean` was taken out: " +
				"then run `apt-get clean`, or have a cache mount. Remove a `.deb` in the RUN that downloads and installs it.",
			Bad: `COPY agent.deb /root/
RUN dpkg -i /root/agent.deb && rm /root/agent.deb`,
			Good: `RUN --mount=type=bind,source=agent.deb,target=/tmp/agent.deb \
    dpkg -i /tmp/agent.deb`,
			Paths: paths("/var/cache/apt/**", "{~,/opt,/usr/src,/usr/local/src}/*.deb", "/var/{*-local-repo-*,*-repo-*-local}/*.deb"),
		},
		{
			ID:    "apk-cache",
			Title: "apk caches",
			What:  "Alpine's index of available packages, and packages that were installed already.",
			Why:   "apk fetches both again when it needs them. What is installed is listed elsewhere and isn't touched.",
			Fix:   "`apk add --no-cache` leaves nothing behind and needs no `apk update`.",
			Bad:   `RUN apk update && apk add curl`,
			Good:  `RUN apk add --no-cache curl`,
			Paths: paths("/var/cache/apk/**", "/etc/apk/cache/**"),
		},
		{
			ID:    "rpm-cache",
			Title: "dnf, yum, microdnf, tdnf and zypper caches",
			What: "Repositories' metadata, packages that were installed already, and the memory that rpm's old " +
				"database shared between processes (`__db.001`).",
			Why: "All of it is fetched or made again when needed. The database of what is installed is not part of it.",
			Fix: "Clean in the same RUN: `dnf clean all`, `yum clean all`, `microdnf clean all`, `tdnf clean all`, `zypper clean --all`. " +
				"Or keep the cache out of the image with a cache mount.",
			Bad:  `RUN dnf install -y httpd`,
			Good: `RUN dnf install -y --setopt=install_weak_deps=False httpd && dnf clean all`,
			Paths: paths("/var/cache/{dnf,yum,libdnf5,tdnf,zypp,PackageKit}/**", "/var/lib/rpm/__db.[0-9]*",
				"{~,/opt,/usr/src,/usr/local/src}/*.rpm"),
		},
		{
			ID:    "pacman-cache",
			Title: "pacman caches",
			What:  "Packages that were installed already, and the databases of available ones.",
			Why:   "pacman fetches both again when it needs them. What is installed is in `/var/lib/pacman/local`, which isn't touched.",
			Fix:   "Remove both in the RUN that installs.",
			Bad:   `RUN pacman -Syu --noconfirm nginx`,
			Good: `RUN pacman -Syu --noconfirm nginx \
 && rm -rf /var/cache/pacman/pkg/* /var/lib/pacman/sync/*`,
			Paths: paths("/var/cache/pacman/pkg/**", "/var/lib/pacman/sync/**"),
		},
	}
}
