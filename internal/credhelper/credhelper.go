// Package credhelper is the verbs of Docker's credential helper protocol. What a person types is in
// package cli.
//
// The protocol is that of https://github.com/docker/docker-credential-helpers:
// the verb is the only argument, the server comes on stdin, the answer and, with
// exit status 1, the error go to stdout. Package credhelper is on the path of a warm
// get and imports nothing of the AWS SDK.
package credhelper

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/kubelet"
	"docker-credential-ecr-login/internal/sanitize"
	"docker-credential-ecr-login/internal/tokensource"
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
	// Name is what the program was started as, and Args are the words after it.
	Name   string
	Args   []string
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Env is the process's environment. What asks AWS reads it from the process
	// itself too, so it can't be another one.
	Env config.Env
	// Home is the user's home directory, empty where there is none.
	Home string
	// Fetch asks AWS, where the cache has nothing, and OpenLog opens the log the
	// user has asked for.
	Fetch   tokensource.Fetch
	OpenLog func(file, level string) (tokensource.Logger, error)
	// Fallback asks another helper about hosts that aren't ECR's.
	Fallback func(ctx context.Context, name, verb, input string) (Output, error)
	// Version tells the version of the program.
	Version func() string
	// Exit ends the process, for what can't be ended otherwise.
	Exit func(status int)

	// input is what was read from Stdin, and began when that was done: from then on
	// the timeout counts, for Early and Main together.
	input string
	began time.Time

	verb     verb // the one that runs
	watchdog *watchdog
	// failsLoudly is that of the settings, once they are known.
	failOnError *atomic.Bool
}

// answer is what a verb comes to: the lines it prints and the exit status; or,
// if cold, that there is none without AWS or the log.
type response struct {
	stdout string
	stderr []string
	status int
	miss   bool
}

func say(line string) response  { return response{stdout: line + "\n"} }
func fail(line string) response { return response{stdout: sanitize.Line(line) + "\n", status: 1} }

// refuse is the answer to clients that read the reason on stderr.
func refuse(format string, args ...any) response {
	return response{status: 1}.withStderr(format, args...)
}

// explained adds a line to stderr.
func (a response) withStderr(format string, args ...any) response {
	a.stderr = append(a.stderr, name+": "+sanitize.Line(fmt.Sprintf(format, args...)))
	return a
}

// Main runs the helper and returns its exit status.
func Main(p *Process) int { return p.print(p.run()) }

// Early runs the helper without the functions of a Process but Exit; the others may
// be nil. Where it takes one of them it is false, and nothing has happened but that
// the Process has read stdin, which Main then doesn't.
func Early(p *Process) (status int, ok bool) {
	if len(p.Args) != 1 || p.Home == "" {
		return 0, false
	}
	if _, ok := verbOf(p.Args[0]); !ok {
		return 0, false
	}
	a := p.run()
	if a.miss {
		return 0, false
	}
	return p.print(a), true
}

// print prints an answer and returns the exit status.
func (p *Process) print(a response) int {
	text := strings.Join(a.stderr, "\n")
	if text != "" && !p.verb.noNewline {
		text += "\n"
	}
	io.WriteString(p.Stderr, text)
	if _, err := p.Stdout.Write([]byte(a.stdout)); err != nil {
		fmt.Fprintf(p.Stderr, "%s: the answer can't be written: %v\n", name, err)
		return 1
	}
	return a.status
}

func (p *Process) run() response {
	word := ""
	if len(p.Args) > 0 {
		word = p.Args[0]
	}
	verb, ok := verbOf(word)
	p.verb = verb
	switch {
	case !ok:
		return refuse("unknown verb %q", word)
	case len(p.Args) > 1:
		return refuse("%s takes no argument; what it is about comes on stdin", word)
	}
	if p.began.IsZero() {
		if verb.reads {
			text, _ := io.ReadAll(io.LimitReader(p.Stdin, maxInput))
			p.input = string(text)
		}
		p.began = time.Now()
	}
	if word == "get" && asksAsBazel(p.input) {
		verb = bazelVerb()
	}
	p.verb = verb
	if line := misdirected(word, p.input); line != "" {
		return p.misdirect(word, line)
	}
	return p.within(verb, p.input)
}

// verb is a verb of the protocol.
type verb struct {
	run   func(p *Process, input string) response
	reads bool // input, from stdin
	// fail is the answer where the verb can't do its work.
	fail func(p *Process, input, reason string) response
	// patience is how long there is until the client has lost its own, zero where that isn't known:
	// then it kills the helper, and shows no reason.
	clientTimeout time.Duration
	// openLine is set if stderr ends without a newline.
	noNewline bool
}

// verbOf returns the verb of that name, false for what is none.
func verbOf(name string) (verb, bool) {
	switch name {
	case "get":
		return verb{run: (*Process).get, reads: true, fail: (*Process).failGet}, true
	case "store":
		return verb{run: (*Process).store, reads: true, fail: failStore}, true
	case "erase":
		return verb{run: (*Process).erase, reads: true, fail: failStore}, true
	case "list":
		return verb{run: (*Process).list, fail: (*Process).failList}, true
	case kubelet.Verb:
		return verb{
			run: (*Process).kubelet, reads: true, fail: failOnStderr, clientTimeout: kubelet.ClientTimeout - 5*time.Second,
			// klog writes what ends with a newline as a block of its own, and else into the line that
			// names the pod.
			noNewline: true,
		}, true
	default:
		return verb{}, false
	}
}

// IsWord reports whether the program knows a word as its first: a verb, or what a person types. A
// test of package commands compares it with the commands there, which aren't imported here.
func IsCommand(word string) bool {
	_, isVerb := verbOf(word)
	return isVerb || slices.Contains([]string{
		"configure", "doctor", "whoami", "cache", "version", "help", "completion",
		"--version", "-v", "--help", "-h",
	}, word)
}

// failOnStderr tells the reason where it isn't an answer of the protocol's.
func failOnStderr(_ *Process, _, reason string) response { return refuse("%s", reason) }

// settings reads what the user has set. They are complete even with an error.
func (p *Process) settings() (config.Settings, error) {
	settings, err := config.Load(p.Env, p.Home)
	settings.Timeout = p.timeout(settings.Timeout)
	p.failOnError.Store(settings.FailOnError)
	p.watchdog.allow(settings.Timeout)
	return settings, err
}

// context bounds what the verb does by what its client waits. It bounds a credential process too,
// which has a time of its own otherwise.
func (p *Process) context() (context.Context, context.CancelFunc) {
	if p.verb.clientTimeout == 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithDeadline(context.Background(), p.began.Add(p.verb.clientTimeout))
}

// timeout is the one that was set, or less where the client loses its patience before.
func (p *Process) timeout(set time.Duration) time.Duration {
	if p.verb.clientTimeout == 0 {
		return set
	}
	return min(set, p.verb.clientTimeout)
}

// broker returns what gets tokens, as the user has set it up. The error is
// [tokensource.ErrCacheMiss], where there is a log to write and no way to.
func (p *Process) broker(settings config.Settings) (*tokensource.Source, error) {
	var log tokensource.Logger
	switch {
	case settings.LogFile == "":
	case p.OpenLog == nil:
		return nil, tokensource.ErrCacheMiss
	default:
		// A log that can't be written is no reason to fail.
		if opened, err := p.OpenLog(settings.LogFile, settings.LogLevel); err == nil {
			log = opened
		}
	}
	broker := tokensource.New(settings, p.Env, p.Fetch, log)
	broker.ExtendDeadline, broker.Began = p.watchdog.extend, p.began
	return broker, nil
}
