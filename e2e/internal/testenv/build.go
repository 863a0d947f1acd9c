package testenv

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Name is the name of the helper's program.
const Name = "docker-credential-ecr-login"

// PeerVersion is the version of awslabs/amazon-ecr-credential-helper that the helper is compared
// with.
const PeerVersion = "v0.12.0"

const peer = "github.com/awslabs/amazon-ecr-credential-helper/ecr-login/cli/" + Name

// Root returns the directory of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "../../..")
}

// BuildHelper builds the helper and writes it to path, with the flags of a release.
func BuildHelper(ctx context.Context, path string) error {
	return BuildHelperVerbose(ctx, path, io.Discard)
}

// BuildHelperVerbose does the same as [BuildHelper] and writes a line to w for each module it
// downloads and each package it compiles.
func BuildHelperVerbose(ctx context.Context, path string, w io.Writer) error {
	return run(ctx, w, Root(), "GOFLAGS=-v "+os.Getenv("GOFLAGS"), "make", "-s", "build", "OUT="+path)
}

// InstallPeer installs the awslabs helper into dir, as its README says, and returns its path.
func InstallPeer(ctx context.Context, dir string) (path string, err error) {
	return filepath.Join(dir, Name), run(ctx, io.Discard, dir, "GOBIN="+dir,
		"go", "install", "-trimpath", "-ldflags", "-s -w", peer+"@"+PeerVersion)
}

// BuildGo builds pkg and writes it to path. It runs in dir, which belongs to the module that has
// pkg in its go.mod. The flags are of go build and override the usual ones.
func BuildGo(ctx context.Context, dir, pkg, path string, flags ...string) error {
	args := append([]string{"go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path}, flags...)
	return run(ctx, io.Discard, dir, "", append(args, pkg)...)
}

// run runs a command in dir, with one more environment variable if variable isn't empty.
func run(ctx context.Context, progress io.Writer, dir, variable string, args ...string) error {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if variable != "" {
		cmd.Env = append(cmd.Env, variable)
	}
	cmd.Stdout = io.MultiWriter(&out, progress)
	cmd.Stderr = cmd.Stdout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out.Bytes())
	}
	return nil
}
