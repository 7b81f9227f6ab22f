package record

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/layerscope/layerscope/analyze/cascade"
)

// Images are images that were known while builds were recorded. They implement
// [cascade.Images].
type Images struct {
	of    cascade.Images // nil if only those that are known already
	mu    sync.Mutex
	known map[string]*cascade.Image
}

// Knowing returns images that remember what is asked for.
func Knowing(of cascade.Images) *Images { return &Images{of: of, known: map[string]*cascade.Image{}} }

// Image implements [cascade.Images].
func (im *Images) Image(reference, platform string) *cascade.Image {
	key := reference + " " + platform
	im.mu.Lock()
	defer im.mu.Unlock()
	img, ok := im.known[key]
	if !ok && im.of != nil {
		img = im.of.Image(reference, platform)
		im.known[key] = img
	}
	return img
}

const imagesFile = "images.json"

// Write writes the images beside a builder's records.
func (im *Images) Write(dir, builder string) error {
	im.mu.Lock()
	defer im.mu.Unlock()
	text, err := json.MarshalIndent(im.known, "", "\t")
	if err != nil {
		return fmt.Errorf("recording images: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, builder, imagesFile), append(text, '\n'), 0o644)
}

// ReadImages returns the images of a builder's records.
func ReadImages(dir, builder string) (*Images, error) {
	text, err := os.ReadFile(filepath.Join(dir, builder, imagesFile))
	if err != nil {
		return nil, err
	}
	im := Knowing(nil)
	if err := json.Unmarshal(text, &im.known); err != nil {
		return nil, fmt.Errorf("reading recorded images: %w", err)
	}
	return im, nil
}
