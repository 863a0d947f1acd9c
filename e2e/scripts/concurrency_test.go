package scripts

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// latency delays each request to AWS, so that processes that start together overlap there.
const latency = 150 * time.Millisecond

// mustCount fails the test unless exactly these requests were made.
func mustCount(t testing.TB, env *testenv.Env, want map[string]int) {
	t.Helper()
	got := env.AWS.Counts()
	for action, n := range want {
		if got[action] != n {
			t.Errorf("%d requests of %s, want %d", got[action], action, n)
		}
	}
	for action, n := range got {
		if _, ok := want[action]; !ok {
			t.Errorf("%d requests of %s, want none", n, action)
		}
	}
}

func TestHundredGetsMakeOneCall(t *testing.T) {
	env := testenv.WithKeys(t)
	env.NoTimeouts()
	env.AWS.SetLatency(latency)
	testenv.Concurrently(100, func(int) { env.Password(t, testenv.Host) })
	mustCount(t, env, map[string]int{"ecr:GetAuthorizationToken": 1})
}

func TestSixtyGetsAsRoleMakeOneCallEach(t *testing.T) {
	env := testenv.OnInstance(t)
	env.NoTimeouts()
	env.AWS.SetLatency(latency)
	testenv.Concurrently(60, func(int) { env.Password(t, testenv.Host) })
	mustCount(t, env, map[string]int{
		"imds:token": 1, "imds:roles": 1, "imds:credentials": 1,
		"sts:AssumeRole": 1, "ecr:GetAuthorizationToken": 1,
	})
}

func TestTwoHundredRegistriesShareOneCall(t *testing.T) {
	env := testenv.WithKeys(t)
	env.NoTimeouts()
	env.AWS.SetLatency(latency)
	get := func(i int) {
		env.Password(t, fmt.Sprintf("%012d.dkr.ecr.eu-west-1.amazonaws.com", i+1))
	}
	testenv.Concurrently(200, get)
	mustCount(t, env, map[string]int{"ecr:GetAuthorizationToken": 1})

	// No registry is lost from the cache.
	env.AWS.ResetCounts()
	list := env.Run(t, "list", "").Stdout
	if n := strings.Count(list, ".dkr.ecr.eu-west-1."); n != 200 {
		t.Errorf("%d of 200 registries are in the cache", n)
	}
}

func TestDeniedGetsShareTheReason(t *testing.T) {
	env := testenv.OnInstance(t)
	env.NoTimeouts()
	env.AWS.SetLatency(latency)
	env.AWS.Deny("sts:AssumeRole", testenv.PullRole)
	testenv.Concurrently(60, func(int) {
		r := env.Run(t, "get", testenv.Host)
		if r.Status != 1 || !strings.Contains(r.Stderr, "may not assume "+testenv.PullRole) {
			t.Errorf("status %d, stderr %q", r.Status, r.Stderr)
		}
	})
	// The processes that wait when AWS denies share that answer; a process that starts later calls
	// AWS again. Their number depends on how long the machine takes to start sixty processes.
	n := env.AWS.Count("sts:AssumeRole")
	t.Logf("60 denied gets made %d calls of STS", n)
	if n == 0 || n >= 60 {
		t.Errorf("60 denied gets made %d calls of STS, want fewer than 60", n)
	}
}

func TestStoppedLockHolder(t *testing.T) {
	env := testenv.WithKeys(t)
	env.HoldLock(t, syscall.SIGSTOP)
	testenv.Concurrently(3, func(int) { env.Password(t, testenv.Host) })
}

// Ten gets that wait for each other would take ten times the timeout.
func TestTenGetsTimeOutTogether(t *testing.T) {
	t.Parallel()
	env := testenv.WithKeys(t)
	env.Set("AWS_ECR_TIMEOUT")
	env.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Hang: true})
	testenv.Concurrently(10, func(int) {
		r := env.Run(t, "get", testenv.Host)
		if r.Status != 1 || !strings.Contains(r.Stderr, "no answer in time") {
			t.Errorf("status %d, stderr %q", r.Status, r.Stderr)
		}
	})
	// Each waits half of its time for the lock and then makes a request of its own.
	mustCount(t, env, map[string]int{"ecr:GetAuthorizationToken": 10})
}

// Whatever hangs, a get ends at its timeout and names the service that did not answer.
func TestTimeouts(t *testing.T) {
	const timeout = "4s" // more than the steps before the hang take on a busy machine
	for name, hang := range map[string]struct {
		action string
		silent string // a part of the message
		newEnv func(testing.TB) *testenv.Env
	}{
		"ECR":      {"ecr:GetAuthorizationToken", "api.ecr.ap-south-1.amazonaws.com gave no answer", testenv.WithKeys},
		"STS":      {"sts:AssumeRole", "sts.ap-south-1.amazonaws.com gave no answer", testenv.OnInstance},
		"metadata": {"imds:*", "metadata service at 127.0.0.1", testenv.OnInstance},
		"container": {"container:credentials", "container credentials endpoint 127.0.0.1", func(t testing.TB) *testenv.Env {
			env := testenv.New(t)
			env.AWS.SetContainerRole(testenv.RunnerRole, "")
			env.Set("AWS_CONTAINER_CREDENTIALS_FULL_URI=" + env.AWS.ContainerURL())
			return env
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := hang.newEnv(t)
			env.Set("AWS_ECR_TIMEOUT=" + timeout)
			env.AWS.Fail(hang.action, awstest.Fault{Hang: true})
			r := env.Run(t, "get", testenv.Host)
			if r.Status != 1 || strings.Count(r.Stderr, "\n") != 1 || !strings.Contains(r.Stderr, hang.silent) {
				t.Errorf("status %d, stderr %q; want one line with %q", r.Status, r.Stderr, hang.silent)
			}
			env.Set("AWS_ECR_TIMEOUT")
			env.AWS.Heal(hang.action)
			env.Password(t, testenv.Host)
		})
	}
}

// Verbs that run at the same time, in one cache, don't make a get fail.
func TestAllVerbsAtOnce(t *testing.T) {
	env := testenv.WithKeys(t)
	testenv.Concurrently(120, func(i int) {
		switch i % 4 {
		case 0, 1:
			env.Password(t, testenv.Host)
		case 2:
			if r := env.Run(t, "erase", testenv.Host); r.Status != 0 || r.Stderr != "" {
				t.Errorf("erase: status %d, stderr %q", r.Status, r.Stderr)
			}
		case 3:
			if r := env.Run(t, "list", ""); r.Status != 0 || !strings.HasPrefix(r.Stdout, "{") {
				t.Errorf("list: status %d, stdout %q", r.Status, r.Stdout)
			}
		}
	})
	if _, err := env.AWS.VerifyToken(env.Password(t, testenv.Host), "111111111111.dkr.ecr.ap-south-1.amazonaws.com"); err != nil {
		t.Errorf("after all verbs: %v", err)
	}
}

// One process renews a token that is no longer fresh. All others get the old one at once and don't
// wait for a service that hangs.
func TestOneGetRenewsForAll(t *testing.T) {
	env := testenv.WithKeys(t)
	old := env.Password(t, testenv.Host)
	testenv.Must(t, testenv.Age(env.TokenFile(t), 7*time.Hour))
	env.AWS.ResetCounts()
	env.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Hang: true})
	testenv.Concurrently(40, func(int) {
		if password := env.Password(t, testenv.Host); password != old {
			t.Error("another token than the one that still works")
		}
	})
	mustCount(t, env, map[string]int{"ecr:GetAuthorizationToken": 1})
}
