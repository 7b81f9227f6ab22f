//go:build linux

package e2e

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// staller passes connections on and, once it has passed enough of what comes
// back, stops in the middle of it.
type staller struct {
	stalled chan struct{} // closed once it has stopped
	left    chan struct{} // closed when the client of a stalled connection leaves
	once    sync.Once
	leave   sync.Once
}

// enough is how many bytes come through: more than any answer about an image,
// less than the image.
const enough = 500_000

// stall listens at an address for another.
func stall(t *testing.T, network, listen, target string) *staller {
	t.Helper()
	l, err := net.Listen(network, listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &staller{stalled: make(chan struct{}), left: make(chan struct{})}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c, network, target)
		}
	}()
	return s
}

func (s *staller) serve(client net.Conn, network, target string) {
	defer client.Close()
	server, err := net.Dial(network, target)
	if err != nil {
		return
	}
	defer server.Close()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		io.Copy(server, client)
	}()
	if n, _ := io.CopyN(client, server, enough); n == enough {
		s.once.Do(func() { close(s.stalled) })
		<-gone
		s.leave.Do(func() { close(s.left) })
	}
}

// stallTCP listens at a port for another and returns its address.
func stallTCP(t *testing.T, target string) (address string, s *staller) {
	t.Helper()
	address, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return address, stall(t, "tcp", address, target)
}

// stalledRegistry returns the name of the image in a registry that stops in the
// middle of it, and what is closed when it has.
func (l *lab) stalledRegistry(t *testing.T, builder string) (name string, stalled <-chan struct{}) {
	t.Helper()
	name = l.pushed(t, builder)
	listen, s := stallTCP(t, l.Registry)
	return strings.Replace(name, l.Registry, listen, 1), s.stalled
}

// Ctrl-C ends everything at once, even in the middle of a read that won't end,
// and leaves nothing behind.
func TestInterrupt(t *testing.T) {
	l := open(t, engine, registry)
	name := l.built(t, classic)
	t.Run("engine", func(t *testing.T) {
		socket, ok := strings.CutPrefix(l.DockerHost, "unix://")
		if !ok {
			t.Skip("the engine isn't at a socket")
		}
		listen := l.path("stall.sock")
		s := stall(t, "unix", listen, socket)
		l.interrupt(t, s.stalled, nil, "--host", "unix://"+listen, "docker://"+name)
		within(t, s.left, "the engine's connection is closed")
	})
	t.Run("registry", func(t *testing.T) {
		listen, s := stallTCP(t, l.Registry)
		l.interrupt(t, s.stalled, nil, "registry://"+strings.Replace(l.pushed(t, classic), l.Registry, listen, 1))
		within(t, s.left, "the registry's connection is closed")
	})
	t.Run("stdin", func(t *testing.T) {
		archive, err := os.ReadFile(l.saved(t, classic))
		if err != nil {
			t.Fatal(err)
		}
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		written := make(chan struct{})
		go func() {
			w.Write(archive[:enough])
			close(written)
		}()
		l.interrupt(t, written, r, "-")
	})
}

// interrupt reports on an image, sends Ctrl-C's signal once reading has come to
// a halt, and checks how that ends.
func (l *lab) interrupt(t *testing.T, halted <-chan struct{}, stdin *os.File, args ...string) {
	t.Helper()
	tmp := t.TempDir()
	cmd := exec.Command(l.Binary, append([]string{"report"}, args...)...)
	cmd.Env = append(l.env(), "TMPDIR="+tmp)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if stdin != nil {
		cmd.Stdin = stdin
		defer stdin.Close()
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	within(t, halted, "reading comes to a halt")
	cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
		cmd.Process.Kill()
		<-ended
		t.Error("it went on for 2 seconds")
	}
	if code := cmd.ProcessState.ExitCode(); code != 130 || stdout.Len() > 0 || stderr.String() != "error: interrupted\n" {
		t.Errorf("exit code %d, standard output %q, standard error %q; want 130 and one error line", code, stdout.String(), stderr.String())
	}
	empty(t, tmp)
}

// within waits for what must happen soon.
func within(t *testing.T, happened <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(20 * time.Second):
		t.Fatalf("waited too long until %s", what)
	}
}

// empty checks that nothing was made in a folder.
func empty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s was left in %s", e.Name(), dir)
	}
}
