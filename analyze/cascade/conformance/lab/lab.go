//go:build linux

package lab

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Lab is what builders need around them. [Open] makes it.
type Lab struct {
	Dir      string // all of the lab's files are below it, in memory
	Bases    *Bases
	Registry string // host:port of a registry that has the Bases
	Proxy    string // URL of a proxy that answers for all hosts

	processes []*process
	servers   []*http.Server
}

// Open starts a lab, for tests that [Main] runs. It is closed when the test
// ends. Where there can't be one the test is skipped, which in CI is a failure.
func Open(t testing.TB) *Lab {
	t.Helper()
	if _, inside := os.LookupEnv(insideEnv); !inside {
		Lacks(t, errors.New("only root can run builders"))
	}
	dir, err := os.MkdirTemp(os.Getenv(insideEnv), "")
	if err != nil {
		t.Fatal(err)
	}
	l := &Lab{Dir: dir}
	t.Cleanup(l.close)
	t.Cleanup(func() {
		if t.Failed() {
			l.printLogs(t)
		}
	})
	if l.Bases, err = NewBases(); err != nil {
		Lacks(t, err)
	}
	repository, err := newRepository(l.path("git"))
	if err != nil {
		t.Fatal(err)
	}
	if l.Registry, err = l.serve(l.Bases); err != nil {
		t.Fatal(err)
	}
	proxy, err := l.serve(&files{git: repository})
	if err != nil {
		t.Fatal(err)
	}
	l.Proxy = "http://" + proxy
	return l
}

// Lacks skips a test for want of something; in CI it fails it.
func Lacks(t testing.TB, why error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// close ends what the lab started.
func (l *Lab) close() {
	for i := len(l.processes) - 1; i >= 0; i-- {
		l.processes[i].stop()
	}
	for _, s := range l.servers {
		s.Close()
	}
}

func (l *Lab) path(elem ...string) string {
	return filepath.Join(append([]string{l.Dir}, elem...)...)
}

// serve answers requests at an address on loopback, which it returns.
func (l *Lab) serve(h http.Handler) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	l.servers = append(l.servers, s)
	go s.Serve(listener)
	return listener.Addr().String(), nil
}

// process is a daemon of the lab.
type process struct {
	*exec.Cmd
	name, log string
	done      chan struct{}
}

// Start starts a daemon and waits until ready says it is of use. What it says
// is shown if the test fails.
func (l *Lab) Start(name string, cmd *exec.Cmd, ready func() error) error {
	log, err := os.Create(l.path(name + ".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // out of reach of the terminal's Ctrl-C
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &process{Cmd: cmd, name: name, log: log.Name(), done: make(chan struct{})}
	l.processes = append(l.processes, p)
	go func() {
		cmd.Wait()
		close(p.done)
	}()
	return p.await(ready)
}

// startTime is how long a daemon has to get ready, stopTime to end.
const (
	startTime = 60 * time.Second
	stopTime  = 20 * time.Second
)

func (p *process) await(ready func() error) error {
	deadline := time.After(startTime)
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s: %s: %s", p.name, p.ProcessState, p.said())
		case <-deadline:
			return fmt.Errorf("%s isn't ready: %w", p.name, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *process) stop() {
	p.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopTime):
		p.Process.Kill()
		<-p.done
	}
}

// said is the end of what the process said.
func (p *process) said() []byte {
	said, _ := os.ReadFile(p.log)
	return bytes.TrimSpace(said[max(0, len(said)-2000):])
}

func (l *Lab) printLogs(t testing.TB) {
	for _, p := range l.processes {
		t.Logf("%s said last:\n%s", p.name, p.said())
	}
}

// Answers makes a check that something listens at an address.
func Answers(network, address string) func() error {
	return func() error {
		c, err := net.Dial(network, address)
		if err == nil {
			c.Close()
		}
		return err
	}
}
