package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// twoSides is a number of bytes in OLD and in NEW.
type twoSides struct{ BytesOld, BytesNew int64 }

func (b *twoSides) add(o twoSides) {
	b.BytesOld += o.BytesOld
	b.BytesNew += o.BytesNew
}

// diffsums checks that of each table of a comparison the bytes of NEW and those
// of OLD are what the images store.
func diffsums(ts *testscript.TestScript, neg bool, args []string) {
	type totals struct {
		Totals struct{ Stored, Live, Dead int64 }
	}
	type items struct {
		twoSides
		Count int
		Bytes int64
		Items []twoSides
	}
	type part struct{ Old, New int64 }
	var r struct {
		Old, New totals
		Layers   map[string]json.RawMessage
		Steps    []twoSides
		Files    map[string]json.RawMessage
		Packages map[string]json.RawMessage
		Causes   []struct {
			part
			Cause string
			Parts []part
		}
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &r))
	stored := twoSides{r.Old.Totals.Stored, r.New.Totals.Stored}
	equal := func(what string, got, want any) {
		if got != want {
			ts.Fatalf("%s: %v, want %v", what, got, want)
		}
	}

	// Layers are listed by what became of them, which deltaPull isn't.
	var layers twoSides
	for key, raw := range r.Layers {
		if key == "deltaPull" {
			continue
		}
		var list []twoSides
		ts.Check(json.Unmarshal(raw, &list))
		for _, l := range list {
			layers.add(l)
		}
	}
	equal("layers", layers, stored)

	var steps twoSides
	for _, s := range r.Steps {
		steps.add(s)
	}
	equal("steps", steps, stored)

	// Changes are objects of items, all else has bytes alone.
	for name, table := range map[string]map[string]json.RawMessage{"files": r.Files, "packages": r.Packages} {
		var sum twoSides
		for key, raw := range table {
			if key == "directories" {
				continue
			}
			var list items
			ts.Check(json.Unmarshal(raw, &list))
			sum.add(list.twoSides)
			if list.Items == nil {
				continue
			}
			var all twoSides
			for _, i := range list.Items {
				all.add(i)
			}
			equal(name+" "+key, all, list.twoSides)
			equal(name+" "+key+" bytes", list.Bytes, list.BytesNew-list.BytesOld)
			equal(name+" "+key+" count", list.Count, len(list.Items))
		}
		equal(name, sum, stored)
	}

	var causes part
	for _, c := range r.Causes {
		var parts part
		for _, p := range c.Parts {
			parts.Old += p.Old
			parts.New += p.New
		}
		equal("parts of "+c.Cause, parts, c.part)
		causes.Old += c.Old
		causes.New += c.New
		if c.Cause == "dead" {
			equal("dead", c.part, part{r.Old.Totals.Dead, r.New.Totals.Dead})
		}
	}
	equal("causes", twoSides{causes.Old, causes.New}, stored)

	// The root has all that is live.
	var dirs []struct {
		twoSides
		Path string
	}
	ts.Check(json.Unmarshal(r.Files["directories"], &dirs))
	if len(dirs) > 0 {
		equal("the first directory", dirs[0].Path, "/")
		equal("the root", dirs[0].twoSides, twoSides{r.Old.Totals.Live, r.New.Totals.Live})
	}
}

// mirror checks that two comparisons are of the same images, OLD and NEW swapped:
// what one says of OLD the other says of NEW.
func mirror(ts *testscript.TestScript, neg bool, args []string) {
	var sides [2]any
	for i := range sides {
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[i])), &sides[i]))
	}
	if diff := cmp.Diff(inOrder(sides[0]), inOrder(mirrored(sides[1]))); diff != "" {
		ts.Fatalf("%s and %s differ (-first +second mirrored):\n%s", args[0], args[1], diff)
	}
}

// opposite are the keys and the states that change places.
var opposite = map[string]string{
	"added": "removed", "upgraded": "downgraded", "old": "new", "onlyOld": "onlyNew", "path": "from", "pathBase64": "fromBase64",
	"bytesOld": "bytesNew", "compressedOld": "compressedNew", "versionOld": "versionNew", "textOld": "textNew", "releaseOld": "releaseNew",
	"diffIDOld": "diffIDNew", "digestOld": "digestNew", "mediaTypeOld": "mediaTypeNew",
}

func init() {
	for a, b := range opposite {
		opposite[b] = a
	}
}

// mirrored returns a comparison's JSON the other way round.
func mirrored(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = mirrored(v[i])
		}
	case map[string]any:
		return mirroredObject(v)
	}
	return v
}

func mirroredObject(v map[string]any) map[string]any {
	_, image := v["config"].(map[string]any)
	if image {
		return v // of one image all stays as it is
	}
	if _, pull := v["reverse"]; pull {
		v["bytes"], v["reverse"], v["layers"], v["reverseLayers"] = v["reverse"], v["bytes"], v["reverseLayers"], v["layers"]
		v["chain"], v["reverseChain"] = v["reverseChain"], v["chain"]
		return v
	}
	out := map[string]any{}
	for key, value := range v {
		as, swap := opposite[key]
		if v["from"] == nil && (as == "from" || as == "path" || as == "fromBase64") {
			swap = false // it wasn't moved
		}
		if swap {
			key = as
		}
		switch n, isNumber := value.(float64); {
		case key == "bytes" && isNumber && n != 0:
			value = -n // NEW's less OLD's
		case key == "state":
			if as, ok := opposite[value.(string)]; ok {
				value = as
			}
		}
		out[key] = mirrored(value)
	}
	return out
}

// inOrder sorts all lists, of which the order needn't be that of the mirror.
func inOrder(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = inOrder(v[i])
		}
		slices.SortFunc(v, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	case map[string]any:
		for key := range v {
			v[key] = inOrder(v[key])
		}
	}
	return v
}
