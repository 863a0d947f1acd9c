package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// insideVariable is set in the child process of inNamespaces.
const insideVariable = "ECR_LOGIN_FLEETSIM"

// inNamespaces runs a function in a child process that can change its boot ID, in its own
// namespaces. If the machine refuses these, the function runs in this process and gets the reason.
func inNamespaces(run func(refused error) (status int)) (status int) {
	if os.Getenv(insideVariable) != "" {
		return run(nil)
	}
	if err := testenv.TryNamespaces(unix.CLONE_NEWNS, "mount", "--bind", "/proc/version", bootID); err != nil {
		return run(err)
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = testenv.InNamespaces(unix.CLONE_NEWNS)
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		os.Stderr.WriteString("fleetsim: in namespaces of its own: " + err.Error() + "\n")
		return 1
	}
	return cmd.ProcessState.ExitCode()
}

const bootID = "/proc/sys/kernel/random/boot_id"

// A host starts processes that see its own boot ID.
type host struct {
	starts  chan *exec.Cmd
	started chan error
}

// boot returns a host whose boot ID is in a file.
func boot(id string) (*host, error) {
	h := &host{make(chan *exec.Cmd), make(chan error)}
	go func() {
		// The mounts belong to the thread. It stays locked, so that it ends with the goroutine.
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNS)
		if err == nil {
			err = unix.Mount(id, bootID, "", unix.MS_BIND, "")
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

// halt ends the host. It can't start processes any more.
func (h *host) halt() { close(h.starts) }
