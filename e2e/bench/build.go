package main

import (
	"context"
	"os"
	"path/filepath"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// programs are the paths of the programs that are measured, and of a tool that measures.
type programs struct{ helper, peer, floor, launch string }

// buildAll builds all programs with the same flags: static, without symbols.
func buildAll(ctx context.Context, dir string) (programs, error) {
	p := programs{
		helper: filepath.Join(dir, "us", testenv.Name),
		floor:  filepath.Join(dir, "floor"),
		launch: filepath.Join(dir, "launch"),
	}
	peer := filepath.Join(dir, "peer")
	if err := os.Mkdir(peer, 0o700); err != nil {
		return p, err
	}
	var err error
	if p.peer, err = testenv.InstallPeer(ctx, peer); err != nil {
		return p, err
	}
	if err := testenv.BuildHelper(ctx, p.helper); err != nil {
		return p, err
	}
	here := filepath.Join(testenv.Root(), "e2e")
	if err := testenv.BuildGo(ctx, here, "./bench/floor", p.floor); err != nil {
		return p, err
	}
	return p, testenv.BuildGo(ctx, here, "./bench/launch", p.launch)
}
