//go:build linux

// Package lab runs real builders and tells what they did: which of a
// Dockerfile's steps ran, and which came out of the cache. The common calls
// are [Main], [Open] and [Lab.BuildKit].
//
// Nothing of it leaves the machine. Images come from a registry on loopback
// that has every image there is a name for, all of the same one layer, in which
// npm, go, pip and their like are scripts whose output follows from the files
// that the real ones read. What is fetched by URL comes from a proxy there.
package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// insideEnv is set, to the lab's folder, for the process that runs the tests.
const insideEnv = "LAYERSCOPE_LAB"

// Main runs a package's tests so that they may open a lab: as root in a second
// process that has its own table of processes and its own mounts. When it ends,
// well or badly, the kernel ends all that it started and unmounts all that it
// mounted.
func Main(m *testing.M) int {
	if _, inside := os.LookupEnv(insideEnv); inside {
		if err := settleIn(); err != nil {
			fmt.Fprintln(os.Stderr, "lab:", err)
			return 2
		}
		return m.Run()
	}
	if os.Getuid() != 0 {
		return m.Run()
	}
	code, err := supervise()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		return 2
	}
	return code
}

// supervise runs this program again, for the tests, and returns its exit code.
func supervise() (code int, err error) {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	dir, err := os.MkdirTemp("", "lab-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.Remove(dir)) }() // what was in it was in a mount
	tests := exec.Command(os.Args[0], os.Args[1:]...)
	tests.Env = append(os.Environ(), insideEnv+"="+dir)
	tests.Stdin, tests.Stdout, tests.Stderr = os.Stdin, os.Stdout, os.Stderr
	tests.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	if err := tests.Start(); err != nil {
		return 0, err
	}
	done := make(chan error, 1)
	go func() { done <- tests.Wait() }()
	select {
	case <-interrupts:
		tests.Process.Kill()
		<-done
		return 0, errors.New("interrupted")
	case err := <-done:
		if code := tests.ProcessState.ExitCode(); code > 0 {
			return code, nil // the tests have said why
		}
		return 0, err
	}
}

// settleIn makes the mounts that the tests' process wants: a proc of its own
// processes, and a folder in memory, which is quick and which an overlay can
// stand on wherever the machine's own files are.
func settleIn() error {
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mounting proc: %w", err)
	}
	dir := os.Getenv(insideEnv)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("mounting a folder in memory: %w", err)
	}
	// Daemons look for their helpers where only root's PATH leads.
	return os.Setenv("PATH", strings.TrimSuffix(os.Getenv("PATH"), ":")+":/usr/local/sbin:/usr/sbin:/sbin")
}
