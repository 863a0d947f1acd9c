// Package faststart answers before the AWS SDK has started, if it can.
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
// So this package is initialised as soon as all that it imports is, before every package that is
// ready by then and comes later in the list. What is ready earlier than that may be initialised
// before it, whatever the names. So the module's name alone decides nothing: what counts is that
// this package imports little, and nothing that comes late. To import os/user, or path/filepath as os/exec
// does, would be enough for logrus to go first. With the module under names that begin with
// github.com/a and github.com/z, too, nothing heavy was initialised before a warm get had ended. The
// specification promises no more than that order; a test of the binary looks at what was initialised.
// What isn't answered here, main does as if this package weren't there.
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
	}
	if len(os.Args) > 0 {
		Process.Name = os.Args[0]
	}
	if status, ok := credhelper.Early(&Process); ok {
		os.Exit(status)
	}
}
