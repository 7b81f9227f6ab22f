package demo

import (
	"embed"
	"io/fs"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/synth"
)

// Dockerfile is the Dockerfile that the image's own steps come from.
//
//go:embed context/Dockerfile
var Dockerfile string

//go:embed all:context
var contextFS embed.FS

// Context returns the build context's text files, the Dockerfile among them.
// The pictures and the .git folder that COPY . . takes along are not in it.
func Context() fs.FS {
	sub, err := fs.Sub(contextFS, "context")
	if err != nil {
		panic(err) // the name is valid
	}
	return sub
}

// tag is the image's name.
const tag = "example.org/herbarium:1.4.2"

// args is how BuildKit notes the build arguments a RUN has seen.
const args = "|1 VERSION=1.4.2 "

// Image returns the demo image.
func Image() synth.Image {
	return synth.Image{
		Tags: []string{tag},
		Config: v1.Config{
			User:         "app",
			ExposedPorts: map[string]struct{}{"8080/tcp": {}},
			Env: []string{
				"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				"LANG=C.UTF-8",
				"PYTHONUNBUFFERED=1",
			},
			Entrypoint: []string{"python3", "-m", "herbarium"},
			Cmd:        []string{"--listen", ":8080"},
			WorkingDir: "/srv/app",
			Labels: map[string]string{
				"org.opencontainers.image.title":   "herbarium",
				"org.opencontainers.image.version": "1.4.2",
			},
		},
		Steps: append(baseSteps(), ownSteps()...),
	}
}

// baseSteps are debian:bookworm-slim's.
func baseSteps() []synth.Step {
	at := time.Date(2023, 12, 18, 0, 0, 0, 0, time.UTC)
	return []synth.Step{
		{
			CreatedBy: "# debian.sh --arch 'amd64' out/ 'bookworm' '@1702857600'",
			Comment:   "debuerreotype 0.15",
			Created:   at,
			Layer:     debian(),
		},
		{CreatedBy: `CMD ["bash"]`, Comment: "debuerreotype 0.15", Created: at},
	}
}

// ownSteps are the Dockerfile's, a second apart, with the layers they make.
func ownSteps() []synth.Step {
	steps := []synth.Step{
		step("ARG VERSION=1.4.2", nil),
		step("LABEL org.opencontainers.image.title=herbarium org.opencontainers.image.version=1.4.2", nil),
		step("ENV LANG=C.UTF-8 PYTHONUNBUFFERED=1", nil),
		run("rm -f /etc/apt/apt.conf.d/docker-clean &&     apt-get update &&     "+
			"apt-get install -y --no-install-recommends         ca-certificates curl python3 python3-pip", install()),
		run("curl -fsSL -o /tmp/plex.tar.gz https://fonts.example.org/plex-6.4.0.tar.gz &&     "+
			"mkdir -p /usr/share/fonts/plex &&     "+
			"tar -xzf /tmp/plex.tar.gz -C /usr/share/fonts/plex", download()),
		run("rm -rf /var/lib/apt/lists/* /tmp/plex.tar.gz", cleanup()),
		step("WORKDIR /srv/app", synth.Layer{synth.Dir("srv"), synth.Dir("srv/app")}),
		step("COPY requirements.txt ./ # buildkit", synth.Layer{contextFile("requirements.txt", "requirements.txt")}),
		run("pip install --break-system-packages -r requirements.txt", pip()),
		step("COPY . . # buildkit", app()),
		run("useradd --system app &&     chown -R app:app /srv/app", chown()),
		step("COPY deploy/settings.toml ./settings.toml # buildkit",
			synth.Layer{contextFile("settings.toml", "deploy/settings.toml")}),
		run("rm -rf static &&     python3 -m herbarium.build static", rebuild()),
		run("rm /usr/bin/perl5.36.0 &&     rm -rf samples &&     ln -s /data/samples samples", tidy()),
		step("USER app", nil),
		step("EXPOSE [8080/tcp]", nil),
		step(`ENTRYPOINT ["python3" "-m" "herbarium"]`, nil),
		step(`CMD ["--listen" ":8080"]`, nil),
	}
	for i := range steps {
		steps[i].Created = time.Unix(synth.Epoch+int64(i), 0).UTC()
	}
	return steps
}

// step is a step as BuildKit records it.
func step(createdBy string, l synth.Layer) synth.Step {
	return synth.Step{CreatedBy: createdBy, Comment: "buildkit.dockerfile.v0", Layer: l.WithParents()}
}

// run is the step of a RUN in shell form.
func run(command string, l synth.Layer) synth.Step {
	return step("RUN "+args+"/bin/sh -c "+command+" # buildkit", l)
}
