package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
)

// ConfigChange is a difference of two configs.
type ConfigChange struct {
	// Key is what differs, as JSON names it: "platform", "entrypoint", "cmd",
	// "env", "workingDir", "user", "exposedPorts", "volumes", "labels",
	// "healthcheck", "stopSignal", "shell", "onBuild".
	Key string
	// Name is the variable's, label's, port's or volume's; "" for other keys.
	Name string
	// Old and New are the values: one of most keys, the words of a command, an
	// empty list for a port or volume that is there. nil if it isn't set.
	// A platform is "linux/arm64/v8"; a healthcheck the options that the
	// Dockerfile has before it and then the words of its test, the first of
	// which is "CMD", "CMD-SHELL" or "NONE".
	// Values that look secret are masked, so that two that differ may read
	// the same.
	Old, New []string
}

// compareConfigs compares two images' configs and platforms: by key in the
// order above, then by name. The values it tells are those of the redacted
// images.
//
// What an engine takes for the same is the same: an empty list or text and none,
// the working directories "" and "/", the ports 80 and 80/tcp, variables and
// labels in any order. A command of one empty word isn't an empty one.
func compareConfigs(old, new, oldShown, newShown *analyze.Image) []ConfigChange {
	a, b := settingsOf(old), settingsOf(new)
	shownA, shownB := settingsOf(oldShown), settingsOf(newShown)
	var changes []ConfigChange
	for k, key := range configKeys {
		names := slices.AppendSeq(slices.Collect(maps.Keys(a[k])), maps.Keys(b[k]))
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			x, y := a[k].value(key, name), b[k].value(key, name)
			if (x == nil) != (y == nil) || !slices.Equal(x, y) {
				changes = append(changes, ConfigChange{key, name, shownA[k][name], shownB[k][name]})
			}
		}
	}
	return changes
}

// configKeys are the keys of changes, in their order.
var configKeys = [...]string{
	"platform", "entrypoint", "cmd", "env", "workingDir", "user", "exposedPorts", "volumes", "labels",
	"healthcheck", "stopSignal", "shell", "onBuild",
}

// values are the values of one key by name, "" for a key without names.
type values map[string][]string

// value returns what is to be compared.
func (v values) value(key, name string) []string {
	if key == "workingDir" && slices.Equal(v[name], []string{"/"}) {
		return nil
	}
	return v[name]
}

// settingsOf returns what an image's config sets, in the order of configKeys.
func settingsOf(m *analyze.Image) [len(configKeys)]values {
	c := &m.Config.Config
	return [...]values{
		single(platform(m.Platform)), words(c.Entrypoint), words(c.Cmd), variables(c.Env), single(c.WorkingDir), single(c.User),
		set(c.ExposedPorts, port), set(c.Volumes, nil), labels(c.Labels),
		words(healthcheck(m)), single(c.StopSignal), words(c.Shell), words(c.OnBuild),
	}
}

func single(s string) values {
	if s == "" {
		return nil
	}
	return values{"": {s}}
}

func words(list []string) values {
	if len(list) == 0 {
		return nil
	}
	return values{"": list}
}

// variables reads an environment as an engine does: of a name that stands twice
// the last value counts, and a name without "=" is taken out (moby,
// container.ReplaceOrAppendEnvVars).
func variables(env []string) values {
	v := values{}
	for _, e := range env {
		if name, value, ok := strings.Cut(e, "="); ok {
			v[name] = []string{value}
		} else {
			delete(v, name)
		}
	}
	return v
}

func set(names map[string]struct{}, proper func(string) string) values {
	v := values{}
	for name := range names {
		if proper != nil {
			name = proper(name)
		}
		v[name] = []string{}
	}
	return v
}

// port returns a port with its protocol.
func port(s string) string {
	if strings.Contains(s, "/") {
		return s
	}
	return s + "/tcp"
}

func labels(labels map[string]string) values {
	v := values{}
	for name, value := range labels {
		v[name] = []string{value}
	}
	return v
}

func platform(p v1.Platform) string {
	parts := []string{p.OS, p.Architecture, p.Variant}
	return strings.TrimRight(strings.Join(parts, "/"), "/")
}

// healthcheck returns a healthcheck as the Dockerfile has it, without the keyword;
// options that aren't set are the engine's to choose.
func healthcheck(m *analyze.Image) []string {
	h := m.Config.Config.Healthcheck
	if h == nil {
		return nil
	}
	var w []string
	for _, o := range []struct {
		name  string
		value time.Duration
	}{{"interval", h.Interval}, {"timeout", h.Timeout}, {"start-period", h.StartPeriod}, {"start-interval", startInterval(m.RawConfig)}} {
		if o.value != 0 {
			w = append(w, "--"+o.name+"="+o.value.String())
		}
	}
	if h.Retries != 0 {
		w = append(w, fmt.Sprintf("--retries=%d", h.Retries))
	}
	return append(w, h.Test...)
}

// startInterval reads from a config what [v1.HealthConfig] has no field for; 0 if
// it isn't there.
func startInterval(raw []byte) time.Duration {
	var c struct {
		Config struct {
			Healthcheck struct{ StartInterval time.Duration }
		} `json:"config"`
	}
	if !bytes.Contains(raw, []byte("StartInterval")) || json.Unmarshal(raw, &c) != nil {
		return 0
	}
	return c.Config.Healthcheck.StartInterval
}
