package source

import (
	"testing"
)

func TestMemberName(t *testing.T) {
	for name, want := range map[string]string{
		"a": "a", "./a": "a", "/a": "a", "a/": "a", "a//b/./c/../d": "a/b/d", "../../etc/x": "etc/x", ".": "", "": "",
	} {
		if got := memberName(name); got != want {
			t.Errorf("memberName(%q) = %q, want %q", name, got, want)
		}
	}
}
