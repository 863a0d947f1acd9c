package scripts

import (
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// At a terminal, a command that takes longer than a second shows what it waits for, and removes
// that line afterwards. The verbs of Docker's protocol never do.
func TestTerminal(t *testing.T) {
	const (
		gone    = "\r\x1b[K"
		waiting = "asking AWS who this is …" + gone
	)
	env := testenv.OnInstance(t)
	env.AWS.Handle(testenv.Host, env.AWS.RegistryAuth(testenv.Host, images("")))
	begin := time.Now()
	shown := env.RunAtTerminal(t, "doctor "+testenv.Host, "")
	wasQuick := time.Since(begin) < time.Second // false on a busy machine
	if !strings.Contains(shown, "\x1b[32mok      \x1b[0m registry") || wasQuick && strings.Contains(shown, "…"+gone) {
		t.Errorf("doctor, with nothing to wait for: %q", shown)
	}
	env.Set("NO_COLOR=1")
	if shown := env.RunAtTerminal(t, "doctor "+testenv.Host, ""); strings.Contains(shown, "\x1b[") || !strings.Contains(shown, "ok       registry") {
		t.Errorf("doctor without colours: %q", shown)
	}
	env.AWS.Fail("sts:*", awstest.Fault{Delay: 1200 * time.Millisecond})
	if shown := env.RunAtTerminal(t, "doctor "+testenv.Host, ""); !strings.Contains(shown, waiting+"ok       identity") {
		t.Errorf("doctor: %q", shown)
	}
	if shown := env.RunAtTerminal(t, "whoami "+testenv.Host, ""); !strings.Contains(shown, waiting+testenv.Host+": arn:aws:sts::222222222222:assumed-role/pull/") {
		t.Errorf("whoami: %q", shown)
	}
	for _, verb := range []string{"get", "list"} {
		if shown := env.RunAtTerminal(t, verb, testenv.Host); strings.ContainsAny(shown, "\r\x1b…") || strings.Count(shown, "\n") != 1 {
			t.Errorf("%s: %q", verb, shown)
		}
	}
}
