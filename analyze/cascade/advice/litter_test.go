package advice

import (
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/cascade"
)

// TestLitterText checks that a finding has each group's files and bytes, each
// file once.
func TestLitterText(t *testing.T) {
	files := node("node_modules/a=123", "node_modules/b.log=1234", "x.log="+strings.Repeat("x", 1500))
	b, disk := buildOf(t, "FROM a\nCOPY . .\nRUN npm ci\n", files, cascade.Options{})
	all, err := Find(t.Context(), b, nil, disk)
	if err != nil {
		t.Fatal(err)
	}
	var got []Finding
	for _, f := range all {
		if f.Rule.ID == "unneeded-context" {
			got = append(got, f)
		}
	}
	const want = "COPY . . on line 2 copies 3 files that no step seems to need: packages installed on this machine (**/node_modules: 2 files, 7 B) and logs (**/*.log: 1 file, 1.5 kB)."
	if len(got) != 1 || got[0].Text != want || got[0].Context.Files != 3 || got[0].Context.Bytes != 1507 {
		t.Errorf("%+v", got)
	}
}
