// Package torture does to the built binary what a machine, a network and people can do
// to it, and counts what it answers. It needs root, to make devices, mounts and files of
// others. With -short each torment is shorter; none is left out.
package torture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"docker-credential-ecr-login/e2e/lab"
	"docker-credential-ecr-login/internal/standin"
)

// The people and hosts that the tests share.
const (
	runnerRole = "arn:aws:iam::111111111111:role/runner"
	pullRole   = "arn:aws:iam::222222222222:role/pull"
	userARN    = "arn:aws:iam::222222222222:user/ci"

	keyID  = "AKIAIOSFODNN7EXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

	host = "222222222222.dkr.ecr.ap-south-1.amazonaws.com"

	notFound = "credentials not found in native keychain\n"
)

func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "torture needs root")
		os.Exit(1)
	}
	status := m.Run()
	lab.Clean()
	report()
	os.Exit(status)
}

// withKeys is a lab with a user's keys in the environment.
func withKeys(t testing.TB) *lab.Lab {
	t.Helper()
	l := lab.New(t)
	l.Cloud.AddUser(userARN, keyID, secret)
	l.Set("AWS_ACCESS_KEY_ID="+keyID, "AWS_SECRET_ACCESS_KEY="+secret)
	return l
}

// onRunner is a lab on an instance whose role may assume another.
func onRunner(t testing.TB) *lab.Lab {
	t.Helper()
	l := lab.New(t)
	l.Cloud.AddRole(standin.Role{ARN: runnerRole})
	l.Cloud.AddRole(standin.Role{ARN: pullRole, Trusts: []string{runnerRole}})
	l.Cloud.SetInstanceRole(runnerRole)
	l.Write(t, ".aws/credentials", "[default]\nrole_arn="+pullRole+"\ncredential_source=Ec2InstanceMetadata\nregion=ap-south-1\n")
	return l
}

// A torment is something that is done to the binary, some number of times.
type torment struct {
	name  string
	tries int
	wrong int
	worst time.Duration
}

var torments struct {
	sync.Mutex
	all []*torment
}

// suffer begins a torment, which the report names as the test.
func suffer(t testing.TB) *torment {
	s := &torment{name: strings.TrimPrefix(t.Name(), "Test")}
	torments.Lock()
	defer torments.Unlock()
	torments.all = append(torments.all, s)
	return s
}

// report prints a table of all that was suffered.
func report() {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "fault\ttries\twrong answers\tworst time")
	for _, s := range torments.all {
		fmt.Fprintf(w, "%s\t%d\t%d\t%.2f s\n", s.name, s.tries, s.wrong, s.worst.Seconds())
	}
	w.Flush()
}

// judge counts an answer, and fails the test where it is wrong: neither a token that the
// registry takes from the principal that was asked for, nor a clear error.
func (s *torment) judge(t testing.TB, l *lab.Lab, r lab.Result, principal string) (password string) {
	t.Helper()
	password, err := verdict(l, r, principal)
	s.count(t, r, err)
	return password
}

// count counts an answer that was judged already.
func (s *torment) count(t testing.TB, r lab.Result, err error) {
	t.Helper()
	torments.Lock()
	defer torments.Unlock()
	s.tries++
	s.worst = max(s.worst, r.Took)
	if err != nil {
		s.wrong++
		t.Errorf("%v: status %d, stdout %.80q, stderr %.400q, after %v", err, r.Status, r.Stdout, r.Stderr, r.Took)
	}
}

// tooLong is what no answer may take, on a machine that is slow as well.
const tooLong = 20 * time.Second

// verdict tells what is wrong with an answer to a get. The password is empty for a clear
// error.
func verdict(l *lab.Lab, r lab.Result, principal string) (password string, err error) {
	switch {
	case r.Took > tooLong:
		return "", errors.New("it took too long")
	case strings.Contains(r.Stderr, "panic") || strings.Contains(r.Stderr, "goroutine"):
		return "", errors.New("it panics")
	case r.Status == 0:
		var c struct{ ServerURL, Username, Secret string }
		if err := json.Unmarshal([]byte(r.Stdout), &c); err != nil || r.Stderr != "" || c.ServerURL != host || c.Username != "AWS" {
			return "", errors.New("that is no answer")
		}
		who, err := l.Cloud.VerifyToken(c.Secret, host)
		if err != nil {
			return "", fmt.Errorf("the registry refuses the token: %w", err)
		}
		if !strings.Contains(who, principal) {
			return "", fmt.Errorf("the token is %s's", who)
		}
		return c.Secret, nil
	case r.Status == 1 && r.Stdout == notFound && clear(r.Stderr):
		return "", nil
	}
	return "", errors.New("that is no clear error")
}

// clear tells whether it is one line that says who says it.
func clear(stderr string) bool {
	return strings.Count(stderr, "\n") == 1 && strings.HasSuffix(stderr, "\n") && strings.HasPrefix(stderr, lab.Name+": ")
}

// must has a get answered with a token.
func (s *torment) must(t testing.TB, l *lab.Lab, principal string) (password string) {
	t.Helper()
	r := l.Run(t, "get", host)
	password = s.judge(t, l, r, principal)
	if password == "" && r.Status != 0 {
		s.wrong++
		t.Errorf("there is no token: %s", r.Stderr)
	}
	return password
}

// under runs a verb by another program, which gets the binary and the verb as its last
// arguments.
func under(t testing.TB, l *lab.Lab, verb, server string, program ...string) lab.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, errs strings.Builder
	cmd := exec.CommandContext(ctx, program[0], append(program[1:], lab.Binary(t), verb)...)
	cmd.Dir, cmd.Env = l.Home, l.Env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(server), &out, &errs
	start := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%s: %v", program, errors.Join(err, ctx.Err()))
	}
	return lab.Result{Stdout: out.String(), Stderr: errs.String(), Status: cmd.ProcessState.ExitCode(), Took: time.Since(start)}
}

// tokens is the folder of tokens.
func tokens(l *lab.Lab) string { return filepath.Join(l.Home, ".ecr/tokens") }

// tokenFile is the one token's.
func tokenFile(t testing.TB, l *lab.Lab) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(tokens(l), "*.token"))
	if err != nil || len(files) != 1 {
		t.Fatalf("tokens: %q, %v; want one", files, err)
	}
	return files[0]
}
