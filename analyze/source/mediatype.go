package source

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"
)

// configTypes are the media types of the configs of images. Beside the two
// proper ones stand those that registries and old engines gave images before
// anything else could be pushed, as docker itself takes them.
var configTypes = []types.MediaType{
	types.OCIConfigJSON,
	types.DockerConfigJSON,
	"application/octet-stream",
	"application/json",
	"text/html",
	"",
}

// layerTypes are the media types of filesystem changesets. How a blob is
// compressed is told from its bytes, as the types are often wrong about it.
var layerTypes = []types.MediaType{
	types.OCILayer,
	types.OCILayerZStd,
	types.OCIUncompressedLayer,
	types.OCIRestrictedLayer,
	types.OCIUncompressedRestrictedLayer,
	"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
	types.DockerLayer,
	types.DockerUncompressedLayer,
	types.DockerForeignLayer,
	"application/vnd.docker.image.rootfs.diff.tar+gzip", // seen in docker save of Docker Desktop
	"application/vnd.docker.image.rootfs.diff.tar.zstd",
	"application/vnd.docker.image.rootfs.foreign.diff.tar",
}

// checkConfigType returns an error if a manifest's config is not an image's: a
// Helm chart, a signature, a policy bundle.
func checkConfigType(mt types.MediaType) error {
	if slices.Contains(configTypes, mt) {
		return nil
	}
	return fmt.Errorf("not a container image: its config is of type %q", string(mt))
}

// checkLayerType returns an error if a layer is no filesystem changeset that
// can be read.
func checkLayerType(mt types.MediaType) error {
	switch {
	case slices.Contains(layerTypes, mt):
		return nil
	case strings.HasSuffix(string(mt), "+encrypted"):
		return fmt.Errorf("the layer is encrypted (%q)", string(mt))
	default:
		return fmt.Errorf("unknown layer media type %q", string(mt))
	}
}

// manifestType returns the media type of a manifest: the one it was served
// with if that is a manifest's, else the one it states, else the one its shape
// gives away. Static file servers serve manifests as anything, and OCI
// manifests need not state a type.
func manifestType(served types.MediaType, raw []byte) types.MediaType {
	if served.IsImage() || served.IsIndex() || served.IsSchema1() {
		return served
	}
	var m struct {
		SchemaVersion int             `json:"schemaVersion"`
		MediaType     types.MediaType `json:"mediaType"`
		Config        json.RawMessage `json:"config"`
		Manifests     json.RawMessage `json:"manifests"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return served
	}
	switch {
	case m.MediaType != "":
		return m.MediaType
	case m.SchemaVersion == 1:
		return types.DockerManifestSchema1
	case m.Manifests != nil:
		return types.OCIImageIndex
	case m.Config != nil:
		return types.OCIManifestSchema1
	}
	return served
}
