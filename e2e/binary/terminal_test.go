package binary

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"docker-credential-ecr-login/e2e/lab"
	"docker-credential-ecr-login/internal/standin"
)

// atTerminal runs the binary with stdout and stderr at a terminal, and returns what that
// showed.
func atTerminal(t *testing.T, l *lab.Lab, verb, server string) string {
	t.Helper()
	terminal, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	cmd := l.Command(t.Context(), verb, server)
	cmd.Stdout, cmd.Stderr = tty, tty
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	var shown bytes.Buffer
	if _, err := io.Copy(&shown, terminal); err != nil && !errors.Is(err, syscall.EIO) { // its end
		t.Error(err)
	}
	cmd.Wait()
	return strings.ReplaceAll(shown.String(), "\r\n", "\n")
}

// What takes longer than a second tells a person what it waits for, and takes that away; the
// verbs of the protocol never do.
func TestTerminal(t *testing.T) {
	const (
		gone    = "\r\x1b[K"
		waiting = "asking AWS who this is …" + gone
	)
	l := lab.OnInstance(t)
	l.Cloud.Handle(lab.Host, l.Cloud.RegistryGate(lab.Host, images("")))
	if shown := atTerminal(t, l, "doctor "+lab.Host, ""); !strings.Contains(shown, "\x1b[32mok      \x1b[0m registry") || strings.Contains(shown, "…"+gone) {
		t.Errorf("doctor, with nothing to wait for: %q", shown)
	}
	l.Set("NO_COLOR=1")
	if shown := atTerminal(t, l, "doctor "+lab.Host, ""); strings.Contains(shown, "\x1b[") || !strings.Contains(shown, "ok       registry") {
		t.Errorf("doctor without colours: %q", shown)
	}
	l.Cloud.Fail("sts:*", standin.Fault{Delay: 1200 * time.Millisecond})
	if shown := atTerminal(t, l, "doctor "+lab.Host, ""); !strings.Contains(shown, waiting+"ok       identity") {
		t.Errorf("doctor: %q", shown)
	}
	if shown := atTerminal(t, l, "whoami "+lab.Host, ""); !strings.Contains(shown, waiting+lab.Host+": arn:aws:sts::222222222222:assumed-role/pull/") {
		t.Errorf("whoami: %q", shown)
	}
	for _, verb := range []string{"get", "list"} {
		if shown := atTerminal(t, l, verb, lab.Host); strings.ContainsAny(shown, "\r\x1b…") || strings.Count(shown, "\n") != 1 {
			t.Errorf("%s: %q", verb, shown)
		}
	}
}
