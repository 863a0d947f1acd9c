// Package cli is the command line: the verbs of Docker's credential helper
// protocol, and what a person may type.
//
// The protocol is that of https://github.com/docker/docker-credential-helpers:
// the verb is the only argument, the server comes on stdin, the answer and, with
// exit status 1, the error go to stdout. Package cli is on the path of a warm
// get and imports nothing of the AWS SDK.
package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/token"
)

const (
	name = "docker-credential-ecr-login"

	// notFound is what clients take for "this helper has no credentials for
	// that server"; on any other text they give up.
	notFound = "credentials not found in native keychain"
	// noServer is what the helpers of docker-credential-helpers say.
	noServer = "no credentials server URL"

	// maxInput is more than any client sends.
	maxInput = 1 << 20
)

// Process is one start of the helper.
type Process struct {
	// Args are the words after the program's name.
	Args   []string
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Env is the process's environment. What asks AWS reads it from the process
	// itself too, so it can't be another one.
	Env config.Env
	// Fetch asks AWS, where the cache has nothing.
	Fetch token.Fetch
	// OpenLog opens the log the user has asked for.
	OpenLog func(file, level string) (token.Logger, error)
}

// Main runs the helper and returns its exit status.
func Main(p Process) (status int) {
	defer func() {
		if r := recover(); r != nil {
			p.complain("internal error: %v; please report it", r)
			p.say(notFound)
			status = 1
		}
	}()
	verb, more := "", len(p.Args) > 1
	if len(p.Args) > 0 {
		verb = p.Args[0]
	}
	switch verb {
	case "get", "store", "erase", "list":
		if more {
			p.complain("%s takes no argument; it reads the server from stdin", verb)
			return 1
		}
	}
	switch verb {
	case "get":
		return p.get()
	case "store":
		return p.store()
	case "erase":
		return p.erase()
	case "list":
		return p.list()
	case "version", "--version", "-v":
		p.say(version())
		return 0
	case "help", "--help", "-h":
		p.say(usage)
		return 0
	case "":
		fmt.Fprintln(p.Stderr, usage)
		return 1
	default:
		p.complain("unknown verb %q; see %s help", verb, name)
		return 1
	}
}

// broker returns what gets tokens, as the user has set it up.
func (p *Process) broker() (*token.Broker, error) {
	settings, err := config.Load(p.Env)
	if err != nil {
		return nil, err
	}
	if !filepath.IsAbs(p.Env.Get("HOME")) {
		// The SDK looks for the sessions of "aws login" below HOME alone, and
		// would take a relative one.
		os.Setenv("HOME", settings.Home)
	}
	var log token.Logger
	if settings.LogFile != "" {
		// A log that can't be written is no reason to fail.
		if opened, err := p.OpenLog(settings.LogFile, settings.LogLevel); err == nil {
			log = opened
		}
	}
	return token.NewBroker(settings, p.Env, p.Fetch, log), nil
}

// server reads the server from stdin, as it was sent but for the white space
// around it. Where it names an ECR registry, isECR is true.
func (p *Process) server() (server string, r registry.Registry, isECR bool) {
	text, _ := io.ReadAll(io.LimitReader(p.Stdin, maxInput))
	server = strings.TrimSpace(string(text))
	r, isECR = registry.Parse(server)
	return server, r, isECR
}

func (p *Process) say(line string) { fmt.Fprintln(p.Stdout, line) }

func (p *Process) complain(format string, args ...any) {
	fmt.Fprintf(p.Stderr, name+": "+format+"\n", args...)
}
