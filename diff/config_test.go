package diff

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/source"
)

func configured(c v1.Config) *analyze.Image {
	return &analyze.Image{Description: source.Description{
		Platform: v1.Platform{OS: "linux", Architecture: "amd64"},
		Config:   &v1.ConfigFile{Config: c},
	}}
}

func changesOf(old, new *analyze.Image) []ConfigChange {
	return compareConfigs(old, new, old.Redacted(), new.Redacted())
}

func TestCompareConfigs(t *testing.T) {
	type m = map[string]struct{}
	arm := configured(v1.Config{})
	arm.Platform = v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	started := configured(v1.Config{Healthcheck: &v1.HealthConfig{Test: []string{"NONE"}}})
	started.RawConfig = []byte(`{"config":{"Healthcheck":{"Test":["NONE"],"StartInterval":5000000000}}}`)
	check := v1.HealthConfig{Test: []string{"CMD-SHELL", "curl x"}, Interval: 90 * time.Second, Timeout: 3 * time.Second, StartPeriod: time.Millisecond, Retries: 3}
	for _, tt := range []struct {
		name     string
		old, new *analyze.Image
		want     []ConfigChange
	}{
		{"the same", configured(v1.Config{Env: []string{"A=1"}}), configured(v1.Config{Env: []string{"A=1"}}), nil},
		{"platform", configured(v1.Config{}), arm, []ConfigChange{{"platform", "", []string{"linux/amd64"}, []string{"linux/arm64/v8"}}}},
		{"commands", configured(v1.Config{Entrypoint: []string{"a", "b"}, Cmd: []string{"c"}}), configured(v1.Config{Entrypoint: []string{"a b"}, Cmd: []string{}}),
			[]ConfigChange{{"entrypoint", "", []string{"a", "b"}, []string{"a b"}}, {"cmd", "", []string{"c"}, nil}}},
		{"empty and none", configured(v1.Config{}), configured(v1.Config{
			Entrypoint: []string{}, Cmd: []string{}, Env: []string{}, Labels: map[string]string{}, Volumes: m{}, ExposedPorts: m{},
			Healthcheck: &v1.HealthConfig{}, Shell: []string{}, OnBuild: []string{}, WorkingDir: "/",
		}), nil},
		{"an empty word", configured(v1.Config{}), configured(v1.Config{Entrypoint: []string{""}}), []ConfigChange{{"entrypoint", "", nil, []string{""}}}},
		{"variables", configured(v1.Config{Env: []string{"B=1", "A=1", "C=1", "E="}}), configured(v1.Config{Env: []string{"A=0", "B=1", "A=2", "D=x=y"}}),
			[]ConfigChange{{"env", "A", []string{"1"}, []string{"2"}}, {"env", "C", []string{"1"}, nil}, {"env", "D", nil, []string{"x=y"}}, {"env", "E", []string{""}, nil}}},
		{"a variable taken out", configured(v1.Config{Env: []string{"A=1", "A"}}), configured(v1.Config{Env: []string{"B", "B=1"}}), []ConfigChange{{"env", "B", nil, []string{"1"}}}},
		{"secrets", configured(v1.Config{Env: []string{"API_TOKEN=hunter2secret"}}), configured(v1.Config{Env: []string{"API_TOKEN=hunter3secret"}}),
			[]ConfigChange{{"env", "API_TOKEN", []string{"…"}, []string{"…"}}}},
		{"working directory", configured(v1.Config{WorkingDir: "/"}), configured(v1.Config{WorkingDir: "/app"}), []ConfigChange{{"workingDir", "", []string{"/"}, []string{"/app"}}}},
		{"user and signal", configured(v1.Config{User: "1:1"}), configured(v1.Config{StopSignal: "SIGINT"}),
			[]ConfigChange{{"user", "", []string{"1:1"}, nil}, {"stopSignal", "", nil, []string{"SIGINT"}}}},
		{"ports and volumes", configured(v1.Config{ExposedPorts: m{"80": {}, "1/udp": {}}}), configured(v1.Config{ExposedPorts: m{"80/tcp": {}, "8080/tcp": {}}, Volumes: m{"/v": {}}}),
			[]ConfigChange{{"exposedPorts", "1/udp", []string{}, nil}, {"exposedPorts", "8080/tcp", nil, []string{}}, {"volumes", "/v", nil, []string{}}}},
		{"labels", configured(v1.Config{Labels: map[string]string{"b": "1", "a": ""}}), configured(v1.Config{Labels: map[string]string{"b": "2", "c": ""}}),
			[]ConfigChange{{"labels", "a", []string{""}, nil}, {"labels", "b", []string{"1"}, []string{"2"}}, {"labels", "c", nil, []string{""}}}},
		{"healthcheck", configured(v1.Config{}), configured(v1.Config{Healthcheck: &check}), []ConfigChange{{"healthcheck", "", nil,
			[]string{"--interval=1m30s", "--timeout=3s", "--start-period=1ms", "--retries=3", "CMD-SHELL", "curl x"}}}},
		{"healthcheck's start interval", configured(*started.Config.Config.DeepCopy()), started, []ConfigChange{{"healthcheck", "", []string{"NONE"}, []string{"--start-interval=5s", "NONE"}}}},
		{"shell and onBuild", configured(v1.Config{Shell: []string{"/bin/sh", "-c"}}), configured(v1.Config{OnBuild: []string{"RUN x"}}),
			[]ConfigChange{{"shell", "", []string{"/bin/sh", "-c"}, nil}, {"onBuild", "", nil, []string{"RUN x"}}}},
		{"what counts for nothing", configured(v1.Config{}), configured(v1.Config{ArgsEscaped: true, Hostname: "x", Image: "x", Tty: true, AttachStdin: true, Domainname: "x"}), nil},
	} {
		if diff := gocmp.Diff(tt.want, changesOf(tt.old, tt.new)); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, diff)
		}
	}
}

// randomConfig makes a config of few values, so that two have some in common.
func randomConfig(r *rand.Rand) v1.Config {
	list := func() []string {
		return [][]string{nil, {}, {"a"}, {"a", "b"}, {"b", "a"}, {""}}[r.IntN(6)]
	}
	c := v1.Config{
		Entrypoint: list(), Cmd: list(), Shell: list(), OnBuild: list(),
		WorkingDir: []string{"", "/", "/a"}[r.IntN(3)], User: []string{"", "a"}[r.IntN(2)], StopSignal: []string{"", "9"}[r.IntN(2)],
		Labels: map[string]string{}, Volumes: map[string]struct{}{}, ExposedPorts: map[string]struct{}{},
	}
	for range r.IntN(4) {
		c.Env = append(c.Env, []string{"A=1", "A=2", "A=", "A", "B=1", "B=1=2", "C=x y"}[r.IntN(7)])
		c.Labels[[]string{"a", "b", "c"}[r.IntN(3)]] = []string{"", "1", "2"}[r.IntN(3)]
		c.Volumes[[]string{"/a", "/b", "/c"}[r.IntN(3)]] = struct{}{}
		c.ExposedPorts[[]string{"1", "1/tcp", "1/udp", "2/tcp"}[r.IntN(4)]] = struct{}{}
	}
	if r.IntN(3) > 0 {
		c.Healthcheck = &v1.HealthConfig{
			Test: list(), Interval: time.Duration(r.IntN(2)) * time.Second, Timeout: time.Duration(r.IntN(2)) * time.Minute,
			StartPeriod: time.Duration(r.IntN(2)) * time.Hour, Retries: r.IntN(3),
		}
	}
	return c
}

// plain returns a config as an engine takes it, in one way of several to write it.
func plain(c v1.Config) v1.Config {
	env := map[string]string{}
	for _, e := range c.Env {
		name, value, ok := strings.Cut(e, "=")
		delete(env, name)
		if ok {
			env[name] = value
		}
	}
	c.Env = nil
	for _, name := range slices.Sorted(maps.Keys(env)) {
		c.Env = append(c.Env, name+"="+env[name])
	}
	ports := map[string]struct{}{}
	for p := range c.ExposedPorts {
		if !strings.HasSuffix(p, "p") {
			p += "/tcp"
		}
		ports[p] = struct{}{}
	}
	c.ExposedPorts = ports
	if c.WorkingDir == "" {
		c.WorkingDir = "/"
	}
	if h := c.Healthcheck; h != nil && len(h.Test) == 0 && h.Interval+h.Timeout+h.StartPeriod == 0 && h.Retries == 0 {
		c.Healthcheck = nil
	}
	return c
}

// apply changes a config.
func apply(t *testing.T, c v1.Config, changes []ConfigChange) v1.Config {
	t.Helper()
	c = plain(*c.DeepCopy())
	value := func(list []string) string {
		if len(list) == 0 {
			return ""
		}
		return list[0]
	}
	put := func(m map[string]struct{}, ch ConfigChange) {
		delete(m, ch.Name)
		if ch.New != nil {
			m[ch.Name] = struct{}{}
		}
	}
	for _, ch := range changes {
		switch ch.Key {
		case "entrypoint":
			c.Entrypoint = ch.New
		case "cmd":
			c.Cmd = ch.New
		case "shell":
			c.Shell = ch.New
		case "onBuild":
			c.OnBuild = ch.New
		case "workingDir":
			c.WorkingDir = value(ch.New)
		case "user":
			c.User = value(ch.New)
		case "stopSignal":
			c.StopSignal = value(ch.New)
		case "env":
			if ch.New == nil {
				c.Env = append(c.Env, ch.Name)
			} else {
				c.Env = append(c.Env, ch.Name+"="+ch.New[0])
			}
		case "labels":
			delete(c.Labels, ch.Name)
			if ch.New != nil {
				c.Labels[ch.Name] = ch.New[0]
			}
		case "volumes":
			put(c.Volumes, ch)
		case "exposedPorts":
			put(c.ExposedPorts, ch)
		case "healthcheck":
			c.Healthcheck = parsedCheck(t, ch.New)
		default:
			t.Errorf("a change of %q", ch.Key)
		}
	}
	return plain(c)
}

func parsedCheck(t *testing.T, words []string) *v1.HealthConfig {
	t.Helper()
	if words == nil {
		return nil
	}
	h := &v1.HealthConfig{}
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		name, value, _ := strings.Cut(words[0], "=")
		d, err := time.ParseDuration(value)
		switch name {
		case "--interval":
			h.Interval = d
		case "--timeout":
			h.Timeout = d
		case "--start-period":
			h.StartPeriod = d
		case "--retries":
			h.Retries, err = strconv.Atoi(value)
		}
		if err != nil {
			t.Error(err)
		}
		words = words[1:]
	}
	h.Test = words
	return h
}

// TestConfigChangesApplied applies the changes of random configs to the one, which
// makes it the other.
func TestConfigChangesApplied(t *testing.T) {
	counts := map[string]int{}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		a, b := randomConfig(r), randomConfig(r)
		old, new := configured(a), configured(b)
		changes := compareConfigs(old, new, old, new)
		if diff := gocmp.Diff(plain(b), apply(t, a, changes), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("seed %d: -NEW +OLD with %v applied\n%s", seed, changes, diff)
		}
		back := compareConfigs(new, old, new, old)
		for i := range back {
			back[i].Old, back[i].New = back[i].New, back[i].Old
			counts[back[i].Key]++
		}
		if diff := gocmp.Diff(changes, back); diff != "" {
			t.Fatalf("seed %d: -changes +those of the images swapped\n%s", seed, diff)
		}
		if same := configured(plain(a)); len(compareConfigs(old, same, old, same)) > 0 {
			t.Fatalf("seed %d: %+v differs from itself: %v", seed, a, compareConfigs(old, same, old, same))
		}
		for i := 1; i < len(changes); i++ {
			rank := func(c ConfigChange) string { return fmt.Sprintf("%02d %s", slices.Index(configKeys[:], c.Key), c.Name) }
			if rank(changes[i-1]) >= rank(changes[i]) {
				t.Fatalf("seed %d: changes are in the order %v", seed, changes)
			}
		}
	}
	for _, key := range configKeys[1:] {
		if counts[key] < 500 {
			t.Errorf("%s differed %d times only", key, counts[key])
		}
	}
}
