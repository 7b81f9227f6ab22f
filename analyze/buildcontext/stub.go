package buildcontext

import "context"

type Selection struct {
	Path                       string
	Wildcard, FollowLinks      bool
	Include, Exclude, Required []string
}
type Rules struct{ Owner bool }
type Tree struct{}
type Entry struct{ Path string }

func Differ(ctx context.Context, a *Tree, as []Selection, b *Tree, bs []Selection, r Rules) ([]string, error) {
	return nil, nil
}

type NoMatchError struct{ Pattern string }

func (e *NoMatchError) Error() string { return e.Pattern }

type Change struct {
	Path string
	Kind int
}

const Changed = 1

func (t *Tree) Edit(c ...Change) *Tree                                        { return t }
func (t *Tree) Files(ctx context.Context, sels []Selection) ([]*Entry, error) { return nil, nil }
