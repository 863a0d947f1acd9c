// Package credhelper is the verbs of Docker's credential helper protocol, and the start of those of
// the kubelet and of Bazel. What a person types is in package cli.
//
// The protocol is that of https://github.com/docker/docker-credential-helpers:
// the verb is the only argument, the server comes on stdin, the answer and, with
// exit status 1, the error go to stdout. Package credhelper is on the path of a warm
// get and imports nothing of the AWS SDK.
package credhelper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"docker-credential-ecr-login/internal/atomicfile"
	"docker-credential-ecr-login/internal/bazel"
	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/deadline"
	"docker-credential-ecr-login/internal/kubelet"
	"docker-credential-ecr-login/internal/registrymap"
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

// Process is what one start of the helper is given.
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
	// Home is the user's home directory, empty if there is none.
	Home string

	// input is what was read from Stdin, and began when that was done: from then on
	// the timeout counts, for Early and Main together.
	input string
	began time.Time
}

// Dependencies are what takes long to start, and what a warm get has no need of. Without one, what
// needs it is [tokensource.ErrCacheMiss].
type Dependencies struct {
	// Fetch asks AWS.
	Fetch tokensource.Fetch
	// OpenLog opens the log that the user has asked for.
	OpenLog func(file, level string) (tokensource.Logger, error)
	// RunFallback asks the fallback helper of the settings, and ListFallback returns its servers and
	// users; see package fallback.
	RunFallback  func(ctx context.Context, env config.Env, settings config.Settings, verb, input string) (Output, error)
	ListFallback func(ctx context.Context, env config.Env, settings config.Settings) (map[string]string, error)
}

// Output is what the fallback helper printed.
type Output struct {
	Stdout, Stderr string
	// OK is set if its exit status was 0.
	OK bool
}

// Main runs the helper and returns its exit status.
func Main(p *Process, d Dependencies) int {
	r := &run{Process: p, Dependencies: d}
	resp, err := r.respond()
	if err != nil { // a program without all dependencies
		resp = refuse("%v", err)
	}
	return r.print(resp)
}

// Early runs the helper without its dependencies. If it takes one of them it returns false, and
// nothing has happened but that the Process has read stdin, which Main then doesn't.
func Early(p *Process) (status int, ok bool) {
	if len(p.Args) != 1 || p.Home == "" {
		return 0, false
	}
	if _, ok := verbOf(p.Args[0]); !ok {
		return 0, false
	}
	r := &run{Process: p}
	resp, err := r.respond()
	if err != nil {
		return 0, false
	}
	return r.print(resp), true
}

// run is the state of a verb that runs.
type run struct {
	*Process
	Dependencies
	verb     verb
	watchdog *deadline.Watchdog
	// target is what the server stands for, once it is known. The watchdog reads it, too.
	target atomic.Pointer[registrymap.Target]
	// failOnError is that of the settings, once they are known. The watchdog reads it, too.
	failOnError atomic.Bool
}

// verb is a verb of the protocol.
type verb struct {
	run   func(*run, context.Context) (response, error)
	reads bool // input, from stdin
	// fail is the answer for an error of run.
	fail func(*run, error) response
	// timeout is how long the verb may take whatever the user has set, or zero: later the client kills
	// the helper, and shows no reason.
	timeout time.Duration
	// noNewline is set if stderr ends without a newline.
	noNewline bool
}

var bazelVerb = verb{run: (*run).bazel, reads: true, fail: failOnStderr, timeout: bazel.Timeout}

// verbOf returns the verb of that name, false if there is none.
func verbOf(name string) (verb, bool) {
	switch name {
	case "get":
		return verb{run: (*run).get, reads: true, fail: (*run).failGet}, true
	case "store":
		return verb{run: (*run).store, reads: true, fail: failOnStdout}, true
	case "erase":
		return verb{run: (*run).erase, reads: true, fail: failOnStdout}, true
	case "list":
		return verb{run: (*run).list, fail: (*run).failList}, true
	case kubelet.Verb:
		// klog writes what ends with a newline as a block of its own, and else into the line that
		// names the pod.
		return verb{run: (*run).kubelet, reads: true, fail: failOnStderr, timeout: kubelet.Timeout, noNewline: true}, true
	default:
		return verb{}, false
	}
}

// IsCommand reports whether the program knows a word as its first: a verb, or what a person types. A
// test of package cli compares it with the commands there, which aren't imported here.
func IsCommand(word string) bool {
	_, isVerb := verbOf(word)
	return isVerb || slices.Contains([]string{
		"configure", "doctor", "whoami", "cache", "version", "help", "completion",
		"--version", "-v", "--help", "-h",
	}, word)
}

// respond returns what the helper answers. The error is [tokensource.ErrCacheMiss].
func (r *run) respond() (response, error) {
	word := ""
	if len(r.Args) > 0 {
		word = r.Args[0]
	}
	var ok bool
	r.verb, ok = verbOf(word)
	switch {
	case !ok:
		return refuse("unknown verb %q", word), nil
	case len(r.Args) > 1:
		return refuse("%s takes no argument; what it is about comes on stdin", word), nil
	}
	if r.began.IsZero() {
		if r.verb.reads {
			text, _ := io.ReadAll(io.LimitReader(r.Stdin, maxInput))
			r.input = string(text)
		}
		r.began = time.Now()
	}
	if word == "get" && bazel.IsRequest(r.input) {
		r.verb = bazelVerb
	}
	if line := requestOfOtherVerb(word, r.input); line != "" {
		return r.refuseOtherVerb(word, line), nil
	}
	if !atomicfile.CanOpenFiles() {
		return r.verb.fail(r, errors.New("this process may open no more files; raise its limit, which ulimit -n shows")), nil
	}
	return r.watched()
}

// watched runs the verb, but hardly longer than the timeout: then the watchdog answers in its place
// and ends the process.
func (r *run) watched() (resp response, err error) {
	r.watchdog = deadline.Watch(deadline.Deadline{Began: r.began, Timeout: r.limited(config.Timeout(r.Env))}, func(waited time.Duration) {
		os.Exit(r.print(r.verb.fail(r, fmt.Errorf(
			"not done within %v: a disk that holds ~/.aws, the registry map or the cache hangs, or a file there is a pipe that nobody writes to; mend or unmount it", waited))))
	})
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("internal error: %v; please report it", p)
		}
		r.watchdog.Stop()
		// The one place that handles a miss: for every verb it means that Main goes on.
		if err != nil && !errors.Is(err, tokensource.ErrCacheMiss) {
			resp, err = r.verb.fail(r, err), nil
		}
	}()
	ctx, cancel := r.context()
	defer cancel()
	return r.verb.run(r, ctx)
}

// load returns a resolver with what the user has set, for no longer than the verb may take.
func (r *run) load() *tokensource.Resolver {
	resolver := tokensource.Load(r.Env, r.Home)
	settings := &resolver.Settings
	settings.Timeout = r.limited(settings.Timeout)
	r.failOnError.Store(settings.FailOnError)
	r.watchdog.SetTimeout(settings.Timeout)
	resolver.Fetch, resolver.OpenLog = r.Fetch, r.OpenLog
	resolver.Began, resolver.ExtendDeadline = r.began, r.watchdog.Extend
	return resolver
}

// limited returns a timeout, or that of the verb if it is shorter.
func (r *run) limited(timeout time.Duration) time.Duration {
	if r.verb.timeout == 0 {
		return timeout
	}
	return min(timeout, r.verb.timeout)
}

// context returns a context that ends before the client kills the helper. It bounds a credential
// process too, which has a time of its own otherwise.
func (r *run) context() (context.Context, context.CancelFunc) {
	if r.verb.timeout == 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithDeadline(context.Background(), r.began.Add(r.verb.timeout))
}

// kubelet answers the kubelet of a node.
func (r *run) kubelet(ctx context.Context) (response, error) {
	text, err := kubelet.Respond(ctx, r.input, r.load(), kubelet.IsAWSProvider(r.Name))
	return say(text), err
}

// bazel answers Bazel, which asks with the verb get.
func (r *run) bazel(ctx context.Context) (response, error) {
	text, err := bazel.Respond(ctx, r.input, r.load())
	if errors.Is(err, bazel.ErrUnknownClient) {
		return fail(notFound), nil
	}
	return say(text), err
}
