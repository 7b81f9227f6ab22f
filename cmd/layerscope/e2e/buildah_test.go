//go:build linux

package e2e

import (
	"maps"
	"testing"
)

// buildahPushes has buildah build the image and push it to wherever it can.
func (l *lab) buildahPushes(t *testing.T) (places []place) {
	t.Helper()
	name := "localhost/" + ours + "/buildah:1"
	// In a chroot, a build needs nothing of the machine. A layer for each step
	// is what the engine makes too; mknod is what it allows.
	l.tool(t, buildah, "build", "--layers", "--isolation", "chroot", "--network", "host",
		"--cap-add", "CAP_MKNOD", "--format", "docker", "--tag", name, once(t, "context", l.context))
	remote := l.Registry + "/" + ours + "/buildah:1"
	for _, p := range []struct{ name, to, ref string }{
		{"oci layout", "oci:" + l.path("buildah oci") + ":1", "oci:" + l.path("buildah oci")},
		{"oci-archive", "oci-archive:" + l.path("buildah.oci.tar") + ":1", l.path("buildah.oci.tar")},
		{"docker-archive", "docker-archive:" + l.path("buildah.tar") + ":" + name, l.path("buildah.tar")},
		{"registry", "docker://" + remote, "registry://" + remote},
	} {
		l.tool(t, buildah, "push", "--tls-verify=false", name, p.to)
		places = append(places, place{name: p.name, args: []string{p.ref}})
	}
	return places
}

// buildahAdds are the paths that buildah leaves in a layer for having run a
// command there, and buildahOmits those that the engine makes for WORKDIR and
// buildah only when there is something to run in them.
var (
	buildahAdds = map[string]bool{
		"dev": true, "proc": true, "run": true, "sys": true,
		"etc/hostname": true, "etc/hosts": true, "etc/resolv.conf": true,
	}
	buildahOmits = map[string]bool{"work": true, "work/here": true}
)

// The image that buildah makes is one image too, and its files are those that
// the engine makes of the same Dockerfile.
func TestBuildah(t *testing.T) {
	l := open(t, engine, registry, buildah)
	places := l.buildahPushes(t)
	l.samePlaces(t, buildah, places)

	got := places[0].call(t, l, "tree", "--format", "json").tree(t)
	want := l.tree(t, "docker://"+l.built(t, classic))
	maps.DeleteFunc(got, func(path string, _ file) bool { return buildahAdds[path] })
	maps.DeleteFunc(want, func(path string, _ file) bool { return buildahOmits[path] })
	sameFiles(t, timeless(want), timeless(got))
}

// timeless returns files without their times: the same step was run at another
// time by another builder.
func timeless(fs files) files {
	out := files{}
	for path, f := range fs {
		f.ModTime = 0
		out[path] = f
	}
	return out
}
