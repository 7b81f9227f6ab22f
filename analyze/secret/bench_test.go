package secret

import (
	"fmt"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/history"
)

// BenchmarkRedactor takes the secrets out of a long history: of text without
// any, and of nothing but such.
func BenchmarkRedactor(b *testing.B) {
	for name, line := range map[string]func(i int) string{
		"plain": func(int) string {
			return "apt-get install -y --no-install-recommends python3=3.11 && make -j4 CFLAGS=-O2 install"
		},
		"secrets": func(i int) string { return fmt.Sprintf("SOME_TOKEN=abcdefgh%d --password hunter%d", i, i) },
	} {
		b.Run(name, func(b *testing.B) {
			var steps []history.Step
			size := 0
			for i := range 100 {
				var lines []string
				for j := range 100 {
					lines = append(lines, line(100*i+j))
				}
				steps = append(steps, history.Step{Instruction: "RUN", Text: "RUN " + strings.Join(lines, " && ")})
				size += len(steps[i].Text)
			}
			b.SetBytes(int64(size))
			for b.Loop() {
				r := NewRedactor(steps)
				for _, s := range steps {
					r.Text(s.Text)
				}
			}
		})
	}
}

// BenchmarkKindOf looks at names that aren't secrets, as nearly all are.
func BenchmarkKindOf(b *testing.B) {
	for b.Loop() {
		for _, p := range []string{
			"usr/share/doc/libc6/changelog.Debian.gz",
			"usr/lib/x86_64-linux-gnu/libcrypto.so.3",
			"usr/lib/python3/dist-packages/pip/_vendor/rich/__pycache__/console.cpython-311.pyc",
			"srv/app/node_modules/react/package.json",
		} {
			if kind := KindOf(p); kind != "" {
				b.Fatalf("%q: kind %q", p, kind)
			}
		}
	}
}
