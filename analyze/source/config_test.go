package source

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestDecodeConfig(t *testing.T) {
	created := v1.Time{Time: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)}
	for name, tt := range map[string]struct {
		raw  string
		want *v1.ConfigFile // nil: refused
	}{
		"proper": {`{"os":"linux","created":"2020-01-02T03:04:05Z"}`, &v1.ConfigFile{OS: "linux", Created: created}},
		"empty time": {
			`{"os":"linux","created":"","config":{"Healthcheck":{"Interval":30000000000}},
				"history":[{"created":"","created_by":"x"},{"created":"2020-01-02T03:04:05Z"}]}`,
			&v1.ConfigFile{
				OS: "linux", Config: v1.Config{Healthcheck: &v1.HealthConfig{Interval: 30 * time.Second}},
				History: []v1.History{{CreatedBy: "x"}, {Created: created}},
			},
		},
		"a number for a time":  {`{"os":"linux","created":1577934245}`, &v1.ConfigFile{OS: "linux"}},
		"null":                 {`null`, nil},
		"array":                {`[]`, nil},
		"cut short":            {`{"os":"linux"`, nil},
		"a number for the os":  {`{"os":1,"created":""}`, nil},
		"history is no array":  {`{"history":{},"created":""}`, nil},
		"a bad diffID":         {`{"rootfs":{"diff_ids":["sha256:x"]}}`, nil},
		"too many values":      {`{"history":[{}` + strings.Repeat(",{}", maxValues+1) + `]}`, nil},
		"null among history":   {`{"created":"","history":[null]}`, &v1.ConfigFile{History: []v1.History{{}}}},
		"nothing in it at all": {`{}`, &v1.ConfigFile{}},
	} {
		got, err := decodeConfig([]byte(tt.raw))
		if (err == nil) != (tt.want != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want, +got):\n%s", name, diff)
		}
	}
}
