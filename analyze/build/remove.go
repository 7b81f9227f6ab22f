package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// Close ends the builder and, unless keep is set, removes the images that it
// made: those of stages, and what the classic builder made on the way. Images
// that there were before, and images that have a name by now, stay. Removing goes
// on when ctx is cancelled.
func (b *Builder) Close(ctx context.Context, keep bool) error {
	err := os.RemoveAll(b.temp)
	if keep {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return errors.Join(err, b.remove(ctx, b.interrupted))
}

// settling is how long an engine may take to end a build whose command is gone.
const settling = 3 * time.Second

// remove removes what was made. After an interruption the engine may still be
// at it: what its last step makes is waited for.
func (b *Builder) remove(ctx context.Context, interrupted bool) error {
	until := time.Now()
	if interrupted && !b.engine.buildKit {
		until = until.Add(settling)
	}
	for {
		err := b.removeNow(ctx, interrupted)
		if ctx.Err() != nil || !time.Now().Before(until) {
			return err // until then it may be in use
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// removeNow removes what there is now. Children go first; what is in the way of
// its parent goes with the next pass.
func (b *Builder) removeNow(ctx context.Context, interrupted bool) error {
	var why error
	for last := -1; ; {
		all, err := b.ours(ctx, interrupted)
		if err != nil || len(all) == 0 {
			return err
		}
		if len(all) == last {
			return &Error{Doing: fmt.Sprintf("removing what was built (%s)", strings.Join(all, ", ")), Err: why}
		}
		last = len(all)
		// Without their parents, which may have been there before.
		if out, err := b.run(ctx, append([]string{"image", "rm", "--no-prune"}, all...), nil); err != nil {
			why = said(out, err)
		}
	}
}

// ours returns the images that this builder made and that are still there
// without a name, the newest first. What an image is made of that has a name by
// now isn't among them.
func (b *Builder) ours(ctx context.Context, interrupted bool) ([]string, error) {
	now, err := b.images(ctx)
	if err != nil {
		return nil, err
	}
	now = slices.DeleteFunc(now, func(id string) bool { return b.before[id] })
	if len(now) == 0 || len(b.made)+len(b.printed) == 0 {
		return nil, nil
	}
	about, err := b.inspect(ctx, now)
	if err != nil {
		return nil, err
	}
	ours, stay := set{}, set{}
	for _, id := range now {
		if i, ok := about[id]; ok && b.isOurs(id, i.Parent, interrupted) {
			b.withParents(id, about, ours, stay)
		}
	}
	maps.Copy(b.parents, ours) // when their children are gone nothing else tells
	return slices.DeleteFunc(now, func(id string) bool { return !ours[id] || stay[id] }), nil
}

// withParents enters an image into ours, and those that it was made of: the
// classic builder doesn't tell of all, as of those that ONBUILD instructions
// make. From one that has a name on they stay. One that was pulled isn't ours.
func (b *Builder) withParents(id string, about map[string]inspected, ours, stay set) {
	into := ours
	for i, ok := about[id]; ok; i, ok = about[id] {
		if len(i.RepoTags) > 0 {
			into = stay
		}
		pulled := len(i.RepoDigests) > 0 && !slices.Contains(b.made, id)
		if into[id] || pulled {
			return
		}
		into[id] = true
		id = i.Parent
	}
}

// isOurs tells whether an image was made by a build of ours: it is a stage's, or
// the builder said so, or one that was is made of it, or it was made of what the
// builder said last, which was then interrupted.
func (b *Builder) isOurs(id, parent string, interrupted bool) bool {
	_, digest, _ := strings.Cut(id, ":")
	_, above, _ := strings.Cut(parent, ":")
	if slices.Contains(b.made, id) || b.parents[id] {
		return true
	}
	for i, short := range b.printed {
		if strings.HasPrefix(digest, short) || interrupted && i == len(b.printed)-1 && strings.HasPrefix(above, short) {
			return true
		}
	}
	return false
}

// inspected is what docker says of an image.
type inspected struct {
	ID                    string `json:"Id"`
	Parent                string
	RepoTags, RepoDigests []string
}

// inspect asks about images, of which some may be gone by now.
func (b *Builder) inspect(ctx context.Context, ids []string) (map[string]inspected, error) {
	out, err := b.run(ctx, append([]string{"image", "inspect", "--format", "{{json .}}"}, ids...), nil)
	about := map[string]inspected{}
	d := json.NewDecoder(strings.NewReader(out.stdout.String()))
	for d.More() {
		var i inspected
		if reading := d.Decode(&i); reading != nil {
			return nil, &Error{Doing: "asking docker about images", Err: reading}
		}
		about[i.ID] = i
	}
	if err != nil && len(about) == 0 {
		return nil, &Error{Doing: "asking docker about images", Err: said(out, err)}
	}
	return about, nil
}

// images returns the IDs of all images, the newest first.
func (b *Builder) images(ctx context.Context) ([]string, error) {
	out, err := b.run(ctx, []string{"image", "ls", "--all", "--quiet", "--no-trunc"}, nil)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, &Error{Doing: "asking docker for its images", Err: said(out, err)}
	}
	var ids []string
	seen := set{}
	for _, id := range strings.Fields(out.stdout.String()) {
		if !seen[id] { // one with several names comes again
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, nil
}
