package scripts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// The scripts in testdata tell what somebody does with the built binary,
// and what must come of it. Each has a Server of its own, a home of its own in
// $HOME (files below home/ in the archive), and for the helper an environment
// made from nothing, that of package testenv. Beside testscript's commands, whose env
// the helper never sees, there are
//
//	set NAME=VALUE… NAME…
//	    Set variables of the helper's environment; a name alone is taken out.
//
//	settoken NAME FILE
//	    Set a variable to what is in a file.
//
//	[!] helper [VERB [STDIN [ARG…]]]
//	    Run the helper in the current directory; with ! its exit status must be 1,
//	    else 0. STDIN is the text it gets, or with <FILE that of a file. Verbs
//	    other than get, store and erase get a pipe that must stay unread. What
//	    judge below asks of every run needs no words in a script.
//
//	[!] other VERB [STDIN]
//	    As helper, about a host that isn't ECR's: what it prints is for the script
//	    to judge.
//
//	[!] types WORD…
//	    What a person types behind the helper's name, who has no use for stdin.
//
//	from PROGRAM
//	    From now on the helper is the copy of it that is in a file, and is started by its path.
//
//	[!] kubelet [as-aws] IMAGE [TOKENFILE [ROLE]]
//	    The kubelet asks, as-aws by the name of AWS's own provider, about an image, for a
//	    service account whose token is in a file and who names a role. What it is told is
//	    kept as a get's password is.
//
//	requests [ACTION=N…]
//	    These and no other requests reached the server since the last time this was
//	    asked; without arguments, no connection was made either. N may be "some".
//
//	[!] same
//	    The last password is that of the get before; with !, that of no get before.
//
//	whose ARN
//	    The registry takes the last password, for that of ARN; one that ends with
//	    a slash stands for all sessions of a role.
//
//	token ARN HOST
//	    So for the last password, whatever server it was got for, at HOST.
//
//	took LIMIT
//	    The last run took less time.
//
//	age DURATION
//	    Put back all times in the cache, as if so much time had passed.
//
//	nobody
//	    From now on the helper runs as a user who isn't in /etc/passwd and has
//	    no power over other users' files (condition [nobody]: where that can be;
//	    another is [root]).
//
//	cloud OPERATION ARG…
//	    Change the server; see operations. It knows the people of main_test.go from
//	    the start: the user has its key, the pull role trusts user and runner.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata",
		RequireUniqueNames: true,
		Setup:              setup,
		Condition:          condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"set":      command((*script).set),
			"settoken": command((*script).setToken),
			"helper":   command((*script).helper),
			"other":    command((*script).other),
			"types":    command((*script).types),
			"from":     command((*script).from),
			"kubelet":  command((*script).kubelet),
			"requests": command((*script).requests),
			"same":     command((*script).same),
			"whose":    command((*script).whose),
			"token":    command((*script).token),
			"took":     command((*script).limit),
			"age":      command((*script).age),
			"nobody":   command((*script).becomeNobody),
			"cloud":    command((*script).aws),
		},
	})
}

// Where nothing listens.
const closed = "http://127.0.0.1:1"

const portal = "https://acme.awsapps.com/start"

type script struct {
	*testenv.Env
	server    string   // of the last get
	passwords []string // of all gets
	took      time.Duration
	asNobody  bool
	startedAs string // the helper's name, where that isn't its own
	program   string // a copy of the helper, if that is to be run
	tokens    int    // web identity tokens handed out
}

type key struct{}

func setup(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	server, err := awstest.NewServer()
	if err != nil {
		return err
	}
	env.Defer(server.Close)
	server.AddUser(testenv.UserARN, testenv.KeyID, testenv.Secret)
	server.AddRole(awstest.Role{ARN: testenv.RunnerRole})
	server.AddRole(awstest.Role{ARN: testenv.PullRole, Trusts: []string{testenv.RunnerRole, testenv.UserARN}})
	for _, arn := range []string{testenv.UserARN, testenv.RunnerRole} {
		server.Grant("222222222222", arn)
	}
	if err := makeMapsPrivate(env.WorkDir); err != nil {
		return err
	}
	env.Values[key{}] = &script{Env: testenv.NewIn(env.T().(testing.TB), server, home)}
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"HOME":        home,
		"REPOSITORY":  root,
		"HOST":        testenv.Host,
		"USER_ARN":    testenv.UserARN,
		"RUNNER_ROLE": testenv.RunnerRole,
		"PULL_ROLE":   testenv.PullRole,
		"KEY":         testenv.KeyID,
		"SECRET":      testenv.Secret,
		"ENDPOINT":    server.EndpointURL(),
		"PROXY":       server.ProxyURL(),
		"CONTAINER":   server.ContainerURL(),
		"METADATA":    server.MetadataURL(),
		"PLAIN":       strings.TrimPrefix(server.EndpointURL(), "http://"),
		"CLOSED":      closed,
		"BIN":         filepath.Dir(testenv.Binary(env.T().(testing.TB))),
	} {
		env.Setenv(name, value)
	}
	return nil
}

// makeMapsPrivate gives the maps of a script the mode they need, whatever the
// umask is.
func makeMapsPrivate(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".toml" {
			err = os.Chmod(path, 0o600)
		}
		return err
	})
}

func command(run func(s *script, ts *testscript.TestScript, neg bool, args []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		s := ts.Value(key{}).(*script)
		ts.Check(run(s, ts, neg, args))
	}
}

func condition(name string) (bool, error) {
	var refused error
	switch name {
	case "root":
		if os.Geteuid() != 0 {
			refused = errors.New("this user isn't root")
		}
	case "nobody":
		cmd := exec.Command("true")
		cmd.SysProcAttr = asNobody()
		refused = cmd.Run()
	default:
		return false, errors.New("there is no such condition")
	}
	return refused == nil, testenv.Omit("the lines of scripts that need ["+name+"]", refused)
}

// asNobody makes a process one of a user namespace, in which we are the user
// 12345 and so, without any power of root's, still own our files.
func asNobody() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 12345, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 12345, HostID: os.Getgid(), Size: 1}},
		Credential:  &syscall.Credential{Uid: 12345, Gid: 12345, NoSetGroups: true},
	}
}

func (s *script) becomeNobody(*testscript.TestScript, bool, []string) error {
	s.asNobody = true
	return nil
}

func (s *script) from(ts *testscript.TestScript, _ bool, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: from PROGRAM")
	}
	s.program = ts.MkAbs(args[0])
	return nil
}

func (s *script) set(_ *testscript.TestScript, _ bool, args []string) error {
	s.Set(args...)
	return nil
}

func (s *script) setToken(ts *testscript.TestScript, _ bool, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: settoken NAME FILE")
	}
	s.Set(args[0] + "=" + ts.ReadFile(args[1]))
	return nil
}

// getenv reads the helper's environment.
func (s *script) getenv(name string) string {
	for _, kv := range s.Vars {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value
		}
	}
	return ""
}

func (s *script) helper(ts *testscript.TestScript, fails bool, args []string) error {
	r, argv, stdin, err := s.runHelper(ts, args)
	return errors.Join(err, s.check(r, argv, stdin, fails))
}

func (s *script) other(ts *testscript.TestScript, fails bool, args []string) error {
	r, argv, _, err := s.runHelper(ts, args)
	return errors.Join(append(s.checkAny(r, argv, fails), err)...)
}

func (s *script) types(ts *testscript.TestScript, fails bool, args []string) error {
	r, err := s.start(ts, args, "")
	fmt.Fprint(ts.Stdout(), r.Stdout)
	fmt.Fprint(ts.Stderr(), r.Stderr)
	return errors.Join(append(s.checkAny(r, args, fails), err)...)
}

// tell runs the helper and shows what came of it.
func (s *script) runHelper(ts *testscript.TestScript, args []string) (r testenv.Result, argv []string, stdin string, err error) {
	argv = slices.Clone(args)
	if len(args) > 1 {
		stdin, argv = args[1], slices.Delete(argv, 1, 2)
		if file, ok := strings.CutPrefix(stdin, "<"); ok {
			stdin = ts.ReadFile(file)
		}
	}
	r, err = s.start(ts, argv, stdin)
	// The passwords of ECR take two screens.
	fmt.Fprint(ts.Stdout(), password.ReplaceAllString(r.Stdout, "$1$2…"))
	fmt.Fprint(ts.Stderr(), r.Stderr)
	return r, argv, stdin, err
}

var password = regexp.MustCompile(`("Secret":"|"Basic )([^"]{16})[^"]+`)

const runTimeout = time.Minute

// start runs the helper.
func (s *script) start(ts *testscript.TestScript, argv []string, stdin string) (testenv.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), runTimeout)
	defer cancel()
	cmd := s.Command(ctx, "", stdin)
	cmd.Args = append(cmd.Args[:1], argv...)
	if s.program != "" {
		cmd.Path, cmd.Args[0] = s.program, s.program
	}
	if s.startedAs != "" {
		cmd.Args[0] = s.startedAs
	}
	cmd.Dir = ts.MkAbs(".")
	if s.asNobody {
		cmd.SysProcAttr = asNobody()
	}
	unread := func() error { return nil }
	if !readsStdin(argv) {
		var err error
		if unread, err = withUnreadStdin(cmd); err != nil {
			return testenv.Result{}, err
		}
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	begin := time.Now()
	err := cmd.Run()
	s.took = time.Since(begin)
	r := testenv.Result{Stdout: out.String(), Stderr: errs.String(), Status: cmd.ProcessState.ExitCode(), Took: s.took}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil // judge looks at it
	}
	return r, errors.Join(err, ctx.Err(), unread())
}

func readsStdin(argv []string) bool {
	return len(argv) == 0 || slices.Contains([]string{"get", "store", "erase", "kubelet"}, argv[0])
}

// leftAlone gives the command a stdin that never ends, as an inherited
// terminal. The function returned fails where any of it was read.
func withUnreadStdin(cmd *exec.Cmd) (func() error, error) {
	const text = "unused"
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	if _, err := w.WriteString(text); err != nil {
		return nil, err
	}
	cmd.Stdin = r
	return func() error {
		w.Close()
		defer r.Close()
		if rest, err := io.ReadAll(r); err != nil || string(rest) != text {
			return fmt.Errorf("stdin was read: %q of %q is left, %v", rest, text, err)
		}
		return nil
	}, nil
}

func (s *script) requests(_ *testscript.TestScript, _ bool, args []string) error {
	var all []error
	counts, connects := s.AWS.Counts(), s.AWS.Connects()
	for _, arg := range args {
		action, text, _ := strings.Cut(arg, "=")
		got := counts[action]
		delete(counts, action)
		if text == "some" && got > 0 {
			continue
		}
		if want, err := strconv.Atoi(text); err != nil || got != want {
			all = append(all, fmt.Errorf("%d of %s, want %s", got, action, text))
		}
	}
	for action, n := range counts {
		all = append(all, fmt.Errorf("%d of %s, want none", n, action))
	}
	if len(args) == 0 && len(connects) > 0 {
		all = append(all, fmt.Errorf("the proxy was asked for %v", connects))
	}
	if len(all) > 0 {
		for _, r := range s.AWS.Requests() {
			all = append(all, fmt.Errorf("%d to %s of %s", r.Status, r.Action, r.Host))
		}
	}
	s.AWS.ResetCounts()
	return errors.Join(all...)
}

func (s *script) same(_ *testscript.TestScript, neg bool, _ []string) error {
	n := len(s.passwords) - 1
	if n < 1 {
		return errors.New("there are no two passwords yet")
	}
	last, before := s.passwords[n], s.passwords[:n]
	switch {
	case neg && slices.Contains(before, last):
		return errors.New("the password is an old one")
	case !neg && before[n-1] != last:
		return errors.New("the password is another one")
	}
	return nil
}

func (s *script) whose(ts *testscript.TestScript, neg bool, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: whose ARN, after a get")
	}
	return s.token(ts, neg, []string{args[0], strings.TrimPrefix(s.server, "https://")})
}

func (s *script) token(_ *testscript.TestScript, _ bool, args []string) error {
	if len(args) != 2 || len(s.passwords) == 0 {
		return errors.New("usage: token ARN HOST, after a get")
	}
	who, err := s.AWS.VerifyToken(s.passwords[len(s.passwords)-1], args[1])
	if err != nil {
		return err
	}
	if who != args[0] && !(strings.HasSuffix(args[0], "/") && strings.HasPrefix(who, args[0])) {
		return fmt.Errorf("the password is that of %s", who)
	}
	return nil
}

func (s *script) limit(_ *testscript.TestScript, _ bool, args []string) error {
	limit, err := time.ParseDuration(strings.Join(args, " "))
	if err == nil && s.took >= limit {
		err = fmt.Errorf("it took %v", s.took)
	}
	return err
}
