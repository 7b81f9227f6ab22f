package analyze

import (
	"context"

	"github.com/layerscope/layerscope/analyze/source"
)

// Describe is a stub.
func Describe(ctx context.Context, ref string, opts Options) (*Image, error) {
	img, err := source.Open(ctx, ref, opts.Source)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	d := img.Description()
	return newImage(d, nil), nil
}
