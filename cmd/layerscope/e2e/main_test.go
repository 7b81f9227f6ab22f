//go:build linux

// Package e2e holds layerscope, as it is built and run, against the real
// parts: a Docker Engine, registries, podman, skopeo, buildah, ssh, docker's
// own command and a terminal. What is expected comes from those, never from
// what layerscope once said.
//
//	make e2e                  # all of it
//	make e2e RUN=TestExport   # some
//
// docs/contributing.md says what that needs.
package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

const (
	askedEnv = "LAYERSCOPE_E2E"     // "1": run these tests
	labEnv   = "LAYERSCOPE_E2E_LAB" // the lab, as JSON; set for the process that runs the tests
)

// TestMain runs the tests in a second process. The first one sets up the lab
// and takes it down again however the second one ends: well, badly, in a panic
// or out of time.
func TestMain(m *testing.M) {
	where, inside := os.LookupEnv(labEnv)
	if os.Getenv(askedEnv) != "1" || inside {
		if err := json.Unmarshal([]byte(where), &theLab); inside && err != nil {
			panic(err)
		}
		os.Exit(m.Run())
	}
	code, err := supervise()
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
	}
	os.Exit(code)
}

func supervise() (code int, err error) {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	if err := adoptOrphans(); err != nil {
		return 2, err
	}
	l, err := openLab()
	if err != nil {
		return 2, err
	}
	defer func() {
		if code != 0 {
			l.printLogs(os.Stderr)
		}
		if closing := l.close(); closing != nil {
			code, err = 2, closing
		}
	}()
	return runTests(l, interrupts)
}

// runTests runs this program again, for the tests, and returns its exit code.
func runTests(l *lab, interrupts <-chan os.Signal) (int, error) {
	where, err := json.Marshal(l)
	if err != nil {
		return 2, err
	}
	tests := exec.Command(os.Args[0], os.Args[1:]...)
	tests.Env = append(os.Environ(), labEnv+"="+string(where))
	tests.Stdin, tests.Stdout, tests.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := tests.Start(); err != nil {
		return 2, err
	}
	done := make(chan error, 1)
	go func() { done <- tests.Wait() }()
	select {
	case <-interrupts:
		tests.Process.Kill()
		<-done
		return 2, fmt.Errorf("interrupted")
	case err := <-done:
		if code := tests.ProcessState.ExitCode(); code > 0 {
			return code, nil // the tests have said why
		}
		return 0, err
	}
}

// theLab is nil where nobody asked for these tests.
var theLab *lab

// open returns the lab. The test is skipped where that lacks something it
// needs, which in CI is a failure.
func open(t *testing.T, needs ...string) *lab {
	t.Helper()
	if theLab == nil {
		t.Skip("run make e2e")
	}
	var missing []string
	for _, need := range needs {
		if why, ok := theLab.Missing[need]; ok {
			missing = append(missing, need+": "+why)
		}
	}
	switch why := strings.Join(missing, "; "); {
	case why == "":
	case os.Getenv("CI") == "true":
		t.Fatal(why)
	default:
		t.Skip(why)
	}
	return theLab
}
