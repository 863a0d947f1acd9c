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

// Name is what the helper is called.
const Name = "docker-credential-ecr-login"

// PeerVersion is that of awslabs/amazon-ecr-credential-helper.
const PeerVersion = "v0.12.0"

const peer = "github.com/awslabs/amazon-ecr-credential-helper/ecr-login/cli/" + Name

// Root is the directory of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "../../..")
}

// BuildHelper builds the helper at a path.
func BuildHelper(ctx context.Context, path string) error {
	return BuildHelperVerbose(ctx, path, io.Discard)
}

// BuildHelperVerbose is [BuildHelper] that writes a line to w for each module it downloads and each package
// it compiles.
func BuildHelperVerbose(ctx context.Context, path string, w io.Writer) error {
	return run(ctx, w, Root(), "GOFLAGS=-v "+os.Getenv("GOFLAGS"), "make", "-s", "build", "OUT="+path)
}

// InstallPeer installs the peer, as its README says, into a directory of its own, and returns its path.
func InstallPeer(ctx context.Context, dir string) (path string, err error) {
	return filepath.Join(dir, Name), run(ctx, io.Discard, dir, "GOBIN="+dir, "go", "install", "-trimpath", "-ldflags", "-s -w", peer+"@"+PeerVersion)
}

// BuildGo builds a package at a path, from a directory of the module that knows it, with flags of go build.
func BuildGo(ctx context.Context, dir, pkg, path string, flags ...string) error {
	words := append([]string{"go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path}, flags...)
	return run(ctx, io.Discard, dir, "", append(words, pkg)...)
}

func run(ctx context.Context, progress io.Writer, dir, variable string, words ...string) error {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if variable != "" {
		cmd.Env = append(cmd.Env, variable)
	}
	cmd.Stdout = io.MultiWriter(&out, progress)
	cmd.Stderr = cmd.Stdout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(words, " "), err, out.Bytes())
	}
	return nil
}
