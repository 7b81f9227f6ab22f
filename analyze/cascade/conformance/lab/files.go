package lab

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// files answers, as a proxy, for every host there is: with the repository for
// paths that have ".git" in them, else with a file that follows from the last
// part of the path.
type files struct {
	git string // folder that "app.git" is in
}

func (f *files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.Path, ".git") {
		git, err := exec.LookPath("git")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		(&cgi.Handler{Path: git, Args: []string{"http-backend"}, InheritEnv: []string{"PATH"}, Stderr: io.Discard,
			Env: []string{"GIT_PROJECT_ROOT=" + f.git, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "HOME=" + f.git,
				"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}}).ServeHTTP(w, r)
		return
	}
	w.Header().Set("Last-Modified", time.Unix(1_700_000_000, 0).UTC().Format(http.TimeFormat))
	fmt.Fprintf(w, "this is %s\n", path.Base(r.URL.Path))
}

// newRepository makes the repository "app.git" below dir, whose commits are the
// same each time: a branch main, a tag v1.
func newRepository(dir string) (string, error) {
	work := filepath.Join(dir, "work")
	if err := os.MkdirAll(filepath.Join(work, "sub"), 0o755); err != nil {
		return "", err
	}
	for name, body := range map[string]string{"README": "app\n", "main.c": "int main;\n", "sub/lib.c": "int lib;\n"} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(body), 0o644); err != nil {
			return "", err
		}
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main", "."}, {"add", "."}, {"commit", "-q", "-m", "one"}, {"tag", "v1"},
		{"commit", "-q", "--allow-empty", "-m", "two"},
		{"clone", "-q", "--bare", ".", "../app.git"}, {"-C", "../app.git", "config", "uploadpack.allowAnySHA1InWant", "true"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = work
		const who, when = "lab", "2024-01-02T03:04:05Z"
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=" + who, "GIT_AUTHOR_EMAIL=" + who,
			"GIT_COMMITTER_NAME=" + who, "GIT_COMMITTER_EMAIL=" + who, "GIT_AUTHOR_DATE=" + when, "GIT_COMMITTER_DATE=" + when}
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("git %s: %w: %s", args[0], err, out)
		}
	}
	return dir, nil
}
