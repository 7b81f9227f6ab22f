package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCall(t *testing.T) {
	type args = []string
	type env = map[string]string
	const docker = "/usr/bin/docker"
	tests := []struct {
		name   string
		args   args
		docker string // what docker says of its own call
		want   call
		fails  bool
	}{
		{name: "standalone", args: args{"/bin/layerscope", "--context", "a", "img"}, want: call{args: args{"--context", "a", "img"}}},
		{name: "standalone, no arguments", args: args{"layerscope"}, want: call{args: args{}}},
		{name: "standalone below another plugin", args: args{"layerscope", "img"}, docker: docker, want: call{args: args{"img"}}},
		{name: "by the plugin's name", args: args{"docker-layerscope", "layerscope"}, want: call{args: args{"layerscope"}}},
		{name: "metadata", args: args{"/x/docker-layerscope", "docker-cli-plugin-metadata"}, want: call{plugin: true, metadata: true}},
		{name: "metadata on Windows", args: args{"docker-layerscope.exe", "docker-cli-plugin-metadata"}, want: call{plugin: true, metadata: true}},
		{name: "plugin", args: args{"docker-layerscope", "layerscope", "tree", "img"}, docker: docker, want: call{args: args{"tree", "img"}, plugin: true}},
		{name: "plugin's own flags", args: args{"docker-layerscope", "layerscope", "--tlsx", "layerscope"}, docker: docker, want: call{args: args{"--tlsx", "layerscope"}, plugin: true}},
		{
			name: "global flags", docker: docker,
			args: args{"docker-layerscope", "--context", "prod", "-D", "--log-level=info", "-l", "warn", "layerscope", "img"},
			want: call{args: args{"--context", "prod", "img"}, plugin: true},
		},
		{
			name: "a value that is the plugin's name", docker: docker,
			args: args{"docker-layerscope", "--context", "layerscope", "layerscope", "img"},
			want: call{args: args{"--context", "layerscope", "img"}, plugin: true},
		},
		{
			name: "short flags", docker: docker,
			args: args{"docker-layerscope", "-c", "prod", "-Htcp://a:1", "-H", "tcp://b:1", "-H=tcp://c:1", "layerscope"},
			want: call{args: args{"--context", "prod", "--host", "tcp://a:1", "--host", "tcp://b:1", "--host", "tcp://c:1"}, plugin: true},
		},
		{
			name: "config and tlsverify", docker: docker,
			args: args{"docker-layerscope", "--config", "/cfg", "--tlsverify", "layerscope", "img"},
			want: call{args: args{"img"}, env: env{"DOCKER_CONFIG": "/cfg", "DOCKER_TLS_VERIFY": "1"}, plugin: true},
		},
		{name: "tlsverify off", docker: docker, args: args{"docker-layerscope", "--tlsverify=false", "layerscope"}, want: call{plugin: true}},
		{
			name: "completion", docker: docker,
			args: args{"docker-layerscope", "__complete", "--context=prod", "layerscope", "report", ""},
			want: call{args: args{"__complete", "--context", "prod", "report", ""}, plugin: true},
		},
		{name: "a certificate", docker: docker, args: args{"docker-layerscope", "--tlscacert", "ca.pem", "layerscope"}, fails: true},
		{name: "no name", docker: docker, args: args{"docker-layerscope", "--debug"}, fails: true},
		{name: "no value", docker: docker, args: args{"docker-layerscope", "--context"}, fails: true},
		{name: "an empty argument", docker: docker, args: args{"docker-layerscope", "", "layerscope"}, fails: true},
		{name: "a dash", docker: docker, args: args{"docker-layerscope", "-", "layerscope"}, fails: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseCall(tt.args, func(string) string { return tt.docker })
			if (err != nil) != tt.fails {
				t.Fatalf("error is %v", err)
			}
			if tt.fails {
				return
			}
			if len(got.args) == 0 {
				if got.args == nil && !got.metadata {
					t.Error("arguments are nil: cobra would take os.Args")
				}
				got.args, tt.want.args = nil, nil
			}
			if len(got.env) == 0 {
				got.env = nil
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(call{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
