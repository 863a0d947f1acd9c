package root

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// A system call fails each time, as it does on a disk that is broken, full or doesn't support it.
func TestSystemCall(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("strace is missing (e2e/install installs it): %v", err)
	}
	for _, call := range []string{
		"flock:error=ENOLCK", "flock:error=ENOSYS", "flock:error=EINTR:when=1",
		"renameat:error=EIO", "renameat:error=EROFS", "renameat:error=ENOSPC",
		"mkdirat:error=EROFS", "mkdirat:error=EDQUOT",
		"unlinkat:error=EPERM", "fchmodat:error=EPERM", "fchmod:error=EPERM",
		"getdents64:error=EIO", "newfstatat:error=EIO:when=4+", "fstat:error=EIO",
		"getrandom:error=ENOSYS",
	} {
		t.Run(call, func(t *testing.T) {
			env, fault := testenv.WithKeys(t), testenv.NewFault(t)
			out := filepath.Join(env.Home, "strace")
			inject := func() {
				t.Helper()
				fault.Check(t, env, env.Run(t, "get", testenv.Host, strace, "-f", "-qqq", "-A", "-o", out, "-e", "inject="+call), testenv.UserARN)
			}
			for range 3 {
				inject()
			}
			fault.MustGet(t, env, testenv.UserARN)
			inject()
			fault.MustGet(t, env, testenv.UserARN)
			if text, err := os.ReadFile(out); err != nil || !strings.Contains(string(text), "(INJECTED)") {
				fault.Errorf(t, "the helper never made the call: %v", err)
			}
		})
	}
}

// The credentials file is empty while the SDK reads it, and then has its text again. No token of
// the instance's own role is served or cached for the role of the file.
func TestFileEmptyWhileRead(t *testing.T) {
	strace, err := exec.LookPath("strace")
	testenv.Must(t, err)
	env, fault := testenv.OnInstance(t), testenv.NewFault(t)
	file := filepath.Join(env.Home, ".aws/credentials")
	text := testenv.ReadFile(t, file)
	for i := range 10 {
		testenv.Must(t, os.RemoveAll(filepath.Join(env.Home, ".ecr")))
		ended := make(chan struct{})
		time.AfterFunc(time.Duration(i+1)*200*time.Millisecond, func() {
			defer close(ended)
			env.Write(t, ".aws/credentials", "")
			time.Sleep(400 * time.Millisecond)
			env.Write(t, ".aws/credentials", string(text))
		})
		r := env.Run(t, "get", testenv.Host, strace, "-f", "-qqq", "-o", filepath.Join(env.Home, "strace"),
			"-P", file, "-e", "inject=openat:delay_enter=400000")
		fault.Check(t, env, r, "assumed-role/pull/")
		<-ended
		fault.MustGet(t, env, "assumed-role/pull/")
	}
}

// No file is readable by others at any moment, whatever the umask: files are made with mode 0600
// and directories with 0700.
func TestFileModes(t *testing.T) {
	strace, err := exec.LookPath("strace")
	testenv.Must(t, err)
	env, fault := testenv.WithKeys(t), testenv.NewFault(t)
	env.Set("AWS_ECR_LOG_LEVEL=debug")
	out := filepath.Join(env.Home, "strace")
	r := env.Run(t, "get", testenv.Host, "sh", "-c", "umask 0; exec "+strace+` -f -o `+out+` -e trace=open,openat,mkdir,mkdirat,chmod,fchmod,fchmodat "$0" "$@"`)
	fault.Check(t, env, r, testenv.UserARN)
	text := testenv.ReadFile(t, out)
	made := regexp.MustCompile(`(?m)^.*(?:O_CREAT.*, 0(\d+)\)|mkdir(?:at)?\(.*, 0(\d+)\)|chmod(?:at2?)?\(.*, 0(\d+)[,)]).*$`).FindAllStringSubmatch(string(text), -1)
	if len(made) < 5 {
		t.Fatalf("%d files were made, which can't be all:\n%s", len(made), text)
	}
	for _, m := range made {
		if mode := m[1] + m[2] + m[3]; mode != "600" && mode != "700" {
			fault.Errorf(t, "mode %s: %s", mode, m[0])
		}
	}
}
