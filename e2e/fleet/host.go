package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

const insideVariable = "ECR_LOGIN_FLEET"

// inNamespaces runs a function where boot ids can be changed: in another process like this one,
// in namespaces of its own. It needs unprivileged user namespaces, or root.
func inNamespaces(run func() int) (status int) {
	if os.Getenv(insideVariable) != "" {
		return run()
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		os.Stderr.WriteString("fleet: in namespaces of its own: " + err.Error() + "\n")
		return 1
	}
	return cmd.ProcessState.ExitCode()
}

// A host starts processes under a boot id of its own.
type host struct {
	starts  chan *exec.Cmd
	started chan error
}

// boot makes a host whose boot id is what a file holds.
func boot(id string) (*host, error) {
	h := &host{make(chan *exec.Cmd), make(chan error)}
	go func() {
		// The thread's mounts are the host's. It is never unlocked, so that it ends with
		// the goroutine.
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNS)
		if err == nil {
			err = unix.Mount(id, "/proc/sys/kernel/random/boot_id", "", unix.MS_BIND, "")
		}
		h.started <- err
		for cmd := range h.starts {
			h.started <- cmd.Start()
		}
	}()
	return h, <-h.started
}

func (h *host) start(cmd *exec.Cmd) error {
	h.starts <- cmd
	return <-h.started
}

// halt ends the host. Nothing can be started on it any more.
func (h *host) halt() { close(h.starts) }
