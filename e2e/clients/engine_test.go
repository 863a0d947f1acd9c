package clients

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// privately runs a program in a mount namespace, where it finds a file of hosts, and no
// containerd of the machine's, which would start containers outside the namespace.
const privately = `mount --bind "$0" /etc/hosts && mkdir -p /run/containerd && mount -t tmpfs none /run/containerd && exec "$@"`

// startEngine starts a Docker Engine of the test's own and returns its
// DOCKER_HOST. It leaves the machine's engine, its images and its network alone,
// and reaches registries through the server's proxy only, under their own names.
func startEngine(t *testing.T, env *testenv.Env) (dockerHost string) {
	t.Helper()
	dockerd := need(t, "dockerd")
	if os.Geteuid() != 0 {
		t.Fatal("the Docker Engine needs root")
	}
	// The path of a socket has to be short, and that of t.TempDir isn't.
	dir, err := os.MkdirTemp("", "engine-")
	testenv.Must(t, err)
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("the engine left something behind: %v", err)
		}
	})
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(
		os.WriteFile(in("daemon.json"), []byte("{}"), 0o600),
		// It looks each registry up, one at a time and for nothing: it asks the proxy.
		os.WriteFile(in("hosts"), []byte("127.0.0.1 localhost "+pullHost+" "+otherHost+"\n"), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	// Where the engine says it is ready, as it does to systemd.
	ready, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: in("ready.sock"), Net: "unixgram"})
	testenv.Must(t, err)
	defer ready.Close()
	log, err := os.Create(in("log"))
	testenv.Must(t, err)

	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", privately, in("hosts"), dockerd,
		"--host", "unix://"+in("docker.sock"),
		"--config-file", in("daemon.json"),
		"--data-root", in("data"),
		"--exec-root", in("run"),
		"--pidfile", in("pid"),
		"--storage-driver", "overlay2",
		"--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false",
	)
	cmd.Env = []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + dir,
		"HTTPS_PROXY=" + env.AWS.ProxyURL(),
		"SSL_CERT_FILE=" + filepath.Join(env.Home, "ca.pem"),
		"NOTIFY_SOCKET=" + in("ready.sock"),
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{
		// What it mounts is gone with it, however it ends.
		Unshareflags: syscall.CLONE_NEWNS,
		// A test process that is killed takes the engine with it. What counts as
		// the parent's death is that of the thread, which waits for the child.
		Pdeathsig: syscall.SIGTERM,
	}
	ended := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := cmd.Run()
		log.Close()
		ready.Close() // nobody waits for an engine that has ended
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})

	ready.SetReadDeadline(time.Now().Add(runTimeout))
	if _, err := ready.Read(make([]byte, 64)); err != nil {
		stop()
		exit := <-ended
		ended <- exit // for the cleanup
		text, _ := os.ReadFile(in("log"))
		t.Fatalf("the Docker Engine doesn't start (%v, %v); its log ends with\n%s", err, exit, text[max(0, len(text)-2000):])
	}
	return "unix://" + in("docker.sock")
}
