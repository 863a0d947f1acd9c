// Command docker-credential-ecr-login gives container clients the credentials
// for Amazon ECR.
package main

import (
	"os"

	"docker-credential-ecr-login/internal/cli"
	"docker-credential-ecr-login/internal/fetch"
	"docker-credential-ecr-login/internal/logfile"
	"docker-credential-ecr-login/internal/token"
)

func main() {
	os.Exit(cli.Main(cli.Process{
		Args:    os.Args[1:],
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Env:     os.Environ(),
		Fetch:   fetch.New(),
		OpenLog: func(file, level string) (token.Logger, error) { return logfile.Open(file, level) },
	}))
}
