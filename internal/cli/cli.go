// Package cli runs what a person types: every command but the verbs of the protocols, and the help
// of those, too. The help, the manual page and the completions of shells come from one table of
// commands.
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
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/sanitize"
	"docker-credential-ecr-login/internal/suggest"
	"docker-credential-ecr-login/internal/terminal"
	"docker-credential-ecr-login/internal/tokensource"
)

const program = config.HelperPrefix + "ecr-login"

// command is what may be typed first.
type command struct {
	name string
	// args are its arguments as a usage line shows them.
	args string
	// brief says what it does, in a line that fits behind its name. about says the rest.
	brief, about string
	examples     []example
	flags        *flag.FlagSet
	// values are what a flag may be set to, if that is one of a few.
	values map[string][]string
	// arguments are what its first argument may be, if that is one of a few.
	arguments []string
	// hidden is one more, which only scripts use.
	hidden string
	// takesHosts is set if it takes registries, and hostsAfter if only behind that word.
	takesHosts bool
	hostsAfter string
	// run runs it. It is nil for a verb of the protocols.
	run func(s *session, args []string) error
}

type example struct{ line, does string }

// option is a flag as the help describes it. value names what it is set to, and is empty if it is
// only set.
type option struct{ name, value, does string }

func (o option) String() string { return strings.TrimRight("--"+o.name+" "+o.value, " ") }

func (c command) options() (all []option) {
	if c.flags != nil {
		c.flags.VisitAll(func(f *flag.Flag) {
			value, does := flag.UnquoteUsage(f)
			all = append(all, option{f.Name, value, does})
		})
	}
	return all
}

// session is one run of a command.
type session struct {
	credhelper.Process
	credhelper.Dependencies
	version string
	notice  *terminal.Notice
	// watchdog ends the command if no deadline reaches it, as at a disk that hangs. waiting is what
	// the command waits for.
	watchdog *deadline.Watchdog
	waiting  atomic.Value // a string
}

// waitFor sets what the command waits for from now on.
func (s *session) waitFor(what string) {
	s.waiting.Store(what)
	s.notice.For(what)
}

// errReported is a failure that was reported already.
var errReported = errors.New("")

// mistake is an error in what was typed.
type mistake struct{ text string }

func (m mistake) Error() string { return m.text }

func mistakef(format string, args ...any) error { return mistake{fmt.Sprintf(format, args...)} }

func namesOf(all []command) (names []string) {
	for _, c := range all {
		names = append(names, c.name)
	}
	return names
}

// Main runs what a person or a client has asked for, and returns the exit status.
func Main(p *credhelper.Process, version string, d credhelper.Dependencies) int {
	all := table()
	s := &session{Process: *p, Dependencies: d, version: version, notice: terminal.NewNotice(p.Stderr)}
	out := &errWriter{Writer: p.Stdout}
	if !terminal.IsTerminal(p.Stdout) {
		s.Stdout = out
	}
	if len(p.Args) == 0 {
		if line := credhelper.WithoutVerb(piped(p.Stdin)); line != "" {
			return s.fail("", mistakef("no verb; %s", line))
		}
		fmt.Fprint(p.Stderr, overview(all))
		return 1
	}
	name, args := p.Args[0], p.Args[1:]
	switch name {
	case "--version", "-v":
		name = "version"
	case "--help", "-h":
		name = "help"
	}
	i := slices.Index(namesOf(all), name)
	if i < 0 {
		near := suggest.Word(name, namesOf(all))
		if name == kubelet.AWSArgument {
			near = kubelet.Verb
		}
		return s.fail("", mistakef("unknown verb %q%s", name, meant(near)))
	}
	c := all[i]
	if slices.Contains(args, "-h") || slices.Contains(args, "--help") {
		fmt.Fprint(s.Stdout, page(c))
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
	return s.fail(name, err)
}

// piped returns what a client has written to stdin, if that is a file, or a pipe that it closes
// within a second. Nobody who starts the program by hand has to wait.
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

// run runs a command, and ends the process if that takes longer than it may.
func (s *session) run(c command, args []string) error {
	s.waitFor("reading the settings")
	began := time.Now()
	s.watchdog = deadline.Watch(deadline.In(config.Timeout(s.Env)), func(time.Duration) {
		s.notice.Done()
		os.Exit(s.fail(c.name, fmt.Errorf("not done within %v, while %s: "+seeDisk,
			time.Since(began).Round(time.Second), s.waiting.Load())))
	})
	defer func() { s.watchdog.Stop() }() // or the one that doctor has put in its place
	return c.run(s, args)
}

const seeDisk = "see whether a disk hangs, or a file is a pipe that nobody writes to"

// errWriter keeps the last error of its Writer.
type errWriter struct {
	io.Writer
	err error
}

func (w *errWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}

// parse sets the flags, which may be anywhere, and returns the other arguments.
func (c command) parse(args []string) (rest []string, err error) {
	flags := c.flags
	if flags == nil {
		flags = newFlags(c.name)
	}
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return nil, c.badFlag(err)
		}
		if args = flags.Args(); len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	if len(c.arguments) > 0 && len(rest) > 0 && rest[0] != c.hidden && !slices.Contains(c.arguments, rest[0]) {
		return nil, mistakef("unknown word %q%s", rest[0], meant(suggest.Word(rest[0], c.arguments)))
	}
	return rest, nil
}

// badFlag returns the error about a flag, with the flag that was meant.
func (c command) badFlag(err error) error {
	name, isUnknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !isUnknown {
		return mistakef("%v", err)
	}
	var names []string
	for _, o := range c.options() {
		names = append(names, o.name)
	}
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

// meant returns the end of an error that names the word that was meant.
func meant(word string) string {
	if word == "" {
		return ""
	}
	return "; did you mean " + word + "?"
}

// notECR returns the error about a host that is neither ECR's nor an alias.
func notECR(host string) error {
	hint := registry.Hint(host)
	if hint != "" {
		hint = "; " + hint
	}
	return fmt.Errorf("%s is neither a registry of ECR nor an alias in the registry map%s", registry.Bare(host), hint)
}

// fail prints an error, if there is one, in one line, and returns the exit status.
func (s *session) fail(name string, err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errReported):
		return 1
	}
	text := sanitize.Line(err.Error())
	if name != "" {
		text = name + ": " + text
	}
	if errors.As(err, new(mistake)) {
		text += "; see " + strings.TrimRight(program+" help "+name, " ")
	}
	fmt.Fprintf(s.Stderr, "%s: %s\n", program, text)
	return 1
}

// warn prints a warning.
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
