package stages

import (
	"maps"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/cascade"
)

// environments tell what is known of the images that stages are from: what the
// stages' own images have in their environment and the Dockerfile doesn't set.
type environments map[string]*cascade.Image // by reference in full

// Image returns what is known of an image.
func (e environments) Image(reference, platform string) *cascade.Image {
	if i := e[reference+" "+platform]; i != nil {
		return i
	}
	return e[reference]
}

// environments takes the images' environments from those of the stages.
func (p *Plan) environments(images map[int]*analyze.Image) environments {
	known := environments{}
	platforms := map[string]string{} // that an image is used for; "several" for more
	for _, i := range slices.Sorted(maps.Keys(images)) {
		chain := p.chain(p.Stages[i])
		ref := chain[len(chain)-1].Image
		if ref == "" || images[i] == nil {
			continue
		}
		img := inherited(chain, images[i].Config.Config.Env)
		platform := images[i].Platform.String()
		if was := platforms[ref]; was != "" && was != platform {
			platforms[ref] = "several"
			delete(known, ref)
		} else if platforms[ref] = platform; known[ref] == nil || len(img.Unsure) < len(known[ref].Unsure) {
			known[ref] = img // of several the one whose stage sets the least
		}
		key := ref + " " + platform
		if known[key] == nil || len(img.Unsure) < len(known[key].Unsure) {
			known[key] = img
		}
	}
	return known
}

// inherited returns what of an environment the stages of a chain don't set.
func inherited(chain []*cascade.Stage, env []string) *cascade.Image {
	img := &cascade.Image{}
	for _, s := range chain {
		for _, ins := range s.Instructions {
			if ins.Trigger != nil {
				ins = ins.Trigger
			}
			if ins.Keyword == "ENV" {
				img.Unsure = append(img.Unsure, ins.Variables()...)
			}
		}
	}
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if !slices.Contains(img.Unsure, name) {
			img.Env = append(img.Env, kv)
		}
	}
	return img
}
