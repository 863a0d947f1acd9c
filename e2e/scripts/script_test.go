package scripts

import (
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

// TestScripts runs the scripts of testdata. A script describes what a user or a client does with
// the helper, and checks the result. Each script has its own stand-in for AWS and its own home in
// $HOME; the files below home/ in the archive are in it. The helper gets the environment of package
// testenv, and testscript's own command env doesn't change it. Besides testscript's commands there
// are these:
//
//	set NAME=VALUE… NAME…
//	    Sets variables of the helper's environment. A name alone unsets the variable.
//
//	settoken NAME FILE
//	    Sets a variable to what a file holds.
//
//	[!] helper [VERB [STDIN [ARG…]]]
//	    Runs the helper in the current directory. Its exit status must be 0, or 1 with !. STDIN is
//	    the text on stdin; <FILE takes it from a file. Verbs other than get, store, erase and
//	    kubelet get a pipe on stdin, and must not read it. Every run is checked by the function
//	    check below, without a line in the script.
//
//	[!] other VERB [STDIN]
//	    Does the same as helper for a host that isn't ECR. The script checks the output.
//
//	[!] types WORD…
//	    Runs the helper with arguments that a user types. It must not read stdin.
//
//	from PROGRAM
//	    Makes later commands run a copy of the helper, by the path of that file.
//
//	[!] kubelet [as-aws] IMAGE [TOKENFILE [ROLE]]
//	    Runs the helper as the kubelet does for an image; with as-aws, under the name of AWS's
//	    provider. TOKENFILE holds the token of a service account, and ROLE is the role in its
//	    annotation. The password counts as the last password, as after a get.
//
//	requests [ACTION=N…]
//	    Checks that the server got these requests and no others since the last such check. Without
//	    arguments, there must have been no connection either. N can be "some".
//
//	[!] same
//	    Checks that the last password is that of the get before. With !, it must differ from all
//	    passwords before.
//
//	whose ARN
//	    Checks that the registry accepts the last password and that it belongs to the principal
//	    ARN. An ARN that ends with a slash means any session of a role.
//
//	token ARN HOST
//	    Checks the same for the registry at HOST, whatever server the password was for.
//
//	took LIMIT
//	    Checks that the last run took less time.
//
//	age DURATION
//	    Sets all times in the cache back, as if so much time had passed.
//
//	nobody
//	    Makes later commands run as a user who isn't in /etc/passwd and has no rights on files of
//	    other users. The condition [nobody] says that this is possible; another one is [root].
//
//	cloud OPERATION ARG…
//	    Changes the server; see awsOperations. From the start it has the principals of package
//	    testenv: the user has its key, and the pull role trusts the user and the runner role.
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

// closed is a URL at which nothing listens.
const closed = "http://127.0.0.1:1"

const portal = "https://acme.awsapps.com/start"

type script struct {
	*testenv.Env
	server    string   // the server of the last get
	passwords []string // the passwords of all gets
	took      time.Duration
	asNobody  bool
	startedAs string // the helper's argv[0], if it isn't the helper's name
	program   string // the copy of the helper to run, if any
	tokens    int    // how many web identity tokens were issued
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

// makeMapsPrivate sets the mode that registry maps need. Their files were made with the umask.
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

// asNobody returns the attributes of a process that is user 12345 in its own user namespace. There
// it owns the files of this user but has no rights of root.
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

// runHelper runs the helper and prints its output into the log of the script.
func (s *script) runHelper(ts *testscript.TestScript, args []string) (r testenv.Result, argv []string, stdin string, err error) {
	argv = slices.Clone(args)
	if len(args) > 1 {
		stdin, argv = args[1], slices.Delete(argv, 1, 2)
		if file, ok := strings.CutPrefix(stdin, "<"); ok {
			stdin = ts.ReadFile(file)
		}
	}
	r, err = s.start(ts, argv, stdin)
	// A password of ECR has about 2,500 characters.
	fmt.Fprint(ts.Stdout(), password.ReplaceAllString(r.Stdout, "$1$2…"))
	fmt.Fprint(ts.Stderr(), r.Stderr)
	return r, argv, stdin, err
}

var password = regexp.MustCompile(`("Secret":"|"Basic )([^"]{16})[^"]+`)

// runTimeout is the time after which a run is killed.
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
	r, err := testenv.Capture(cmd)
	s.took = r.Took
	return r, errors.Join(err, ctx.Err(), unread())
}

// readsStdin reports whether the helper reads stdin with these arguments.
func readsStdin(argv []string) bool {
	return len(argv) == 0 || slices.Contains([]string{"get", "store", "erase", "kubelet"}, argv[0])
}

// withUnreadStdin gives the command a stdin that never ends, like a terminal that it inherits. The
// function it returns fails if the command has read any of it.
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
