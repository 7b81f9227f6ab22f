package lab

import (
	"github.com/distribution/reference"

	"github.com/layerscope/layerscope/analyze/cascade"
)

// Image implements [cascade.Images].
func (b *Bases) Image(name, platform string) *cascade.Image {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return nil
	}
	if _, pinned := named.(reference.Digested); pinned {
		return nil // there is none of a digest that somebody made up
	}
	tagged, ok := reference.TagNameOnly(named).(reference.NamedTagged)
	if !ok {
		return nil
	}
	made, err := b.image(reference.Path(named), tagged.Tag())
	if err != nil {
		return nil
	}
	c := made.config
	return &cascade.Image{Digest: made.digest, Env: c.Env, WorkingDir: c.WorkingDir, User: c.User,
		Shell: c.Shell, OnBuild: c.OnBuild, Platform: platform}
}
