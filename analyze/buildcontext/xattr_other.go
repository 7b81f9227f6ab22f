//go:build !linux

package buildcontext

import "os"

// Extended attributes are read on Linux alone: elsewhere what files carry is
// the system's own, which BuildKit's client leaves out or which no build sets.

func fileAttrs(*os.File) ([]attr, error) { return nil, nil }

func attrsIn(*os.File, string) ([]attr, error) { return nil, nil }
