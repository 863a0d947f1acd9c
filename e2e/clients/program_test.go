package clients

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// need returns the path of a program. If it isn't installed, the test fails: a client that is
// missing hasn't been tested.
func need(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%s is missing, and make e2e needs it (e2e/install installs it): %v", program, err)
	}
	return path
}

// installed returns the path and the version of a program of the machine.
func installed(t *testing.T, program string) (path, version string) {
	t.Helper()
	path = need(t, program)
	out, err := exec.CommandContext(t.Context(), path, "--version").Output()
	if err != nil {
		t.Fatalf("%s --version: %v", program, err)
	}
	version = regexp.MustCompile(`\d+\.\d+[0-9.]*`).FindString(string(out))
	if version == "" {
		t.Fatalf("%s --version prints none: %q", program, out)
	}
	return path, version
}

// built returns the path and the version of a program that e2e/install has built.
func built(t *testing.T, program string) (path, version string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(testenv.Root(), "dist/clients", program+"@v*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s is missing, and make e2e needs it (e2e/install builds it): %v", program, err)
	}
	path = paths[len(paths)-1]
	_, version, _ = strings.Cut(filepath.Base(path), "@v")
	version, _, _ = strings.Cut(version, "+")
	return path, version
}

// moduleVersion returns the version of a module that the tests are built with.
func moduleVersion(t *testing.T, module string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", module)
	cmd.Dir = filepath.Join(testenv.Root(), "e2e")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	version, _, _ := strings.Cut(strings.TrimSpace(string(out)), "+")
	return strings.TrimPrefix(version, "v")
}
