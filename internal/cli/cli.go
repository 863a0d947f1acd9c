// Package cli is what a person types: everything but the verbs of the protocol, and the
// help for those, too. One table of them is the source of the help, of the manual page and of
// the completions of shells.
package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/credhelper"
	"docker-credential-ecr-login/internal/deadline"
	"docker-credential-ecr-login/internal/kubelet"
	"docker-credential-ecr-login/internal/sanitize"
	"docker-credential-ecr-login/internal/suggest"
	"docker-credential-ecr-login/internal/terminal"
	"docker-credential-ecr-login/internal/tokensource"
)

const program = config.HelperPrefix + "ecr-login"

// command is one of them.
type command struct {
	name string
	// args are its arguments as a usage line shows them.
	args string
	// brief is what it does, in a line that fits behind its name, and about is all there is
	// to say of it.
	brief, about string
	examples     []example
	flags        *flag.FlagSet
	// words are what its first argument may be, where that is one of a few.
	arguments []string
	// takesHosts is set if it takes registries: if it has words, behind the word hostsAfter.
	takesHosts bool
	hostsAfter string
	// values are what a flag may be set to, if that is one of a few.
	values map[string][]string
	// run does it. Without one it is a verb of the protocol.
	run func(s *session, args []string) error
}

type example struct{ line, does string }

// session is one start of a command.
type session struct {
	*credhelper.Process
	credhelper.Dependencies
	version string
	notice  *terminal.Notice
	// watchdog ends the command if no deadline reaches it, as at a disk that hangs, and
	// waiting is what it is then found to wait for.
	watchdog *deadline.Watchdog
	waiting  atomic.Value // a string
}

// waitFor tells what is waited for from now on.
func (s *session) waitFor(what string) {
	s.waiting.Store(what)
	s.notice.For(what)
}

// errTold is a failure of which all has been said.
var errReported = errors.New("")

// mistake is an error in what was typed.
type mistake struct{ text string }

func (m mistake) Error() string { return m.text }

func mistakef(format string, args ...any) error { return mistake{fmt.Sprintf(format, args...)} }

// Main runs what was typed, or what a client has asked, and returns the exit status.
func Main(p *credhelper.Process, version string, d credhelper.Dependencies) int {
	all := table()
	out := &checked{Writer: p.Stdout}
	notice := terminal.NewNotice(p.Stderr)
	if !terminal.IsTerminal(p.Stdout) {
		p.Stdout = out
	}
	s := &session{Process: p, Dependencies: d, version: version, notice: notice}
	if len(p.Args) == 0 {
		if line := credhelper.WithoutVerb(piped(p.Stdin)); line != "" {
			return s.fail("", mistakef("no verb; %s", line))
		}
		fmt.Fprint(p.Stderr, overview(all))
		return 1
	}
	name, args := p.Args[0], p.Args[1:]
	if other, ok := map[string]string{"--version": "version", "-v": "version", "--help": "help", "-h": "help"}[name]; ok {
		name = other
	}
	i := slices.IndexFunc(all, func(c command) bool { return c.name == name })
	if i < 0 {
		near := suggest.Word(name, namesOf(all))
		if name == kubelet.AWSArgument {
			near = kubelet.Verb
		}
		return s.fail("", mistakef("unknown verb %q%s", name, meant(near)))
	}
	c := all[i]
	if slices.ContainsFunc(args, func(arg string) bool { return arg == "-h" || arg == "--help" }) {
		fmt.Fprint(p.Stdout, page(c))
		return 0
	}
	if c.run == nil {
		return credhelper.Main(p, d)
	}
	args, err := c.parse(args)
	if err == nil {
		err = s.run(c, args)
	}
	s.notice.Done()
	if err == nil && out.err != nil {
		err = fmt.Errorf("what it has to say can't be written: %w", out.err)
	}
	if err != nil {
		return s.fail(name, err)
	}
	return 0
}

// piped returns what a client has written to stdin, if that is a file, or a pipe which it closes
// within a second: nobody who starts the program by hand is to wait.
func piped(stdin io.Reader) string {
	file, ok := stdin.(*os.File)
	if !ok {
		return ""
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeNamedPipe == 0 && !info.Mode().IsRegular() {
		return ""
	}
	read := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(io.LimitReader(file, 1<<20))
		read <- string(text)
	}()
	select {
	case text := <-read:
		return text
	case <-time.After(time.Second):
		return ""
	}
}

// run runs a command, but hardly longer than it may take.
func (s *session) run(c command, args []string) error {
	s.waitFor("reading the settings")
	began := time.Now()
	s.watchdog = deadline.Watch(deadline.In(config.Timeout(s.Env)), func(time.Duration) {
		s.notice.Done()
		os.Exit(s.fail(c.name, fmt.Errorf("not done within %v, while %s: see whether a disk hangs, or a file is a pipe that nobody writes to",
			time.Since(began).Round(time.Second), s.waiting.Load())))
	})
	defer s.watchdog.Stop()
	return c.run(s, args)
}

// checked remembers that something couldn't be written.
type checked struct {
	io.Writer
	err error
}

func (c *checked) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	if err != nil {
		c.err = err
	}
	return n, err
}

// parse takes the flags out of the arguments, wherever they stand.
func (c command) parse(args []string) (rest []string, err error) {
	flags := c.flags
	if flags == nil {
		flags = newFlags(c.name)
	}
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return nil, c.badFlag(flags, err)
		}
		if args = flags.Args(); len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	if len(c.arguments) > 0 && len(rest) > 0 && !slices.Contains(c.arguments, rest[0]) {
		return nil, mistakef("unknown word %q%s", rest[0], meant(suggest.Word(rest[0], c.arguments)))
	}
	return rest, nil
}

// badFlag tells of a flag, and of the one that was meant.
func (c command) badFlag(flags *flag.FlagSet, err error) error {
	name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !ok {
		return mistakef("%v", err)
	}
	var names []string
	flags.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	near := suggest.Word(name, names)
	if near != "" {
		near = "--" + near
	}
	return mistakef("there is no flag --%s%s", name, meant(near))
}

func newFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // it would print a usage of its own
	return flags
}

func meant(word string) string {
	if word == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", word)
}

// fail tells what has gone wrong, in one line.
func (s *session) fail(name string, err error) int {
	var typed mistake
	switch {
	case errors.Is(err, errReported):
	case errors.As(err, &typed):
		see := program + " help"
		if name != "" {
			see, name = see+" "+name, name+": "
		}
		fmt.Fprintf(s.Stderr, "%s: %s%s; see %s\n", program, name, sanitize.Line(err.Error()), see)
	default:
		fmt.Fprintf(s.Stderr, "%s: %s: %s\n", program, name, sanitize.Line(err.Error()))
	}
	return 1
}

// warn tells a person of something that is no failure.
func (s *session) warn(format string, args ...any) {
	s.notice.Done()
	fmt.Fprintf(s.Stderr, "%s: warning: %s\n", program, sanitize.Line(fmt.Sprintf(format, args...)))
}

// load returns a resolver with the settings of a get.
func (s *session) load() *tokensource.Resolver {
	resolver := tokensource.Load(s.Env, s.Home)
	s.watchdog.SetTimeout(resolver.Settings.Timeout)
	resolver.Fetch, resolver.OpenLog, resolver.ExtendDeadline = s.Fetch, s.OpenLog, s.watchdog.Extend
	return resolver
}
