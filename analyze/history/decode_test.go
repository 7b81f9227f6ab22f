package history

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	sha256A = "ef7d3dc3d2b6773c193e59d646fca546d16407a2f6d3b791f5831e922d92a4b4"
	sha256B = "082938f7edb4059fdbc633cca93085b09a27774908d0a35327deadeee174cde0"

	frontend = "buildkit.dockerfile.v0"
)

// by makes a record of a builder that writes created_by alone.
func by(s string) v1.History { return v1.History{CreatedBy: s} }

// bk makes a record of BuildKit's Dockerfile frontend.
func bk(s string) v1.History { return v1.History{CreatedBy: s, Comment: frontend} }

// line is what a step is expected to read.
type line struct {
	Builder     Builder
	Instruction string
	Text        string
	Args        []Arg
}

func lines(steps []Step) []line {
	var ls []line
	for _, s := range steps {
		ls = append(ls, line{s.Builder, s.Instruction, s.Text, s.Args})
	}
	return ls
}

// TestDialects reads single records, each as found in an image.
func TestDialects(t *testing.T) {
	podman := map[string]string{"io.buildah.version": "1.28.2"}
	tests := []struct {
		name   string
		record v1.History
		config v1.Config
		want   line
	}{
		{"buildkit run", bk("RUN /bin/sh -c rm /srv/app/id_rsa # buildkit"), v1.Config{},
			line{BuildKit, "RUN", "RUN rm /srv/app/id_rsa", nil}},
		{"buildkit run with indented continuation",
			bk("RUN /bin/sh -c set -eux; \tapt-get update; \trm -rf /var/lib/apt/lists/* # buildkit"), v1.Config{},
			line{BuildKit, "RUN", "RUN set -eux; \tapt-get update; \trm -rf /var/lib/apt/lists/*", nil}},
		{"buildkit run with args", bk("RUN |2 UID=101 DEV=false /bin/sh -c python -m venv /py # buildkit"), v1.Config{},
			line{BuildKit, "RUN", "RUN python -m venv /py", []Arg{{"UID", "101"}, {"DEV", "false"}}}},
		{"buildkit run with an empty arg", bk("RUN |2 A=1 B= /bin/sh -c x # buildkit"), v1.Config{},
			line{BuildKit, "RUN", "RUN x", []Arg{{"A", "1"}, {"B", ""}}}},
		{"buildkit args with spaces and newlines",
			bk("RUN |2 TEST_1=Test string one TEST_2=Test\nstring two /bin/sh -c apt install -y curl # buildkit"), v1.Config{},
			line{BuildKit, "RUN", "RUN apt install -y curl", []Arg{{"TEST_1", "Test string one"}, {"TEST_2", "Test\nstring two"}}}},
		{"buildkit arg and a second shell in the command",
			bk("RUN |1 A=b c /bin/sh -c su app -c '/bin/sh -c x' # buildkit"), v1.Config{},
			line{BuildKit, "RUN", "RUN su app -c '/bin/sh -c x'", []Arg{{"A", "b c"}}}},
		{"buildkit ambiguous args stay",
			bk("RUN |1 OPTS=-Xmx1g D=x /bin/sh -c make # buildkit"), v1.Config{},
			line{BuildKit, "RUN", "RUN |1 OPTS=-Xmx1g D=x /bin/sh -c make", nil}},
		{"buildkit exec form with unknown args stays", bk("RUN |1 A=b ls -l # buildkit"), v1.Config{},
			line{BuildKit, "RUN", "RUN |1 A=b ls -l", nil}},
		{"buildkit exec form", bk("RUN ls -l # buildkit"), v1.Config{},
			line{BuildKit, "RUN", "RUN ls -l", nil}},
		{"buildkit shell of the config", bk("RUN /bin/bash -o pipefail -c a | b # buildkit"),
			v1.Config{Shell: []string{"/bin/bash", "-o", "pipefail", "-c"}},
			line{BuildKit, "RUN", "RUN a | b", nil}},
		{"buildkit other shell stays", bk("RUN /bin/bash -o pipefail -c a | b # buildkit"), v1.Config{},
			line{BuildKit, "RUN", "RUN /bin/bash -o pipefail -c a | b", nil}},
		{"buildkit heredoc", bk("RUN /bin/sh -c set -e\napt-get update\n # buildkit"), v1.Config{},
			line{BuildKit, "RUN", "RUN set -e\napt-get update", nil}},
		{"buildkit heredoc to a command", bk("RUN /bin/sh -c cat <<EOF >/x\na\nEOF # buildkit"), v1.Config{},
			line{BuildKit, "RUN", "RUN cat <<EOF >/x\na\nEOF", nil}},
		{"buildkit heredoc with a shebang", bk("RUN /bin/sh -c /dev/pipes/EOF # buildkit"), v1.Config{},
			line{BuildKit, "RUN", "RUN <<EOF", nil}},
		{"buildkit copy", bk("COPY --chown=1000:1000 --chmod=0644 data1.txt data2.txt /srv/ # buildkit"), v1.Config{},
			line{BuildKit, "COPY", "COPY --chown=1000:1000 --chmod=0644 data1.txt data2.txt /srv/", nil}},
		{"buildkit copy of a heredoc", bk("COPY <<EOT /etc/motd # buildkit"), v1.Config{},
			line{BuildKit, "COPY", "COPY <<EOT /etc/motd", nil}},
		{"buildkit add", bk("ADD busybox.tar.xz / # buildkit"), v1.Config{},
			line{BuildKit, "ADD", "ADD busybox.tar.xz /", nil}},
		{"buildkit workdir", bk("WORKDIR /srv/app"), v1.Config{},
			line{BuildKit, "WORKDIR", "WORKDIR /srv/app", nil}},
		{"buildkit env", bk("ENV PATH=/usr/bin:/bin"), v1.Config{},
			line{BuildKit, "ENV", "ENV PATH=/usr/bin:/bin", nil}},
		{"buildkit label", bk("LABEL maintainer=NGINX Docker Maintainers <docker-maint@nginx.com>"), v1.Config{},
			line{BuildKit, "LABEL", "LABEL maintainer=NGINX Docker Maintainers <docker-maint@nginx.com>", nil}},
		{"buildkit cmd", bk(`CMD ["sh"]`), v1.Config{}, line{BuildKit, "CMD", `CMD ["sh"]`, nil}},
		{"buildkit cmd of several", bk(`CMD ["sh" "-c" "a && b > \"c\""]`), v1.Config{},
			line{BuildKit, "CMD", `CMD ["sh", "-c", "a && b > \"c\""]`, nil}},
		{"buildkit no entrypoint", bk(`ENTRYPOINT []`), v1.Config{},
			line{BuildKit, "ENTRYPOINT", `ENTRYPOINT []`, nil}},
		{"buildkit expose, a map", bk("EXPOSE map[443/tcp:{} 80/tcp:{}]"), v1.Config{},
			line{BuildKit, "EXPOSE", "EXPOSE 443/tcp 80/tcp", nil}},
		{"buildkit expose, a list", bk("EXPOSE [8000/tcp]"), v1.Config{},
			line{BuildKit, "EXPOSE", "EXPOSE 8000/tcp", nil}},
		{"buildkit volume", bk("VOLUME [/volume]"), v1.Config{},
			line{BuildKit, "VOLUME", "VOLUME /volume", nil}},
		{"a volume in JSON", v1.History{Author: "kaniko", CreatedBy: `VOLUME ["/a", "/b"]`}, v1.Config{},
			line{Kaniko, "VOLUME", `VOLUME ["/a", "/b"]`, nil}},
		{"buildkit shell, unknown words", bk("SHELL [/bin/bash -o pipefail -c]"), v1.Config{},
			line{BuildKit, "SHELL", "SHELL [/bin/bash -o pipefail -c]", nil}},
		{"buildkit shell", bk("SHELL [powershell -Command $x = 'Stop';]"),
			v1.Config{Shell: []string{"powershell", "-Command", "$x = 'Stop';"}},
			line{BuildKit, "SHELL", `SHELL ["powershell", "-Command", "$x = 'Stop';"]`, nil}},
		{"buildkit healthcheck", bk(`HEALTHCHECK &{["CMD-SHELL" "curl -f http://localhost/ || exit 1"] "5m0s" "3s" "1s" "5s" '\x03'}`), v1.Config{},
			line{BuildKit, "HEALTHCHECK", "HEALTHCHECK --interval=5m0s --timeout=3s --start-period=1s --start-interval=5s --retries=3 CMD curl -f http://localhost/ || exit 1", nil}},
		{"buildkit exporter",
			v1.History{CreatedBy: "pulled from docker.io/library/alpine:3.13@sha256:" + sha256A, Comment: "buildkit.exporter.image.v0"}, v1.Config{},
			line{BuildKit, "", "pulled from docker.io/library/alpine:3.13@sha256:" + sha256A, nil}},

		{"classic run", by("/bin/sh -c apt-get update     && apt-get install -y curl"), v1.Config{},
			line{Classic, "RUN", "RUN apt-get update     && apt-get install -y curl", nil}},
		{"classic run with args", by("|1 A=b /bin/sh -c echo $A"), v1.Config{},
			line{Classic, "RUN", "RUN echo $A", []Arg{{"A", "b"}}}},
		{"classic cmd", by(`/bin/sh -c #(nop)  CMD ["nginx" "-g" "daemon off;"]`), v1.Config{},
			line{Classic, "CMD", `CMD ["nginx", "-g", "daemon off;"]`, nil}},
		{"classic cmd before 1.12", by(`/bin/sh -c #(nop) CMD ["/bin/bash"]`), v1.Config{},
			line{Classic, "CMD", `CMD ["/bin/bash"]`, nil}},
		{"classic add", by("/bin/sh -c #(nop) ADD file:" + sha256A + " in / "), v1.Config{},
			line{Classic, "ADD", "ADD file:ef7d3dc3d2b6 in /", nil}},
		{"classic copy with chown", by("/bin/sh -c #(nop) COPY --chown=oracle:dbadir:" + sha256B + " in /opt/oracle "), v1.Config{},
			line{Classic, "COPY", "COPY --chown=oracle:dba dir:082938f7edb4 in /opt/oracle", nil}},
		{"classic copy of several", by("/bin/sh -c #(nop) COPY multi:" + sha256B + " in ./ "), v1.Config{},
			line{Classic, "COPY", "COPY multi:082938f7edb4 in ./", nil}},
		{"classic expose", by("/bin/sh -c #(nop)  EXPOSE 5309/udp 867"), v1.Config{},
			line{Classic, "EXPOSE", "EXPOSE 5309/udp 867", nil}},
		{"classic healthcheck, three durations", by(`/bin/sh -c #(nop)  HEALTHCHECK &{["CMD" "/bin/true"] "1m0s" "5s" "0s" '\x00'}`), v1.Config{},
			line{Classic, "HEALTHCHECK", `HEALTHCHECK --interval=1m0s --timeout=5s CMD ["/bin/true"]`, nil}},
		{"classic healthcheck, two durations", by(`/bin/sh -c #(nop)  HEALTHCHECK &{["CMD-SHELL" "curl --fail localhost"] "1m0s" "3s" '\x03'}`), v1.Config{},
			line{Classic, "HEALTHCHECK", `HEALTHCHECK --interval=1m0s --timeout=3s --retries=3 CMD curl --fail localhost`, nil}},
		{"classic no healthcheck", by(`/bin/sh -c #(nop)  HEALTHCHECK &{["NONE"] "0s" "0s" "0s" '\x00'}`), v1.Config{},
			line{Classic, "HEALTHCHECK", `HEALTHCHECK NONE`, nil}},
		{"broken healthcheck stays", by(`/bin/sh -c #(nop)  HEALTHCHECK &{["CMD" "x"] "0s`), v1.Config{},
			line{Classic, "HEALTHCHECK", `HEALTHCHECK &{["CMD" "x"] "0s`, nil}},
		{"a healthcheck of no known shape stays", by(`/bin/sh -c #(nop)  HEALTHCHECK &{["X" "x"] "1s" "2s" '\x03'}`), v1.Config{},
			line{Classic, "HEALTHCHECK", `HEALTHCHECK &{["X" "x"] "1s" "2s" '\x03'}`, nil}},
		{"a healthcheck of too many values stays", by(`/bin/sh -c #(nop)  HEALTHCHECK &{["CMD"] "1" "2" "3" "4" "5" "6"}`), v1.Config{},
			line{Classic, "HEALTHCHECK", `HEALTHCHECK &{["CMD"] "1" "2" "3" "4" "5" "6"}`, nil}},
		{"a healthcheck of no test stays", by(`/bin/sh -c #(nop)  HEALTHCHECK &{[] "0s" "0s" '\x00'}`), v1.Config{},
			line{Classic, "HEALTHCHECK", `HEALTHCHECK &{[] "0s" "0s" '\x00'}`, nil}},
		{"classic shell", by("/bin/ash -c #(nop)  SHELL [/bin/ash -c]"), v1.Config{},
			line{Classic, "SHELL", "SHELL [/bin/ash -c]", nil}},
		{"a marker in a command", by(`/bin/sh -c echo "#(nop) CMD"`), v1.Config{},
			line{Classic, "RUN", `RUN echo "#(nop) CMD"`, nil}},
		{"windows copy", by("cmd /S /C #(nop) COPY file:" + sha256A + " in C: "), v1.Config{},
			line{Classic, "COPY", "COPY file:ef7d3dc3d2b6 in C:", nil}},
		{"windows cmd", by(`cmd /S /C #(nop)  CMD ["cmd" "/C" "type C:\\hello.txt"]`), v1.Config{},
			line{Classic, "CMD", `CMD ["cmd", "/C", "type C:\\hello.txt"]`, nil}},
		{"windows run", by("cmd /S /C mkdir C:\\app"), v1.Config{},
			line{Classic, "RUN", "RUN mkdir C:\\app", nil}},
		{"windows base", by("Install update 10.0.17763.805-amd64"), v1.Config{},
			line{Unknown, "", "Install update 10.0.17763.805-amd64", nil}},

		{"buildah copy", v1.History{CreatedBy: "/bin/sh -c #(nop) COPY dir:" + sha256A + " in /srv/app/ ", Comment: "FROM 38496b2047c1"}, v1.Config{},
			line{Buildah, "COPY", "COPY dir:ef7d3dc3d2b6 in /srv/app/", nil}},
		{"buildah cmd", by(`/bin/sh -c #(nop) CMD ["nginx", "-g", "daemon off;"]`), v1.Config{Labels: podman},
			line{Buildah, "CMD", `CMD ["nginx", "-g", "daemon off;"]`, nil}},
		{"buildah label", by(`/bin/sh -c #(nop) LABEL org.opencontainers.image.title="mini"`), v1.Config{Labels: podman},
			line{Buildah, "LABEL", `LABEL org.opencontainers.image.title="mini"`, nil}},
		{"buildah lower case", by(`/bin/sh -c #(nop) env A=b`), v1.Config{Labels: podman},
			line{Buildah, "ENV", `env A=b`, nil}},
		{"buildah counts words", by("|4 A=x y z B=1 /bin/sh -c make"), v1.Config{Labels: podman},
			line{Buildah, "RUN", "RUN make", []Arg{{"A", "x y z"}, {"B", "1"}}}},
		{"buildah metadata", by("/bin/sh -c #(nop) COPY dir:" + sha256A + " in ./files |inheritLabels=false"), v1.Config{Labels: podman},
			line{Buildah, "COPY", "COPY dir:ef7d3dc3d2b6 in ./files", nil}},
		{"buildah more metadata", by("/bin/sh -c #(nop) HEALTHCHECK NONE|unsetLabel=true|inheritLabels=false|force-mtime=10"), v1.Config{Labels: podman},
			line{Buildah, "HEALTHCHECK", "HEALTHCHECK NONE", nil}},
		{"an author's pipe stays", by("/bin/sh -c env |A=b"), v1.Config{Labels: podman},
			line{Buildah, "RUN", "RUN env |A=b", nil}},
		{"buildah mounts", by("/bin/sh -c --mount=type=bind,source=go.mod,target=go.mod --mount=type=cache,target=/c --mount=type=bind,from=alpine,target=/a go mod download:" + sha256A + ":sha256:" + sha256B), v1.Config{Labels: podman},
			line{Buildah, "RUN", "RUN --mount=type=bind,source=go.mod,target=go.mod --mount=type=cache,target=/c --mount=type=bind,from=alpine,target=/a go mod download", nil}},
		{"buildah mount of a stage", by("/bin/sh -c --mount=type=bind,from=build,target=/b crane pull x@sha256:" + sha256A), v1.Config{Labels: podman},
			line{Buildah, "RUN", "RUN --mount=type=bind,from=build,target=/b crane pull x@sha256:" + sha256A, nil}},
		{"a digest without mounts", by("/bin/sh -c echo a:" + sha256A), v1.Config{Labels: podman},
			line{Buildah, "RUN", "RUN echo a:" + sha256A, nil}},
		{"buildah heredoc", by("/bin/sh -c <<EOF\nset -e\nmake"), v1.Config{Labels: podman},
			line{Buildah, "RUN", "RUN <<EOF\nset -e\nmake", nil}},
		{"buildah commit", v1.History{CreatedBy: "/bin/sh", Comment: "FROM docker.io/library/alpine:3.20"}, v1.Config{Labels: podman},
			line{Buildah, "", "/bin/sh", nil}},

		{"kaniko", v1.History{Author: "kaniko", CreatedBy: "ADD busybox.tar.gz /"}, v1.Config{},
			line{Kaniko, "ADD", "ADD busybox.tar.gz /", nil}},
		{"kaniko run", v1.History{Author: "kaniko", CreatedBy: `run apk add     curl`}, v1.Config{},
			line{Kaniko, "RUN", `run apk add     curl`, nil}},
		{"kaniko cmd", v1.History{Author: "kaniko", CreatedBy: `CMD ["a", 'b']`}, v1.Config{},
			line{Kaniko, "CMD", `CMD ["a", 'b']`, nil}},
		{"ko", v1.History{Author: "ko", CreatedBy: "ko build ko://github.com/kyverno/kyverno/cmd/kyverno", Comment: "go build output, at /ko-app/kyverno"}, v1.Config{},
			line{Ko, "", "ko build ko://github.com/kyverno/kyverno/cmd/kyverno: go build output, at /ko-app/kyverno", nil}},
		{"jib", v1.History{Author: "Jib", CreatedBy: "jib-gradle-plugin:3.1.4", Comment: "dependencies"}, v1.Config{},
			line{Jib, "", "jib: dependencies", nil}},
		{"jib without a layer name", v1.History{Author: "Jib", CreatedBy: "jib-core:null"}, v1.Config{},
			line{Jib, "", "jib-core:null", nil}},
		{"buildpack", by("Layer: 'jre', Created by buildpack: paketo-buildpacks/bellsoft-liberica@10.4.0"), v1.Config{},
			line{Buildpacks, "", "paketo-buildpacks/bellsoft-liberica@10.4.0: jre", nil}},
		{"buildpack extension, by kaniko", v1.History{Author: "kaniko", CreatedBy: "Layer: 'RUN mkdir /some-dir && echo some-data > /some-file', Created by extension: first-extension"}, v1.Config{},
			line{Buildpacks, "", "first-extension: RUN mkdir /some-dir && echo some-data > /some-file", nil}},
		{"buildpack slice", by("Application Slice: 1"), v1.Config{},
			line{Buildpacks, "", "Application Slice: 1", nil}},
		{"rules_docker", v1.History{Author: "Bazel", CreatedBy: "bazel build ..."}, v1.Config{},
			line{Bazel, "", "bazel build ...", nil}},
		{"nix", v1.History{Comment: "store paths: ['/nix/store/aa-glibc-2.38', '/nix/store/bb-hello']"}, v1.Config{},
			line{Nix, "", "/nix/store/aa-glibc-2.38 /nix/store/bb-hello", nil}},
		{"nix without paths", v1.History{Comment: "store paths: []"}, v1.Config{},
			line{Nix, "", "store paths: []", nil}},
		{"apko", v1.History{Author: "apko", CreatedBy: "apko", Comment: "This is an apko single-layer image"}, v1.Config{},
			line{Apko, "", "apko: This is an apko single-layer image", nil}},
		{"debuerreotype", v1.History{CreatedBy: "# debian.sh --arch 'amd64' out/ 'trixie' '@1757289600'", Comment: "debuerreotype 0.16"}, v1.Config{},
			line{Debuerreotype, "", "debian.sh --arch 'amd64' out/ 'trixie' '@1757289600'", nil}},
		{"docker import", v1.History{Comment: "Imported from -"}, v1.Config{},
			line{Import, "", "Imported from -", nil}},
		{"docker build --squash", v1.History{Comment: "merge sha256:" + sha256A + " to sha256:" + sha256B}, v1.Config{},
			line{Unknown, "", "merge sha256:" + sha256A + " to sha256:" + sha256B, nil}},
		{"docker commit", v1.History{CreatedBy: "rsync --recursive /a /b"}, v1.Config{},
			line{Unknown, "", "rsync --recursive /a /b", nil}},
		{"docker commit -m", v1.History{CreatedBy: "/bin/sh -c sleep 9", Comment: "my fix"}, v1.Config{},
			line{Unknown, "", "/bin/sh -c sleep 9", nil}},
		{"crane flatten", by("crane flatten sha256:" + sha256A), v1.Config{},
			line{Crane, "", "crane flatten sha256:" + sha256A, nil}},
		{"busybox", by("BusyBox 1.38.0 (musl), Alpine 3.23.5"), v1.Config{},
			line{Unknown, "", "BusyBox 1.38.0 (musl), Alpine 3.23.5", nil}},
		{"from", v1.History{Author: "some-base-image-author", CreatedBy: "FROM some-base-image"}, v1.Config{},
			line{Unknown, "FROM", "FROM some-base-image", nil}},
		{"an author named ko", v1.History{Author: "ko", CreatedBy: "/bin/sh -c make"}, v1.Config{},
			line{Classic, "RUN", "RUN make", nil}},
		{"a sentence", by("Run by cron"), v1.Config{}, line{Unknown, "", "Run by cron", nil}},
		{"nothing", v1.History{}, v1.Config{}, line{Unknown, "", "layer ef7d3dc3d2b6: no history", nil}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := &v1.ConfigFile{Config: tt.config, History: []v1.History{tt.record}}
			r := Read(cfg, []v1.Hash{{Algorithm: "sha256", Hex: sha256A}})
			if diff := cmp.Diff([]line{tt.want}, lines(r.Steps)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if r.Fit != Exact || r.Steps[0].Layer != 0 || r.Steps[0].CreatedBy != tt.record.CreatedBy || r.Steps[0].Comment != tt.record.Comment {
				t.Errorf("fit %v, step %+v", r.Fit, r.Steps[0])
			}
		})
	}
}

// TestMemory reads records that need those before them.
func TestMemory(t *testing.T) {
	tests := []struct {
		name    string
		records []v1.History
		want    []string
	}{
		{"buildkit SHELL", []v1.History{
			bk("RUN /bin/sh -c a # buildkit"),
			bk("SHELL [/bin/bash -o pipefail -c]"),
			bk("RUN |1 A=b /bin/bash -o pipefail -c c # buildkit"),
			bk("RUN /bin/sh -c d # buildkit"), // exec form: not the SHELL in force
		}, []string{"RUN a", "SHELL [/bin/bash -o pipefail -c]", "RUN c", "RUN /bin/sh -c d"}},
		{"classic SHELL", []v1.History{
			by("powershell -Command $x = 'Stop'; #(nop)  SHELL [powershell -Command $x = 'Stop';]"),
			by("powershell -Command $x = 'Stop'; choco install -y which"),
			by("powershell -Command $x = 'Stop'; #(nop)  ENV A=b"),
		}, []string{"SHELL [powershell -Command $x = 'Stop';]", "RUN choco install -y which", "ENV A=b"}},
		{"buildah ignores SHELL", []v1.History{
			{CreatedBy: `/bin/sh -c #(nop) SHELL ["/bin/bash", "-c"]`, Comment: "FROM docker.io/library/debian:12"},
			by("/bin/sh -c make"),
		}, []string{`SHELL ["/bin/bash", "-c"]`, "RUN make"}},
		{"args that only ARG can tell apart", []v1.History{
			bk("ARG OPTS=-Xmx1g D=x"),
			bk("ARG V=1"),
			bk("RUN |2 OPTS=-Xmx1g E=x V=1 /bin/sh -c make # buildkit"),
		}, []string{"ARG OPTS=-Xmx1g D=x", "ARG V=1", "RUN make"}},
		{"exec form with args", []v1.History{
			bk("ARG A=b c"),
			bk("RUN |1 A=b c ls -l # buildkit"),
		}, []string{"ARG A=b c", "RUN ls -l"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Read(&v1.ConfigFile{History: tt.records}, make([]v1.Hash, len(tt.records)))
			var got []string
			for _, s := range r.Steps {
				got = append(got, s.Text)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// BenchmarkLongRecords shows that reading takes time that grows with the
// record's length: a record is whatever an image says. Twice the length must
// take about twice the time.
func BenchmarkLongRecords(b *testing.B) {
	for _, n := range []int{10_000, 20_000} {
		for name, s := range map[string]string{
			"shells":      "RUN |3 A=1 " + strings.Repeat("/bin/sh -c ", n),
			"args":        "RUN |999999999 " + strings.Repeat("A=b ", n),
			"equals":      "RUN |1 " + strings.Repeat("A=", n) + " /bin/sh -c x",
			"arg":         "ARG " + strings.Repeat("a ", n),
			"cmd":         "CMD [" + strings.Repeat(`"a" `, n),
			"healthcheck": "HEALTHCHECK &{[" + strings.Repeat(`"a" `, n) + `] "1s"`,
			"mounts":      "/bin/sh -c --mount=type=bind" + strings.Repeat(" --mount=type=bind", n) + strings.Repeat(":"+sha256A, n),
			"tails":       "/bin/sh -c #(nop) X" + strings.Repeat("|inheritLabels=x", n) + " ",
		} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				cfg := &v1.ConfigFile{History: []v1.History{bk(s), by(s)}}
				for b.Loop() {
					Read(cfg, make([]v1.Hash, 2))
				}
			})
		}
	}
}
