package source

import (
	"context"
	"fmt"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// DescribeBase describes the image that another, of, names as the one it was
// built on: by a name, a digest, or both. It looks in the registry that the name
// is of, for of's platform, and reads a manifest and a config.
//
// The name is the image's word, which is untrusted. So what isn't on the
// internet is asked only if it is the registry that of itself came from, or if
// that one isn't on the internet either.
func DescribeBase(ctx context.Context, of *Description, name string, digest v1.Hash, opts Options) (*Description, error) {
	full, host, err := baseReference(name, digest)
	if err != nil {
		return nil, err
	}
	p := BasePlatform(of.Platform)
	opts.Platform, opts.Tag, opts.Progress = &p, "", nil
	if err := confine(ctx, &opts, host, of.Name); err != nil {
		return nil, fmt.Errorf("looking for the base %q: %w", full, err)
	}
	img, err := openRegistry(ctx, full, opts)
	if err != nil {
		return nil, err
	}
	return img.Description(), img.Close()
}

// baseReference returns a base's full name and its registry's host.
func baseReference(name string, digest v1.Hash) (full, host string, err error) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return "", "", fmt.Errorf("parsing image name %q: %w", name, err)
	}
	full = named.String()
	if digest != (v1.Hash{}) {
		full = named.Name() + "@" + digest.String()
	}
	return full, reference.Domain(named), nil
}

// confine holds opts to hosts that an image may make this machine ask.
func confine(ctx context.Context, opts *Options, host, imageName string) error {
	image, err := reference.ParseNormalizedNamed(imageName)
	if err != nil {
		return err
	}
	own := reference.Domain(image)
	switch {
	case host == own:
		return nil
	case opts.Insecure || isInside(ctx, hostOf(own)):
		opts.Insecure = false // that was said of the image's registry
		return nil
	case isPrivate(hostOf(host)):
		return fmt.Errorf("it is at the private address %q", host)
	}
	tr, _ := registryTransport(*opts)
	opts.Transport = outsideTransport(tr)
	return nil
}

// BasePlatform returns the platform to ask of an image's base: the image's,
// without a variant that images are built for on bases that don't state it.
func BasePlatform(p v1.Platform) v1.Platform {
	base := v1.Platform{OS: p.OS, Architecture: p.Architecture, OSVersion: p.OSVersion}
	if p.Architecture == "arm" {
		base.Variant = p.Variant
	}
	return base
}
