package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	name = "docker-credential-ecr-login"
	peer = "github.com/awslabs/amazon-ecr-credential-helper/ecr-login/cli/docker-credential-ecr-login@v0.12.0"
)

// programs are the paths of what is measured, and of what helps to measure it.
type programs struct{ us, peer, floor, launch string }

// build builds everything with the same flags: static, without symbols. The peer is
// installed as its README says, into a folder of its own.
func build(ctx context.Context, dir string) (programs, error) {
	p := programs{
		us:     filepath.Join(dir, "us", name),
		peer:   filepath.Join(dir, "peer", name),
		floor:  filepath.Join(dir, "floor"),
		launch: filepath.Join(dir, "launch"),
	}
	here := filepath.Join(root(), "e2e")
	flags := []string{"-trimpath", "-ldflags", "-s -w"}
	for _, step := range []struct {
		env  []string
		args []string
	}{
		{nil, []string{"make", "-s", "-C", root(), "build", "OUT=" + p.us}},
		{[]string{"GOBIN=" + filepath.Dir(p.peer)}, append(append([]string{"go", "install"}, flags...), peer)},
		{nil, append(append([]string{"go", "build"}, flags...), "-o", p.floor, "./bench/floor")},
		{nil, append(append([]string{"go", "build"}, flags...), "-o", p.launch, "./bench/launch")},
	} {
		cmd := exec.CommandContext(ctx, step.args[0], step.args[1:]...)
		cmd.Dir = here
		cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), step.env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return p, fmt.Errorf("%s: %w\n%s", strings.Join(step.args, " "), err, out)
		}
	}
	return p, nil
}
