package history

import (
	"regexp"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Builder is a tool that writes history records, each in its own dialect.
type Builder uint8

// The builders whose records are known.
const (
	Unknown       Builder = iota
	BuildKit              // docker build, buildx
	Classic               // docker build before BuildKit
	Buildah               // buildah, podman build
	Kaniko                //
	Ko                    //
	Jib                   //
	Buildpacks            // pack, kpack, Spring Boot
	Bazel                 // rules_docker, rules_oci
	Nix                   // dockerTools
	Apko                  //
	Debuerreotype         // Debian's base images
	Import                // docker import
	Crane                 // crane flatten
)

var builderNames = [...]string{
	"unknown", "buildkit", "classic", "buildah", "kaniko", "ko", "jib", "buildpacks",
	"bazel", "nix", "apko", "debuerreotype", "import", "crane",
}

// String returns the builder's name in lower case.
func (b Builder) String() string {
	if int(b) < len(builderNames) {
		return builderNames[b]
	}
	return builderNames[Unknown]
}

// builderOf returns the builder of the last step that tells.
func builderOf(steps []Step) Builder {
	for i := len(steps) - 1; i >= 0; i-- {
		if b := steps[i].Builder; b != Unknown {
			return b
		}
	}
	return Unknown
}

const buildahLabel = "io.buildah.version"

// LifecycleLabel is where the lifecycle of buildpacks says what it made an image
// of (buildpacks spec, platform.md, "io.buildpacks.lifecycle.metadata").
const LifecycleLabel = "io.buildpacks.lifecycle.metadata"

// labelled returns the builder that an image's labels name. An image has those
// of its base too, so that its records are the better witness.
func labelled(labels map[string]string) Builder {
	if _, ok := labels[LifecycleLabel]; ok {
		return Buildpacks
	}
	if _, ok := labels[buildahLabel]; ok {
		return Buildah
	}
	return Unknown
}

const (
	// buildkitSuffix ends BuildKit's records of RUN, COPY and ADD.
	buildkitSuffix = " # buildkit"
	// exporterComment is that of records BuildKit's exporter fills in for
	// layers without one, as of images that no Dockerfile made.
	exporterComment = "buildkit.exporter.image.v0"
	nixPrefix       = "store paths: "
)

// recognise tells whose record it is. Authors are checked with what the tool
// itself writes beside them: MAINTAINER puts any name there.
func (d *decoder) recognise(h *v1.History) Builder {
	switch by := h.CreatedBy; {
	case strings.HasPrefix(h.Comment, "buildkit."), strings.HasSuffix(by, buildkitSuffix):
		return BuildKit
	case isBuildpacks(by): // before kaniko, which extends images for the lifecycle
		return Buildpacks
	case h.Author == "kaniko":
		return Kaniko
	case h.Author == "ko" && strings.HasPrefix(by, "ko "):
		return Ko
	case h.Author == "Jib" && strings.HasPrefix(by, "jib"):
		return Jib
	case h.Author == "apko" && by == "apko":
		return Apko
	case strings.HasPrefix(by, "bazel build "):
		return Bazel
	case by == "" && strings.HasPrefix(h.Comment, nixPrefix):
		return Nix
	case strings.HasPrefix(h.Comment, "debuerreotype "):
		return Debuerreotype
	case by == "" && strings.HasPrefix(h.Comment, "Imported from "):
		return Import
	case strings.HasPrefix(by, "crane flatten "):
		return Crane
	default:
		return d.classicOrBuildah(h)
	}
}

// classicOrBuildah tells docker's first builder and buildah apart, whose
// records look the same but for this: docker's writes two spaces after the
// marker of most metadata instructions (since 1.12), buildah names the image
// the step started from in the comment.
func (d *decoder) classicOrBuildah(h *v1.History) Builder {
	_, nop := d.cutNop(h.CreatedBy)
	switch {
	case nop && strings.Contains(h.CreatedBy, nopMarker+"  "):
		return Classic
	case fromComment.MatchString(h.Comment):
		return Buildah
	case !nop && (h.Comment != "" || !d.looksRun(h.CreatedBy)):
		// The command of a container that was committed; a RUN in exec
		// form looks the same. Neither builder has comments otherwise.
		return Unknown
	case d.buildah:
		return Buildah
	default:
		return Classic
	}
}

// fromComment is what buildah adds to the comment of the first step it makes
// on top of an image (image.go, fromComment).
var fromComment = regexp.MustCompile(`(?:^| )FROM (\S+)$`)

// anyBuildah tells whether buildah had a hand in the image.
func anyBuildah(cfg *v1.ConfigFile) bool {
	if _, ok := cfg.Config.Labels[buildahLabel]; ok {
		return true
	}
	for i := range cfg.History {
		if fromComment.MatchString(cfg.History[i].Comment) {
			return true
		}
	}
	return false
}

var buildpackLayer = regexp.MustCompile(`(?s)^Layer: '(.*)', Created by (?:buildpack|extension): (.*)$`)

// isBuildpacks knows the names the lifecycle gives its layers (its package
// layers, factory.go).
func isBuildpacks(by string) bool {
	switch by {
	case "Application Layer", "Buildpacks Launcher Config", "Buildpacks Application Launcher",
		"Buildpacks Process Types", "Software Bill-of-Materials":
		return true
	}
	return strings.HasPrefix(by, "Application Slice: ") || buildpackLayer.MatchString(by)
}
