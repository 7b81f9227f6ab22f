package source

import (
	"context"
	"slices"
)

// DaemonImages returns the names of the images that the daemon has, each with
// its tag, in order. The daemon is the one that [Open] would ask.
func DaemonImages(ctx context.Context, opts Options) ([]string, error) {
	ep, err := findEndpoint(opts)
	if err != nil {
		return nil, err
	}
	e, err := dialDaemon(ep, opts.UserAgent)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	names, err := e.list(ctx)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(n string) bool {
		full, _ := fullName(n)
		return full == "" // "<none>:<none>", as engines call what has no name
	})
	slices.Sort(names)
	return slices.Compact(names), nil
}
