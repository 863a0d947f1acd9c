package faults

import (
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

// A get that needs a new token is killed, at points spread over its run time. Every get after it is
// right. After the next save the directory holds tokens and locks only.
func TestKilled(t *testing.T) {
	const principal = "assumed-role/pull/"
	env, fault := testenv.OnInstance(t), testenv.NewFault(t)
	took := env.Run(t, "get", testenv.Host).Took
	n := testenv.Times(1000)
	for i := range n {
		testenv.Must(t, os.Remove(env.TokenFile(t)))
		cmd := env.Command(t.Context(), "get", testenv.Host)
		testenv.Must(t, cmd.Start())
		time.Sleep(took * time.Duration(i) / time.Duration(n))
		cmd.Process.Kill()
		cmd.Wait()
		fault.MustGet(t, env, principal)
	}
	env.Run(t, "erase", testenv.Host)
	fault.MustGet(t, env, principal)
	fault.CheckLeftovers(t, env)
}

// A signal ends a get while it waits for AWS.
func TestSignals(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGHUP": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			env, fault := testenv.WithKeys(t), testenv.NewFault(t)
			for range testenv.Times(50) {
				env.Run(t, "erase", testenv.Host)
				env.AWS.ResetCounts()
				env.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Hang: true, Times: 1})
				cmd := env.Command(t.Context(), "get", testenv.Host)
				testenv.Must(t, cmd.Start())
				testenv.Must(t, env.AWS.Await(t.Context(), "ecr:GetAuthorizationToken", 1))
				testenv.Must(t, cmd.Process.Signal(sig))
				cmd.Wait()
				fault.MustGet(t, env, testenv.UserARN)
			}
			fault.CheckLeftovers(t, env)
		})
	}
}

// Stdin, stdout or stderr is closed, or can't be written to.
func TestClosedStreams(t *testing.T) {
	for _, streams := range []string{">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full"} {
		t.Run(streams, func(t *testing.T) {
			env, fault := testenv.WithKeys(t), testenv.NewFault(t)
			for _, verb := range []string{"get", "list", "erase", "store", "version"} {
				r := env.Run(t, verb, testenv.Host, "sh", "-c", `exec "$0" "$@" `+streams)
				var err error
				switch {
				case testenv.Panics(r):
					err = fmt.Errorf("%s panics", verb)
				case r.Status > 1:
					err = fmt.Errorf("%s ends with status %d", verb, r.Status)
				}
				fault.Count(t, r, err)
			}
			fault.MustGet(t, env, testenv.UserARN)
		})
	}
}

// The process that holds the lock is stopped or killed.
func TestLockHolder(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"stopped": syscall.SIGSTOP, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			env, fault := testenv.WithKeys(t), testenv.NewFault(t)
			env.HoldLock(t, sig)
			testenv.Concurrently(testenv.Times(50), func(int) { fault.MustGet(t, env, testenv.UserARN) })
		})
	}
}

// Many processes of several principals run all verbs at once, in one cache. Each gets a token of
// its own principal.
func TestVerbsAtOnce(t *testing.T) {
	env, fault := testenv.WithKeys(t), testenv.NewFault(t)
	env.NoTimeouts()
	env.AWS.AddRole(awstest.Role{ARN: testenv.PullRole, Trusts: []string{testenv.UserARN}})
	const otherRole = "arn:aws:iam::222222222222:role/other"
	env.AWS.AddRole(awstest.Role{ARN: otherRole, Trusts: []string{testenv.UserARN}})
	principals := []string{testenv.UserARN, "assumed-role/pull/", "assumed-role/other/"}
	envs := []*testenv.Env{env, {}, {}}
	for i, role := range []string{testenv.PullRole, otherRole} {
		*envs[i+1] = *env
		envs[i+1].Set("AWS_ECR_ROLE_ARN=" + role)
	}

	// Without a region, list calls the instance metadata service, whose timeout is short.
	for _, env := range envs {
		env.Set("AWS_REGION=ap-south-1")
	}
	const atOnce = 200
	for range testenv.Times(2000) / atOnce {
		testenv.Concurrently(atOnce, func(i int) {
			env, principal := envs[i%len(envs)], principals[i%len(envs)]
			switch i / len(envs) % 10 {
			case 0:
				r := env.Run(t, "erase", testenv.Host)
				fault.Count(t, r, checkSuccess(r, ""))
			case 1:
				r := env.Run(t, "list", "")
				fault.Count(t, r, checkSuccess(r, "{"))
			case 2:
				r := env.Run(t, "get", "docker.io")
				var err error
				if r.Status != 1 || r.Stdout != testenv.NotFound || r.Stderr != "" {
					err = errors.New("not found, and no more, is the answer")
				}
				fault.Count(t, r, err)
			default:
				fault.MustGet(t, env, principal)
			}
		})
	}
	for i, env := range envs {
		fault.MustGet(t, env, principals[i])
	}
	fault.CheckLeftovers(t, env)
}

// checkSuccess returns what is wrong with a result that should succeed and print something that
// begins with a text.
func checkSuccess(r testenv.Result, begin string) error {
	if r.Status != 0 || r.Stderr != "" || !strings.HasPrefix(r.Stdout, begin) {
		return fmt.Errorf("it fails")
	}
	return nil
}

// With any umask, the files of the cache are accessible to their user alone.
func TestUmask(t *testing.T) {
	for _, mask := range []string{"000", "077", "777"} {
		t.Run(mask, func(t *testing.T) {
			env, fault := testenv.WithKeys(t), testenv.NewFault(t)
			env.Set("AWS_ECR_LOG_LEVEL=debug")
			for range 2 {
				fault.Check(t, env, env.Run(t, "get", testenv.Host, "sh", "-c", "umask "+mask+`; exec "$0" "$@"`), testenv.UserARN)
			}
			if n := env.AWS.Count("ecr:GetAuthorizationToken"); n != 1 {
				t.Errorf("%d requests for two gets", n)
			}
			err := filepath.Walk(filepath.Join(env.Home, ".ecr"), func(path string, info os.FileInfo, err error) error {
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

// The helper works with FIPS 140-approved algorithms alone, so without MD5 and SHA-1.
func TestFIPS(t *testing.T) {
	for name, env := range map[string]*testenv.Env{"role": testenv.OnInstance(t), "keys": testenv.WithKeys(t)} {
		t.Run(name, func(t *testing.T) {
			fault := testenv.NewFault(t)
			env.Set("GODEBUG=fips140=only")
			principal := map[string]string{"role": "assumed-role/pull/", "keys": testenv.UserARN}[name]
			fault.MustGet(t, env, principal)
			fault.MustGet(t, env, principal)
			env.Run(t, "erase", testenv.Host)
			fault.MustGet(t, env, principal)
		})
	}
}
