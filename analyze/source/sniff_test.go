package source

import (
	"strings"
	"testing"
)

func TestRoleOf(t *testing.T) {
	hex := strings.Repeat("0a", 32)
	tarHead := string(pack(t, item{name: "{odd}", body: "x"})[:tarBlock])
	for _, tt := range []struct {
		name, head string
		want       role
	}{
		{"blobs/sha256/" + hex, tarHead, blob},
		{"a/layer.tar", strings.Repeat("\x00", tarBlock), blob},
		{"a/layer.tar", "", blob},
		{"a/layer.tar", "garbage", blob},
		{"x", "\x1f\x8b\x08", blob},
		{"x", "\x28\xb5\x2f\xfd", blob},
		{"x", "\x50\x2a\x4d\x18", blob},
		{"sha256:" + hex, "garbage", blob},
		{hex + ".tar.gz", "garbage", blob},
		{"sha256:" + hex, ` {"os":"linux"}`, metadata},
		{"blobs/sha256/" + hex, "\n[]", metadata},
		{"manifest.json", "null", metadata},
		{"repositories", "", metadata},
		{"a/json", "nonsense", metadata},
		{"a/VERSION", "1.0", other},
		{"README", strings.Repeat("text ", 200), other},
	} {
		if got := roleOf(tt.name, []byte(tt.head)); got != tt.want {
			t.Errorf("roleOf(%q, %.10q) = %d, want %d", tt.name, tt.head, got, tt.want)
		}
	}
}

func TestSniff(t *testing.T) {
	for head, want := range map[string]compression{
		"\x1f\x8b\x08":             gzipped,
		"\x28\xb5\x2f\xfd":         zstandard,
		"\x5a\x2a\x4d\x18\x00":     zstandard,
		"\xfd7zXZ\x00\x00":         xzipped,
		"BZh91AY&SY\x00":           bzipped,
		"BZh9 is a file's name":    plain,
		"":                         plain,
		"\x1f":                     plain,
		"blobs/sha256/0123456789a": plain,
	} {
		if got := sniff([]byte(head)); got != want {
			t.Errorf("sniff(%q) = %q, want %q", head, got, want)
		}
	}
}
