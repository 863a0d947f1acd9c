package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
	"time"
)

// TestScripts runs the tests of the built binary, package scripts of the module e2e. They need
// modules that the helper doesn't, so "go test" runs them in a child process. To run one script, see
// e2e/README.md.
func TestScripts(t *testing.T) {
	const root = "../.."
	if _, err := os.Stat(root + "/e2e/go.mod"); errors.Is(err, fs.ErrNotExist) {
		t.Skip("the module e2e isn't here")
	}
	recordInputs(t, root)
	args := []string{"-C", root + "/e2e", "test", "-count=1"}
	if testing.Short() {
		args = append(args, "-short")
	}
	if raceEnabled() {
		args = append(args, "-race")
	}
	if deadline, ok := t.Deadline(); ok {
		// The child ends first, so that its output says which test hangs.
		args = append(args, "-timeout="+(time.Until(deadline)*9/10).String())
	} else {
		args = append(args, "-timeout=0")
	}
	out, err := exec.CommandContext(t.Context(), "go", append(args, "./scripts")...).CombinedOutput()
	if err != nil {
		t.Fatalf("go %q: %v\n%s", args, err, out)
	}
	t.Logf("%s", out)
}

// recordInputs reads the environment variables, files and directories that the child process uses.
// Go records what a test reads, and so doesn't reuse a cached result after a change of them. The
// root directory itself can't be read, because each build changes the time of .git.
func recordInputs(t *testing.T, root string) {
	t.Helper()
	for _, name := range []string{"ECR_LOGIN_TEST_BINARY", "ECR_LOGIN_TEST_EVERYTHING", "ECR_LOGIN_TEST_OMITTED"} {
		os.Getenv(name)
	}
	for _, name := range []string{
		"Makefile", "README.md", "go.mod", "go.sum", "cache", "cmd", "docs", "e2e", "ecr", "internal", "testdata",
	} {
		err := filepath.WalkDir(filepath.Join(root, name), func(_ string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// raceEnabled reports whether the test was built with the race detector.
func raceEnabled() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
