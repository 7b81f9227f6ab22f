//go:build !windows

package tui

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// suspend gives the terminal back and stops the process group, as the terminal
// would have done by itself, until it is continued.
func (u *ui) suspend() { u.app.Suspend(stopGroup) }

// stopWait is how long a stop may take to take hold.
const stopWait = 500 * time.Millisecond

// stopGroup stops the process group and returns once it is continued: another
// thread may get the signal, and this one must not take the terminal back
// before. With no shell to continue it, the kernel doesn't stop the group.
func stopGroup() {
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	if syscall.Kill(0, syscall.SIGTSTP) != nil {
		return
	}
	select {
	case <-continued:
	case <-time.After(stopWait):
	}
}
