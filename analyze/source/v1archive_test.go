package source

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestV1Archive(t *testing.T) {
	layer := layerTar(t, "a", "base")
	items := []item{
		{name: "./repositories", body: `{"x":{"2":"aa","1":"aa"}}`},
		{name: "./aa/json", body: `{"id":"aa","parent":"bb","created":"2014-10-02T00:00:00Z","author":"me",
			"container_config":{"Cmd":["/bin/sh","-c","#(nop) CMD [sh]"]},
			"config":{"Cmd":["sh"],"Env":["A=b"]},"docker_version":"1.2.0","architecture":"x86_64"}`},
		{name: "./aa/layer.tar", body: ""},
		{name: "./bb/json", body: `{"id":"bb","created":"2014-10-01T00:00:00Z","comment":"Imported from -","container_config":{"Cmd":null}}`},
		{name: "./bb/layer.tar", body: layer},
	}
	path := writeFile(t, pack(t, items...))
	agree(t, path, Options{})
	got, err := readAll(t, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := func(day int) v1.Time { return v1.Time{Time: time.Date(2014, 10, day, 0, 0, 0, 0, time.UTC)} }
	want := &Description{
		Source: "docker-archive", Name: "docker.io/library/x:1", Tags: []string{"x:1", "x:2"},
		Platform: v1.Platform{OS: "linux", Architecture: "amd64"},
		Config: &v1.ConfigFile{
			Architecture: "x86_64", Author: "me", Created: at(2),
			Config: v1.Config{Cmd: []string{"sh"}, Env: []string{"A=b"}},
			RootFS: v1.RootFS{Type: "layers"},
			History: []v1.History{
				{Created: at(1), Comment: "Imported from -"},
				{Created: at(2), Author: "me", CreatedBy: "/bin/sh -c #(nop) CMD [sh]"},
			},
		},
		Layers: []Layer{{Key: "bb/layer.tar", Size: -1}, {Key: "aa/layer.tar", Size: -1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want, +got):\n%s", diff)
	}
}
