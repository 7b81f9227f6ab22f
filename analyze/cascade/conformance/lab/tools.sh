#!/bin/busybox sh
# Stands for the tools that Dockerfiles run, each under its own name: what it
# writes follows from the files that the real tool would read, comments aside,
# and from nothing else. Unknown uses do nothing, and well.
set -e
tool=$(basename "$0")

# digest FILE... is of what the files say, those that there are, without lines
# that are comments.
digest() {
	for f in "$@"; do
		if [ -f "$f" ]; then echo "$f"; grep -v -E '^[[:space:]]*(//|#|<!--|$)' "$f" || true; fi
	done | sha256sum | cut -c1-16
}

# below DIR PATTERN lists files in order.
below() { if [ -d "$1" ]; then find "$1" -type f -name "$2" | sort; fi; }

# put PATH TEXT... writes a file and the folders that it is in, if the user may.
put() {
	path=$1
	shift
	if mkdir -p "$(dirname "$path")" && [ -w "$(dirname "$path")" ]; then echo "$@" >"$path"; fi 2>/dev/null
}

# after FLAG ARGUMENT... is the argument after the flag.
after() {
	flag=$1
	shift
	while [ $# -gt 1 ]; do
		if [ "$1" = "$flag" ]; then echo "$2"; fi
		shift
	done | tail -n 1
}

# packages DIR ARGUMENT... notes each argument that is no flag as a package.
packages() {
	dir=$1
	shift 2
	for p in "$@"; do
		case $p in
		-*) ;;
		*) put "$dir/$p" "$p" ;;
		esac
	done
}

case "$tool $1" in
"npm ci" | "npm install" | "yarn install")
	put node_modules/.packages "$(digest package.json package-lock.json yarn.lock)"
	put node_modules/left-pad/index.js "left-pad"
	;;
"npm run" | "yarn build")
	put dist/app.js "$(digest package.json tsconfig.json $(below src '*'))"
	put dist/index.html "<script src=app.js>"
	;;
"go mod") put "${GOPATH:-/go}/pkg/mod/packages" "$(digest go.mod go.sum)" ;;
"go build")
	out=$(after -o "$@")
	put "${out:-a.out}" "$(digest go.mod $(below . '*.go')) ${GOOS:-linux}/${GOARCH:-amd64} $(after -ldflags "$@")"
	;;
"pip install")
	list=$(after -r "$@")
	put /usr/lib/python3/site-packages/installed "$(digest $list) $(ls /wheels 2>/dev/null || true)"
	put /root/.cache/pip/cached "$(digest $list)"
	;;
"pip wheel") put "$(after -w "$@")/packages.whl" "$(digest $(after -r "$@"))" ;;
"python3 -m") if [ "$3" = static ]; then put static/site.css "$(digest $(below . '*.py'))"; else put compiled "$(digest $(below . '*.py'))"; fi ;;
"mvn -B")
	case $3 in
	package) put target/app.jar "$(digest pom.xml $(below src/main '*'))" ;;
	*) put /root/.m2/packages "$(digest pom.xml)" ;;
	esac
	;;
java\ *)
	put extracted/dependencies/lib.jar "lib"
	put extracted/application/app.jar "$(cat target/app.jar)"
	;;
"cargo build") put target/release/app "$(digest Cargo.toml Cargo.lock $(below src '*.rs'))" ;;
"make ") put bin/app "$(digest Makefile $(below . '*.[ch]'))" ;;
"make check") put checked "$(digest $(below tests '*'))" ;;
strip\ *) put "$1" "$(cat "$1") stripped" ;;
cc\ * | gcc\ *) put "$(after -o "$@")" "$(digest $(below . '*.[ch]'))" ;;
"apt-get update") put /var/lib/apt/lists/packages "lists" ;;
"apt-get install" | "apk add") packages /usr/share/pkg "$@" ;;
useradd\ *)
	id=$(after -u "$@")
	for name in "$@"; do :; done
	echo "$name:x:${id:-999}:${id:-999}::/:/bin/sh" >>/etc/passwd
	echo "$name:x:${id:-999}:" >>/etc/group
	;;
curl\ * | wget\ *)
	out=$(after -o "$@")
	case $out in
	*.tar.gz) # an archive of one file
		mkdir -p /tmp/.fetched && echo "$out" >/tmp/.fetched/fetched && touch -d '2001-01-01 00:00:00' /tmp/.fetched/fetched
		tar -cf - -C /tmp/.fetched fetched | gzip >"$out"
		rm -r /tmp/.fetched
		;;
	?*) put "$out" "fetched" ;;
	esac
	;;
esac
