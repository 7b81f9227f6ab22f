package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/analyze/source"
)

// This file makes "docker layerscope" work: the same binary, named
// docker-layerscope, is a plugin of the docker command. Docker asks a plugin
// for metadata whenever it lists its commands, and runs it with all of its own
// arguments: docker's global flags, the plugin's name, the plugin's arguments.
// (docker/cli, cli-plugins/metadata and cli-plugins/manager.)

const (
	pluginName     = "layerscope"
	pluginBinary   = "docker-" + pluginName
	pluginMetadata = "docker-cli-plugin-metadata"
	// pluginEnv is set when docker runs a plugin, and tells how docker itself
	// was called.
	pluginEnv = "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND"
)

// call is how the program was called.
type call struct {
	args     []string          // for the root command
	env      map[string]string // what docker's global flags ask for
	plugin   bool              // by docker
	metadata bool              // by docker, to learn what the plugin is
}

// parseCall takes the call of a plugin apart; of any other it returns the
// arguments.
func parseCall(args []string, getenv func(string) string) (call, error) {
	binary := strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	args = append([]string{}, args[1:]...) // not nil: cobra would take os.Args
	if binary != pluginBinary {
		return call{args: args}, nil
	}
	if len(args) > 0 && args[0] == pluginMetadata {
		return call{plugin: true, metadata: true}, nil
	}
	if getenv(pluginEnv) == "" {
		return call{args: args}, nil // run by its own name
	}
	return parsePluginArgs(args)
}

// parsePluginArgs turns docker's global flags into ours and takes the plugin's
// name out. (Completion, which is asked of the plugin too, stays in front.)
func parsePluginArgs(args []string) (call, error) {
	c := call{args: []string{}, env: map[string]string{}, plugin: true}
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		c.args, args = args[:1:1], args[1:]
	}
	for len(args) > 0 {
		if args[0] == pluginName {
			c.args = append(c.args, args[1:]...)
			return c, nil
		}
		n, err := c.dockerFlag(args)
		if err != nil {
			return c, err
		}
		args = args[n:]
	}
	return c, errors.New("docker called its plugin layerscope without naming it")
}

// dockerFlag takes one of docker's global flags and returns how many arguments
// it is.
func (c *call) dockerFlag(args []string) (int, error) {
	name, value, inline := splitFlag(args[0])
	n := 1
	if !inline && takesValue[name] && len(args) > 1 {
		value, n = args[1], 2
	}
	switch name {
	case "--context", "-c":
		c.args = append(c.args, "--context", value)
	case "--host", "-H":
		c.args = append(c.args, "--host", value)
	case "--config":
		c.env["DOCKER_CONFIG"] = value
	case "--tlsverify":
		if value != "false" {
			c.env["DOCKER_TLS_VERIFY"] = "1"
		}
	case "--debug", "-D", "--log-level", "-l": // nothing of layerscope's
	default:
		return 0, &source.HintError{
			Err:  fmt.Errorf("docker's option %s isn't known to docker layerscope", name),
			Hint: "for TLS use a docker context, or set DOCKER_TLS_VERIFY and DOCKER_CERT_PATH",
		}
	}
	return n, nil
}

// takesValue holds docker's global flags that aren't switches.
var takesValue = map[string]bool{
	"--context": true, "-c": true, "--host": true, "-H": true, "--config": true, "--log-level": true, "-l": true,
}

// splitFlag splits --name=value, and -Nvalue of a flag that takes one.
func splitFlag(arg string) (name, value string, inline bool) {
	if strings.HasPrefix(arg, "--") || len(arg) < 2 {
		return strings.Cut(arg, "=")
	}
	if name = arg[:2]; takesValue[name] && len(arg) > 2 {
		return name, strings.TrimPrefix(arg[2:], "="), true
	}
	return arg, "", false
}

// setEnv hands on what has no flag of ours: docker's own code reads it from
// the environment.
func (c call) setEnv() {
	for k, v := range c.env {
		os.Setenv(k, v)
	}
}

// writeMetadata answers docker's question for what the plugin is. It is asked
// on every "docker help", so it touches nothing.
func writeMetadata(w io.Writer) error {
	return json.NewEncoder(w).Encode(struct {
		SchemaVersion, Vendor, Version, ShortDescription, URL string
	}{
		SchemaVersion:    "0.1.0", // all that docker before 28.4.1 takes
		Vendor:           "layerscope",
		Version:          toolVersion(),
		ShortDescription: "Show where the bytes of an image are",
		URL:              "https://github.com/layerscope/layerscope",
	})
}
