package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Environment variables of a test run. .ci/run sets the first, so that a test that can't run there
// fails. "make test" sets the second, and prints the file at its end.
const (
	// everythingVariable, if not empty, makes a test fail that would be omitted.
	everythingVariable = "ECR_LOGIN_TEST_EVERYTHING"
	// omittedVariable names a file to which a line is added for each omitted test.
	omittedVariable = "ECR_LOGIN_TEST_OMITTED"
)

// Require skips a test if err isn't nil: err says what the machine lacks. If
// ECR_LOGIN_TEST_EVERYTHING is set, the test fails instead.
func Require(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if failure := Omit(t.Name(), err); failure != nil {
		t.Fatal(failure)
	}
	t.Skip(err)
}

var omitted sync.Map

// Omit writes a line that says which test is omitted and why, once for each name. It returns an
// error if ECR_LOGIN_TEST_EVERYTHING is set.
func Omit(name string, why error) error {
	switch {
	case why == nil:
		return nil
	case os.Getenv(everythingVariable) != "":
		return fmt.Errorf("%s can't run here, and %s is set: %w", name, everythingVariable, why)
	}
	if _, done := omitted.LoadOrStore(name, true); done {
		return nil
	}
	line := fmt.Sprintf("omitted: %s: %v\n", name, why)
	f, err := os.OpenFile(os.Getenv(omittedVariable), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		fmt.Fprint(os.Stderr, line)
		return nil
	}
	defer f.Close()
	_, err = f.WriteString(line)
	return err
}

// InNamespaces returns the attributes of a process that is root in its own user namespace and in
// the other namespaces that the flags name.
func InNamespaces(flags uintptr) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | flags,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}

// TryNamespaces runs a command in new namespaces that the flags name. The error says that this
// machine refuses them. A default container and a chroot do, and some distributions do for all
// users but root.
func TryNamespaces(flags uintptr, args ...string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = InNamespaces(flags)
	out, err := cmd.CombinedOutput()
	if err != nil {
		output := strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", " ")
		return fmt.Errorf("this machine refuses namespaces: %w %s", err, output)
	}
	return nil
}
