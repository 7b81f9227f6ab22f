package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// TestCompleteImage offers the images of a daemon, and waits for none that
// doesn't answer.
func TestCompleteImage(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	quit := make(chan struct{})
	daemon := func(list http.HandlerFunc) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("API-Version", "1.47")
			if strings.HasSuffix(r.URL.Path, "/images/json") {
				list(w, r)
			}
		}))
		t.Cleanup(s.Close)
		return "tcp://" + s.Listener.Addr().String()
	}
	answers := daemon(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `[{"RepoTags":["app:1","app:2"]},{"RepoTags":["tools:1"]}]`)
	})
	hangs := daemon(func(http.ResponseWriter, *http.Request) { <-quit })
	defer close(quit) // before the servers are closed
	for _, tt := range []struct {
		host  string
		args  []string
		begun string
		want  []string
	}{
		{answers, nil, "", []string{"app:1", "app:2", "tools:1"}},
		{answers, nil, "app:", []string{"app:1", "app:2"}},
		{answers, nil, "./app", nil},
		{answers, []string{"app:1"}, "", nil},
		{hangs, nil, "", nil},
		{"unix:///nowhere", nil, "", nil},
	} {
		a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr}
		a.host = tt.host
		cmd := &cobra.Command{}
		cmd.SetContext(t.Context())
		began := time.Now()
		got, directive := a.completeImage(cmd, tt.args, tt.begun)
		if len(got)+len(tt.want) > 0 && !cmp.Equal(got, tt.want) {
			t.Errorf("%s: offered for %q after %q: %q, want %q", tt.host, tt.begun, tt.args, got, tt.want)
		}
		if files := directive == cobra.ShellCompDirectiveDefault; files != (len(tt.args) == 0) {
			t.Errorf("%s: files are offered after %q: %v", tt.host, tt.args, files)
		}
		if took := time.Since(began); took > 10*completeWithin {
			t.Errorf("%s: it took %v", tt.host, took)
		}
	}
}
