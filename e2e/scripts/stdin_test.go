package scripts

import (
	"bytes"
	"io"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// The timeout starts when stdin has been read, because a person may type it.
func TestSlowStdin(t *testing.T) {
	// More than the timeout below and the second that the watchdog adds.
	const typing = 1500 * time.Millisecond
	env := testenv.WithKeys(t)
	env.Password(t, testenv.Host)
	env.Set("AWS_ECR_TIMEOUT=1ms")
	for _, server := range []string{testenv.Host, "docker.io"} {
		cmd := env.Command(t.Context(), "get", "")
		cmd.Stdin = nil
		stdin, err := cmd.StdinPipe()
		testenv.Must(t, err)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		testenv.Must(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case err := <-ended:
			t.Errorf("%s: it didn't wait for stdin: %v, stderr %q", server, err, errs.String())
			continue
		case <-time.After(typing):
		}
		if _, err := io.WriteString(stdin, server); err != nil {
			t.Error(err)
		}
		stdin.Close()
		if err := <-ended; (err == nil) != (server == testenv.Host) || errs.Len() > 0 {
			t.Errorf("%s: %v, stderr %q", server, err, errs.String())
		}
	}
}
