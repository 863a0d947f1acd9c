package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// A get that finds no token is killed, at points that are spread over its life. Every get after
// it is right, and once something is saved nothing but tokens and locks is left.
func TestKilled(t *testing.T) {
	const principal = "assumed-role/pull/"
	l, s := testenv.OnInstance(t), testenv.NewFault(t)
	took := l.Run(t, "get", testenv.Host).Took
	n := testenv.Times(1000)
	for i := range n {
		must(t, os.Remove(l.TokenFile(t)))
		cmd := l.Command(t.Context(), "get", testenv.Host)
		must(t, cmd.Start())
		time.Sleep(took * time.Duration(i) / time.Duration(n))
		cmd.Process.Kill()
		cmd.Wait()
		s.MustGet(t, l, principal)
	}
	l.Run(t, "erase", testenv.Host)
	s.MustGet(t, l, principal)
	s.CheckLeftovers(t, l)
}

// It is told to end while it asks AWS, or nobody reads its answer.
func TestSignals(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGHUP": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			l, s := testenv.WithKeys(t), testenv.NewFault(t)
			for range testenv.Times(50) {
				l.Run(t, "erase", testenv.Host)
				l.AWS.ResetCounts()
				l.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Hang: true, Times: 1})
				cmd := l.Command(t.Context(), "get", testenv.Host)
				must(t, cmd.Start())
				must(t, l.AWS.Await(t.Context(), "ecr:GetAuthorizationToken", 1))
				must(t, cmd.Process.Signal(sig))
				cmd.Wait()
				s.MustGet(t, l, testenv.UserARN)
			}
			s.CheckLeftovers(t, l)
		})
	}
}

func TestClosedStreams(t *testing.T) {
	for _, streams := range []string{">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full"} {
		t.Run(streams, func(t *testing.T) {
			l, s := testenv.WithKeys(t), testenv.NewFault(t)
			for _, verb := range []string{"get", "list", "erase", "store", "version"} {
				r := l.Run(t, verb, testenv.Host, "sh", "-c", `exec "$0" "$@" `+streams)
				var err error
				switch {
				case testenv.Panics(r):
					err = fmt.Errorf("%s panics", verb)
				case r.Status > 1:
					err = fmt.Errorf("%s ends with status %d", verb, r.Status)
				}
				s.Count(t, r, err)
			}
			s.MustGet(t, l, testenv.UserARN)
		})
	}
}

// The one that holds the lock is stopped or killed.
func TestLockHolder(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"stopped": syscall.SIGSTOP, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			l, s := testenv.WithKeys(t), testenv.NewFault(t)
			l.Set("AWS_ECR_TIMEOUT=10s")
			l.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Hang: true, Times: 1})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			holder := l.Command(ctx, "get", testenv.Host)
			must(t, holder.Start())
			defer holder.Wait()
			defer holder.Process.Kill()
			must(t, l.AWS.Await(ctx, "ecr:GetAuthorizationToken", 1))
			must(t, holder.Process.Signal(sig))
			testenv.Concurrently(testenv.Times(50), func(int) { s.MustGet(t, l, testenv.UserARN) })
		})
	}
}

// Many processes of several principals do everything at once that there is to do, in one
// cache. Each gets its own principal's token.
func TestVerbsAtOnce(t *testing.T) {
	l, s := testenv.WithKeys(t), testenv.NewFault(t)
	l.NoTimeouts()
	l.AWS.AddRole(awstest.Role{ARN: testenv.PullRole, Trusts: []string{testenv.UserARN}})
	const otherRole = "arn:aws:iam::222222222222:role/other"
	l.AWS.AddRole(awstest.Role{ARN: otherRole, Trusts: []string{testenv.UserARN}})
	principals := []string{testenv.UserARN, "assumed-role/pull/", "assumed-role/other/"}
	labs := []*testenv.Env{l, {}, {}}
	for i, role := range []string{testenv.PullRole, otherRole} {
		*labs[i+1] = *l
		labs[i+1].Set("AWS_ECR_ROLE_ARN=" + role)
	}

	// Else a list asks the instance metadata service, which gets no more time in a storm.
	for _, l := range labs {
		l.Set("AWS_REGION=ap-south-1")
	}
	const atOnce = 200
	for range testenv.Times(2000) / atOnce {
		testenv.Concurrently(atOnce, func(i int) {
			l, principal := labs[i%len(labs)], principals[i%len(labs)]
			switch i / len(labs) % 10 {
			case 0:
				r := l.Run(t, "erase", testenv.Host)
				s.Count(t, r, checkSuccess(r, ""))
			case 1:
				r := l.Run(t, "list", "")
				s.Count(t, r, checkSuccess(r, "{"))
			case 2:
				r := l.Run(t, "get", "docker.io")
				var err error
				if r.Status != 1 || r.Stdout != testenv.NotFound || r.Stderr != "" {
					err = errors.New("not found, and no more, is the answer")
				}
				s.Count(t, r, err)
			default:
				s.MustGet(t, l, principal)
			}
		})
	}
	for i, l := range labs {
		s.MustGet(t, l, principals[i])
	}
	s.CheckLeftovers(t, l)
}

func checkSuccess(r testenv.Result, begin string) error {
	if r.Status != 0 || r.Stderr != "" || !strings.HasPrefix(r.Stdout, begin) {
		return fmt.Errorf("it fails")
	}
	return nil
}

// With any umask what is kept is for its user alone.
func TestUmask(t *testing.T) {
	for _, mask := range []string{"000", "077", "777"} {
		t.Run(mask, func(t *testing.T) {
			l, s := testenv.WithKeys(t), testenv.NewFault(t)
			l.Set("AWS_ECR_LOG_LEVEL=debug")
			for range 2 {
				s.Check(t, l, l.Run(t, "get", testenv.Host, "sh", "-c", "umask "+mask+`; exec "$0" "$@"`), testenv.UserARN)
			}
			if n := l.AWS.Count("ecr:GetAuthorizationToken"); n != 1 {
				t.Errorf("%d requests for two gets", n)
			}
			err := filepath.Walk(filepath.Join(l.Home, ".ecr"), func(path string, info os.FileInfo, err error) error {
				if err == nil && info.Mode().Perm()&0o077 != 0 {
					err = fmt.Errorf("%s has mode %v", path, info.Mode())
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// With nothing but what FIPS 140 approves of, which excludes MD5 and SHA-1.
func TestFIPS(t *testing.T) {
	for name, l := range map[string]*testenv.Env{"role": testenv.OnInstance(t), "keys": testenv.WithKeys(t)} {
		t.Run(name, func(t *testing.T) {
			s := testenv.NewFault(t)
			l.Set("GODEBUG=fips140=only")
			principal := map[string]string{"role": "assumed-role/pull/", "keys": testenv.UserARN}[name]
			s.MustGet(t, l, principal)
			s.MustGet(t, l, principal)
			l.Run(t, "erase", testenv.Host)
			s.MustGet(t, l, principal)
		})
	}
}
