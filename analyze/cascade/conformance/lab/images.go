package lab

import (
	"maps"

	"github.com/distribution/reference"

	"github.com/layerscope/layerscope/analyze/cascade"
)

// Image implements [cascade.Images].
func (b *Bases) Image(name, platform string) *cascade.Image {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return nil
	}
	tagged, ok := reference.TagNameOnly(named).(reference.NamedTagged)
	if !ok {
		return nil
	}
	if _, pinned := named.(reference.Digested); pinned {
		return nil
	}
	made, err := b.image(reference.Path(named), tagged.Tag())
	if err != nil {
		return nil
	}
	c := made.config
	img := &cascade.Image{Digest: made.digest, Env: c.Env, WorkingDir: c.WorkingDir, User: c.User,
		Shell: c.Shell, OnBuild: c.OnBuild, Platform: platform}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known[name+" "+platform] = img
	return img
}

// Known returns what [Bases.Image] has told so far, by reference and platform.
func (b *Bases) Known() map[string]*cascade.Image {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.known)
}

