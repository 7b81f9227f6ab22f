package main

import (
	"io"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/layerscope/layerscope/analyze/synth"
)

// startRegistry is a script command: registry VAR starts a registry that holds
// app:1.0 and, for two platforms, multi:1.0, and sets VAR to its address.
func startRegistry(ts *testscript.TestScript, neg bool, args []string) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	ts.Defer(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	ts.Setenv(args[0], address)

	ref, err := name.ParseReference(address + "/app:1.0")
	ts.Check(err)
	img, err := example.V1()
	ts.Check(err)
	ts.Check(remote.Write(ref, img))

	ref, err = name.ParseReference(address + "/multi:1.0")
	ts.Check(err)
	idx, err := synth.Index{Images: []synth.Image{forPlatform("amd64", ""), forPlatform("arm", "v7")}, Attest: true}.V1()
	ts.Check(err)
	ts.Check(remote.WriteIndex(ref, idx))
}
