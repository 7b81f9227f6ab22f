//go:build linux

package e2e

import "testing"

// Images are read without a trace: no temporary file, nothing in the user's
// home, and no need to be able to write there.
func TestNoTraces(t *testing.T) {
	l := open(t, engine, registry)
	for _, ref := range []string{"docker://" + l.built(t, classic), "registry://" + l.pushed(t, classic), l.saved(t, classic)} {
		t.Run(ref, func(t *testing.T) {
			tmp, home := t.TempDir(), t.TempDir()
			for _, home := range []string{home, "/dev/null/home"} {
				l.run(t, call{args: []string{"report", "--format", "json", ref}, env: []string{
					"TMPDIR=" + tmp,
					"HOME=" + home,
					"XDG_CACHE_HOME=" + home + "/cache",
					"XDG_CONFIG_HOME=" + home + "/config",
					"XDG_DATA_HOME=" + home + "/data",
					"DOCKER_CONFIG=",
				}}).report(t)
			}
			empty(t, tmp)
			empty(t, home)
		})
	}
}
