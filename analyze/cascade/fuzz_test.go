package cascade

import (
	"errors"
	"testing"

	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// FuzzGraph makes graphs of any text, finished or not: in which nothing runs
// again that didn't change, but what isn't known.
func FuzzGraph(f *testing.F) {
	for _, text := range []string{
		app, "FROM a\nONBUILD COPY . .\nFROM 0\nRUN --mount=type=bind,from=0,rw x\n", "FROM a AS b\nCOPY --from=b x y\n",
		"ARG A=${B}\nFROM $A\nENV C=$D E='f'\nWORKDIR $C\nADD --link https://x/y.git#z /\nADD http://x/y /\nSHELL [\"x\"]\n",
		"FROM scratch\nRUN <<A <<B\na\nA\nb\nB\nCOPY <<C <<D /\n$E\nC\nD\n", "FROM a\nRUN --mount=type=secret,id=x --mount=type=ssh --mount=type=cache,target=y,mode=1 --network=none z\nPROVIDE a\nFROM",
		"# escape=`\nFROM --platform=$BUILDPLATFORM a\nCOPY --parents --exclude=*.x --chmod=u+x --chown=a:b a/./b c\nUSER a\nWORKDIR /\nRUN <<E\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := dockerfile.ParseEdited("D", text)
		if err != nil {
			return
		}
		if _, err := dockerfile.Parse("D", text); err == nil && len(file.Broken()) > 0 {
			t.Fatalf("a whole file is broken: %v", file.Broken()[0])
		}
		g, err := New(file, Options{})
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		b := Build{Graph: g}
		p, err := Predict(t.Context(), b, []Build{b}, Assume{})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range p.Steps {
			if v.State != Hit && v.State != NotBuilt && v.Cause.Kind != CauseUnknown && v.Cause.Kind != CauseContext && len(file.Broken()) == 0 {
				t.Errorf("nothing changed, but line %s is %s because %s", v.Step.Lines, v.State, p.Why(v))
			}
		}
		if len(g.Steps) < 50 {
			checkImpacts(t, g)
		}
	})
}
