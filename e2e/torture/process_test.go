package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/lab"
	"docker-credential-ecr-login/internal/standin"
)

// times is how often something is done, and a tenth of that in a short run.
func times(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// A get is killed at some point of its life. Every get after it is right, and once
// something is saved nothing but tokens and locks is left.
func TestKilled(t *testing.T) {
	const principal = "assumed-role/pull/"
	l, s := onRunner(t), suffer(t)
	took := l.Run(t, "get", host).Took
	for i := range times(1000) {
		if i%2 == 0 { // else it finds a token, or what the last one has left
			files, _ := filepath.Glob(filepath.Join(tokens(l), "*.token"))
			for _, file := range files {
				must(t, os.Remove(file))
			}
		}
		cmd := l.Command(t.Context(), "get", host)
		must(t, cmd.Start())
		time.Sleep(time.Duration(rand.Int64N(int64(took))))
		cmd.Process.Kill()
		cmd.Wait()
		s.must(t, l, principal)
	}
	l.Run(t, "erase", host)
	s.must(t, l, principal)
	wantNothingLeft(t, l)
}

// wantNothingLeft checks that the folder of tokens holds live tokens and locks alone.
func wantNothingLeft(t *testing.T, l *lab.Lab) {
	t.Helper()
	entries, err := os.ReadDir(tokens(l))
	must(t, err)
	for _, entry := range entries {
		if name := entry.Name(); !strings.HasSuffix(name, ".token") && !strings.HasSuffix(name, ".lock") {
			t.Errorf("%s is left", name)
		}
	}
}

// It is told to end while it asks AWS, or nobody reads its answer.
func TestSignals(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGHUP": syscall.SIGHUP, "SIGPIPE": syscall.SIGPIPE} {
		t.Run(name, func(t *testing.T) {
			l, s := withKeys(t), suffer(t)
			for range times(50) {
				l.Run(t, "erase", host)
				l.Cloud.ResetCounts()
				l.Cloud.Fail("ecr:GetAuthorizationToken", standin.Fault{Hang: true, Times: 1})
				cmd := l.Command(t.Context(), "get", host)
				must(t, cmd.Start())
				must(t, l.Cloud.Await(t.Context(), "ecr:GetAuthorizationToken", 1))
				must(t, cmd.Process.Signal(sig))
				if sig == syscall.SIGPIPE { // which Go takes for a broken connection
					cmd.Process.Kill()
				}
				cmd.Wait()
				s.must(t, l, userARN)
			}
			wantNothingLeft(t, l)
		})
	}
}

func TestClosedStreams(t *testing.T) {
	for _, streams := range []string{">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full"} {
		t.Run(streams, func(t *testing.T) {
			l, s := withKeys(t), suffer(t)
			for _, verb := range []string{"get", "list", "erase", "store", "version"} {
				r := under(t, l, verb, host, "sh", "-c", `exec "$0" "$@" `+streams)
				var err error
				switch {
				case strings.Contains(r.Stderr, "panic") || strings.Contains(r.Stderr, "goroutine"):
					err = fmt.Errorf("%s panics", verb)
				case r.Status > 1:
					err = fmt.Errorf("%s ends with status %d", verb, r.Status)
				}
				s.count(t, r, err)
			}
			s.must(t, l, userARN)
		})
	}
}

// The one that holds the lock is stopped or killed.
func TestLockHolder(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"stopped": syscall.SIGSTOP, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			l, s := withKeys(t), suffer(t)
			l.Set("AWS_ECR_TIMEOUT=3s")
			l.Cloud.Fail("ecr:GetAuthorizationToken", standin.Fault{Hang: true, Times: 1})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			holder := l.Command(ctx, "get", host)
			must(t, holder.Start())
			defer holder.Wait()
			defer holder.Process.Kill()
			must(t, l.Cloud.Await(ctx, "ecr:GetAuthorizationToken", 1))
			must(t, holder.Process.Signal(sig))
			lab.Crowd(times(50), func(int) { s.must(t, l, userARN) })
		})
	}
}

// Many processes at once do everything there is to do.
func TestStorm(t *testing.T) {
	l, s := withKeys(t), suffer(t)
	l.Cloud.Grant("333333333333", userARN)
	const atOnce = 200
	for range times(2000) / atOnce {
		lab.Crowd(atOnce, func(i int) {
			switch i % 10 {
			case 0:
				r := l.Run(t, "erase", host)
				s.count(t, r, wantSilence(r, ""))
			case 1:
				r := l.Run(t, "list", "")
				s.count(t, r, wantSilence(r, "{"))
			case 2:
				r := l.Run(t, "get", "docker.io")
				if r.Status != 1 || r.Stdout != notFound || r.Stderr != "" {
					s.count(t, r, fmt.Errorf("not found, and no more"))
				}
			default:
				s.must(t, l, userARN)
			}
		})
	}
	s.must(t, l, userARN)
	wantNothingLeft(t, l)
}

func wantSilence(r lab.Result, begin string) error {
	if r.Status != 0 || r.Stderr != "" || !strings.HasPrefix(r.Stdout, begin) {
		return fmt.Errorf("it fails")
	}
	return nil
}

// With any umask what is kept is for its user alone.
func TestUmask(t *testing.T) {
	for _, mask := range []string{"000", "077", "777"} {
		t.Run(mask, func(t *testing.T) {
			l, s := withKeys(t), suffer(t)
			l.Set("AWS_ECR_LOG_LEVEL=debug")
			for range 2 {
				s.judge(t, l, under(t, l, "get", host, "sh", "-c", "umask "+mask+`; exec "$0" "$@"`), userARN)
			}
			if n := l.Cloud.Count("ecr:GetAuthorizationToken"); n != 1 {
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

// Few file descriptors, little memory, little processor time, no processes: a token or a
// clear error, and the next one is right.
func TestLimits(t *testing.T) {
	prlimit, err := exec.LookPath("prlimit")
	must(t, err)
	for _, limit := range []string{
		"--nofile=3", "--nofile=4", "--nofile=5", "--nofile=6", "--nofile=7", "--nofile=8", "--nofile=10", "--nofile=16",
		"--fsize=0", "--fsize=100", "--core=0", "--stack=65536", "--memlock=0", "--data=2000000000",
	} {
		t.Run(limit, func(t *testing.T) {
			l, s := withKeys(t), suffer(t)
			for range 2 {
				s.judge(t, l, under(t, l, "get", host, prlimit, limit), userARN)
			}
			s.must(t, l, userARN)
			s.judge(t, l, under(t, l, "get", host, prlimit, limit), userARN)
		})
	}
}

// With nothing but what FIPS 140 approves of, which excludes MD5 and SHA-1.
func TestFIPS(t *testing.T) {
	for name, l := range map[string]*lab.Lab{"role": onRunner(t), "keys": withKeys(t)} {
		t.Run(name, func(t *testing.T) {
			s := suffer(t)
			l.Set("GODEBUG=fips140=only")
			principal := map[string]string{"role": "assumed-role/pull/", "keys": userARN}[name]
			s.must(t, l, principal)
			s.must(t, l, principal)
			l.Run(t, "erase", host)
			s.must(t, l, principal)
		})
	}
}
