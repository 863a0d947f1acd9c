package scripts

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// insideVariable is set in the child process of TestNamespace.
const insideVariable = "ECR_LOGIN_TEST_NAMESPACE"

// TestNamespace runs tests that need AWS's link-local addresses, a user without a home, or a file
// below /etc. It runs them in a child process in its own namespaces. There these addresses are on
// the loopback device, there are no others, and /etc can be changed.
func TestNamespace(t *testing.T) {
	if os.Getenv(insideVariable) != "" {
		t.Run("metadata", insideMetadata)
		t.Run("container", insideContainer)
		t.Run("no home", insideNoHome)
		t.Run("machine map", insideMachineMap)
		return
	}
	const flags = syscall.CLONE_NEWNET | syscall.CLONE_NEWNS
	testenv.Require(t, testenv.TryNamespaces(flags, "mount", "-t", "tmpfs", "tmpfs", "/etc"))
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNamespace$", "-test.v")
	cmd.Env = append(os.Environ(), testenv.BinaryVariable+"="+testenv.Binary(t), insideVariable+"=1")
	cmd.SysProcAttr = testenv.InNamespaces(flags)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("in namespaces of its own: %v\n%s", err, out)
	}
	for _, want := range []string{"metadata", "container/ECS", "container/EKS", "no_home", "machine_map"} {
		if !strings.Contains(string(out), "--- PASS: TestNamespace/"+want) {
			t.Errorf("%s did not run:\n%s", want, out)
		}
	}
}

// newEnvInNamespace returns an Env for the child process. Its environment has a proxy for HTTP,
// too, and no variable that names an endpoint.
func newEnvInNamespace(t *testing.T) *testenv.Env {
	t.Helper()
	for _, address := range []string{"127.0.0.1", "169.254.169.254", "169.254.170.2", "169.254.170.23"} {
		if err := addAddress(address); err != nil {
			t.Fatalf("%s: %v", address, err)
		}
	}
	env := testenv.New(t)
	env.Set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "HTTP_PROXY="+env.AWS.ProxyURL(), "http_proxy="+env.AWS.ProxyURL())
	serve(t, "169.254.169.254:80", env.AWS.MetadataHandler())
	serve(t, "169.254.170.2:80", env.AWS.ContainerHandler())
	serve(t, "169.254.170.23:80", env.AWS.ContainerHandler())
	return env
}

// mustStayDirect fails the test if a request to a link-local address went through the proxy.
func mustStayDirect(t *testing.T, env *testenv.Env) {
	t.Helper()
	for _, host := range env.AWS.Connects() {
		if !strings.HasSuffix(host, ".amazonaws.com") {
			t.Errorf("the proxy was asked for %s", host)
		}
	}
	if len(env.AWS.Connects()) == 0 {
		t.Error("the proxy was not used at all")
	}
}

func insideMetadata(t *testing.T) {
	env := newEnvInNamespace(t)
	env.AWS.SetInstanceRole(testenv.RunnerRole)
	env.AWS.SetInstanceRegion("eu-west-1")
	env.Password(t, testenv.Host)
	mustStayDirect(t, env)
	mustCount(t, env, map[string]int{"imds:token": 1, "imds:roles": 1, "imds:credentials": 1, "ecr:GetAuthorizationToken": 1})

	// The same with a role that is assumed as the instance.
	env.AWS.AddRole(awstest.Role{ARN: testenv.PullRole, Trusts: []string{testenv.RunnerRole}})
	env.Set("AWS_ECR_ROLE_ARN=" + testenv.PullRole)
	env.AWS.ResetCounts()
	env.Password(t, testenv.Host)
	mustStayDirect(t, env)
	mustCount(t, env, map[string]int{"imds:token": 1, "imds:roles": 1, "imds:credentials": 1, "sts:AssumeRole": 1, "ecr:GetAuthorizationToken": 1})
	env.Set("AWS_ECR_ROLE_ARN")

	// The same for the region, and with a mode for which the SDK calls the service.
	env.Set("AWS_DEFAULTS_MODE=auto")
	if r := env.Run(t, "list", ""); !strings.Contains(r.Stdout, "111111111111.dkr.ecr.eu-west-1.") {
		t.Errorf("list: %q, stderr %q", r.Stdout, r.Stderr)
	}
	mustStayDirect(t, env)
}

func insideContainer(t *testing.T) {
	for name, variable := range map[string]string{
		"ECS": "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/42",
		"EKS": "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials",
	} {
		t.Run(name, func(t *testing.T) {
			env := newEnvInNamespace(t)
			env.AWS.SetContainerRole(testenv.RunnerRole, "")
			env.Set(variable)
			env.Password(t, testenv.Host)
			mustStayDirect(t, env)
			mustCount(t, env, map[string]int{"container:credentials": 1, "ecr:GetAuthorizationToken": 1})
			env.AWS.ResetCounts()
			env.Password(t, testenv.Host)
			mustCount(t, env, nil)
		})
	}
}

// A user has no home, neither in HOME nor in /etc/passwd. A get works without the cache and without
// a message, and reads nothing below the working directory.
func insideNoHome(t *testing.T) {
	const unknownUser = 54321
	env := newEnvInNamespace(t)
	env.AWS.AddUser(testenv.UserARN, testenv.KeyID, testenv.Secret)
	env.Write(t, ".aws/config", "[default]\ncredential_process = touch "+env.Home+"/was-read\n"+
		"endpoint_url = http://169.254.169.254/\n")
	env.Write(t, ".aws/credentials", "[default]\naws_access_key_id = stranger\naws_secret_access_key = s\n")
	env.Set("AWS_ACCESS_KEY_ID="+testenv.KeyID, "AWS_SECRET_ACCESS_KEY="+testenv.Secret)
	before := files(t, env.Home)
	for _, home := range []string{"HOME", "HOME=", "HOME=."} {
		env.Set(home)
		for range 2 {
			cmd := env.Command(t.Context(), "get", testenv.Host)
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Cloneflags:  syscall.CLONE_NEWUSER,
				UidMappings: []syscall.SysProcIDMap{{ContainerID: unknownUser, HostID: 0, Size: 1}},
				GidMappings: []syscall.SysProcIDMap{{ContainerID: unknownUser, HostID: 0, Size: 1}},
			}
			r, err := testenv.Capture(cmd)
			if _, passwordErr := r.Password(); err != nil || passwordErr != nil {
				t.Errorf("%s: %v, %v", home, err, passwordErr)
			}
		}
	}
	mustCount(t, env, map[string]int{"ecr:GetAuthorizationToken": 6})
	if after := files(t, env.Home); after != before {
		t.Errorf("files before:\n%s\nand after:\n%s", before, after)
	}
}

// The registry map of the machine is for users who have no map.
func insideMachineMap(t *testing.T) {
	testenv.Must(t, syscall.Mount("tmpfs", "/etc", "tmpfs", 0, ""))
	t.Cleanup(func() { syscall.Unmount("/etc", syscall.MNT_DETACH) })
	env := newEnvInNamespace(t)
	env.AWS.AddUser(testenv.UserARN, testenv.KeyID, testenv.Secret)
	env.Set("AWS_ACCESS_KEY_ID="+testenv.KeyID, "AWS_SECRET_ACCESS_KEY="+testenv.Secret)
	const hosts = "[[registry]]\nhost = %q\n"
	testenv.Must(t, os.Mkdir("/etc/ecr-login", 0o755))
	if err := os.WriteFile("/etc/ecr-login/config.toml", fmt.Appendf(nil, hosts, testenv.Host), 0o644); err != nil {
		t.Fatal(err)
	}
	mustList := func(want string) {
		t.Helper()
		if r := env.Run(t, "list", ""); r.Stdout != want || r.Stderr != "" {
			t.Errorf("list: %q, want %q; stderr %q", r.Stdout, want, r.Stderr)
		}
	}
	machine := `{"https://` + testenv.Host + `":"AWS"}` + "\n"
	mustList(machine)
	const own = "333333333333.dkr.ecr.eu-west-1.amazonaws.com"
	env.Write(t, ".ecr/config.toml", fmt.Sprintf(hosts, own))
	mustList(`{"https://` + own + `":"AWS"}` + "\n")
	// The home is in /etc/passwd alone.
	testenv.Must(t, os.WriteFile("/etc/passwd", fmt.Appendf(nil, "root:x:0:0::%s:/bin/sh\n", env.Home), 0o644))
	env.Set("HOME")
	mustList(`{"https://` + own + `":"AWS"}` + "\n")
	env.Set("HOME=/nowhere")
	mustList(machine)
	testenv.Must(t, os.Chmod("/etc/ecr-login/config.toml", 0o666))
	if r := env.Run(t, "list", ""); r.Stdout != "{}\n" || !strings.Contains(r.Stderr, "/etc/ecr-login/config.toml: others can write it") {
		t.Errorf("list with a map that others can write: %q, stderr %q", r.Stdout, r.Stderr)
	}
}

// files returns the paths below a directory.
func files(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		all = append(all, path)
		return err
	})
	testenv.Must(t, err)
	return strings.Join(all, "\n")
}

func serve(t *testing.T, address string, h http.Handler) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	testenv.Must(t, err)
	s := &http.Server{Handler: h}
	t.Cleanup(func() { s.Close() })
	go s.Serve(l)
}

// addAddress adds an address to the namespace's loopback device and brings it up.
func addAddress(address string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	device := "lo"
	if address != "127.0.0.1" {
		device = "lo:" + address[strings.LastIndexByte(address, '.')+1:]
	}
	ifr, err := unix.NewIfreq(device)
	if err != nil {
		return err
	}
	addressErr := ifr.SetInet4Addr(net.ParseIP(address).To4())
	addressErr = errors.Join(addressErr, unix.IoctlIfreq(fd, unix.SIOCSIFADDR, ifr))
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING | unix.IFF_LOOPBACK)
	return errors.Join(addressErr, unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr))
}
