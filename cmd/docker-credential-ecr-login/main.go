// Command docker-credential-ecr-login gives container clients the credentials
// for Amazon ECR.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"docker-credential-ecr-login/internal/awsapi"
	"docker-credential-ecr-login/internal/cli"
	"docker-credential-ecr-login/internal/credhelper"
	"docker-credential-ecr-login/internal/fallback"
	"docker-credential-ecr-login/internal/faststart"
	"docker-credential-ecr-login/internal/home"
	"docker-credential-ecr-login/internal/logfile"
	"docker-credential-ecr-login/internal/tokensource"
)

func main() {
	// What asks AWS is over in a second, of which the collector would take a tenth
	// to free the machine's CA certificates, just read.
	debug.SetGCPercent(400)
	p := &faststart.Process
	p.Home = home.Find(p.Env)
	os.Exit(cli.Main(p, version(), credhelper.Dependencies{
		Fetch:        awsapi.New(),
		RunFallback:  fallback.Run,
		ListFallback: fallback.List,
		OpenLog:      func(file, level string) (tokensource.Logger, error) { return logfile.Open(file, level) },
	}))
}

func version() string {
	v := "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok {
		v = info.Main.Version
	}
	return fmt.Sprintf("%s (%s, %s/%s)", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
