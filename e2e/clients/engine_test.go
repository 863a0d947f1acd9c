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

// privately is a shell command that runs a program in a mount namespace with another hosts file.
// The program doesn't find the machine's containerd, which would start containers outside the
// namespace.
const privately = `mount --bind "$0" /etc/hosts && mkdir -p /run/containerd && mount -t tmpfs none /run/containerd && exec "$@"`

// startEngine starts a Docker Engine for one test and returns its DOCKER_HOST. It doesn't change
// the machine's engine, images and network, and reaches registries through the server's proxy
// alone.
func startEngine(t *testing.T, env *testenv.Env) (dockerHost string) {
	t.Helper()
	dockerd := need(t, "dockerd")
	if os.Geteuid() != 0 {
		t.Fatal("the Docker Engine needs root")
	}
	// The path of a socket must be short, and that of t.TempDir is long.
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
		// The engine looks up each registry, one at a time, though it connects to the proxy.
		os.WriteFile(in("hosts"), []byte("127.0.0.1 localhost "+pullHost+" "+otherHost+"\n"), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	// The engine reports here that it is ready, as it does to systemd.
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
		// Its mounts end with the process.
		Unshareflags: syscall.CLONE_NEWNS,
		// The engine ends if the test process is killed. The kernel sends the signal at the end of
		// the thread that started the child, so that thread waits for it.
		Pdeathsig: syscall.SIGTERM,
	}
	ended := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := cmd.Run()
		log.Close()
		ready.Close() // ends the wait below
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
