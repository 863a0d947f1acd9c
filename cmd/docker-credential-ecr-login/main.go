// Command docker-credential-ecr-login gives container clients the credentials
// for Amazon ECR.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"docker-credential-ecr-login/internal/cli"
	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/early"
	"docker-credential-ecr-login/internal/fallback"
	"docker-credential-ecr-login/internal/fetch"
	"docker-credential-ecr-login/internal/home"
	"docker-credential-ecr-login/internal/logfile"
	"docker-credential-ecr-login/internal/token"
)

func main() {
	// What asks AWS is over in a second, of which the collector would take a tenth
	// to free the machine's authorities, just read.
	debug.SetGCPercent(400)
	env := config.Env(os.Environ())
	os.Exit(cli.Main(cli.Process{
		Args:    os.Args[1:],
		Stdin:   early.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Env:     env,
		Home:    home.Find(env),
		Began:   early.Began,
		Fetch:   fetch.New(),
		OpenLog: func(file, level string) (token.Logger, error) { return logfile.Open(file, level) },
		Fallback: func(ctx context.Context, name, verb, input string) (cli.Said, error) {
			return fallback.Ask(ctx, env, name, verb, input)
		},
		Version: version,
		Exit:    os.Exit,
	}))
}

func version() string {
	v := "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok {
		v = info.Main.Version
	}
	return fmt.Sprintf("%s (%s, %s/%s)", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
