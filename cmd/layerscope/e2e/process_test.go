//go:build linux

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a part of the lab that runs by its side.
type process struct {
	*exec.Cmd
	name string
	done chan struct{}
}

// start starts a command, out of reach of the terminal's Ctrl-C, and waits
// until ready says it is of use.
func (l *lab) start(name string, cmd *exec.Cmd, ready func() error) error {
	log, err := os.Create(l.path("log", name))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &process{Cmd: cmd, name: name, done: make(chan struct{})}
	l.processes = append(l.processes, p)
	go func() {
		cmd.Wait()
		close(p.done)
	}()
	return p.await(ready, log.Name())
}

// startTime is how long a part has to get ready, stopTime to end.
const (
	startTime = 60 * time.Second
	stopTime  = 20 * time.Second
)

// await waits until ready succeeds.
func (p *process) await(ready func() error, log string) error {
	deadline := time.After(startTime)
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			said, _ := os.ReadFile(log)
			said = said[max(0, len(said)-2000):]
			return fmt.Errorf("%s: %s: %s", p.name, p.ProcessState, bytes.TrimSpace(said))
		case <-deadline:
			return fmt.Errorf("%s isn't ready: %w", p.name, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop ends the process.
func (p *process) stop() {
	p.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopTime):
		p.Process.Kill()
		<-p.done
	}
}

// answers makes a check that something listens at an address.
func answers(network, address string) func() error {
	return func() error {
		c, err := net.Dial(network, address)
		if err == nil {
			c.Close()
		}
		return err
	}
}

// freePort returns a loopback address that nobody listens at.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// adoptOrphans makes this process the parent of all that its descendants leave
// behind (prctl(2), PR_SET_CHILD_SUBREAPER), so that endOrphans finds it: the
// shims of an engine, tmux's server, what a test started before it panicked.
func adoptOrphans() error {
	const setChildSubreaper = 36
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0); errno != 0 {
		return fmt.Errorf("adopting orphans: %w", errno)
	}
	return nil
}

// endOrphans ends all processes that descend from this one. Those whose
// parents it ends become its children, and so their turn comes too.
func endOrphans() {
	for {
		pids := children(os.Getpid())
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			syscall.Kill(pid, syscall.SIGKILL)
			syscall.Wait4(pid, nil, 0, nil)
		}
	}
}

// children returns the children of a process.
func children(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		b, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state ppid …; the name may hold anything.
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// unmountBelow unmounts what engines and builders left mounted in a folder.
func unmountBelow(dir string) error {
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	lines := strings.Split(string(b), "\n")
	slices.Reverse(lines) // what was mounted last may stand in what was mounted before
	var errs []error
	for _, line := range lines {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], dir+"/") {
			if err := syscall.Unmount(f[1], 0); err != nil {
				errs = append(errs, fmt.Errorf("unmounting %s: %w", f[1], err))
			}
		}
	}
	return errors.Join(errs...)
}
