// Package faststart answers before the AWS SDK has started, where it can.
//
// To start the SDK, net/http and logrus takes longer than all that a warm get does:
// their packages are initialised whether they are used or not. This package
// relies on the order in which that happens. The Go specification says under
// "Program initialization":
//
//	Given the list of all packages, sorted by import path, in each step the first
//	uninitialized package in the list for which all imported packages (if any) are
//	already initialized is initialized.
//
// So a package runs before those that come after it in the alphabet and before
// those that wait for one that does: this one, whose module's name comes before
// github.com and net, as long as it imports nothing that comes late. It imports the
// same code as main, but nothing that waits for net/http; and what isn't answered
// here, main does as if this package weren't there. A test of the binary looks at
// what was initialised before a warm get ended.
package faststart

import (
	"os"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/credhelper"
	"docker-credential-ecr-login/internal/kubelet"
)

// Process is what main goes on with.
var Process credhelper.Process

func init() {
	env := config.Env(os.Environ())
	Process = credhelper.Process{
		Args:   kubelet.ArgsOf(os.Args, credhelper.IsCommand),
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Env:    env,
		Home:   env.Home(),
		Exit:   os.Exit,
	}
	if len(os.Args) > 0 {
		Process.Name = os.Args[0]
	}
	if status, ok := credhelper.Early(&Process); ok {
		os.Exit(status)
	}
}
