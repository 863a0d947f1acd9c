package testenv

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// RunAtTerminal runs the helper with stdout and stderr at a terminal, and returns what the terminal
// received.
func (e *Env) RunAtTerminal(t testing.TB, verb, server string) string {
	t.Helper()
	terminal, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	ctx, cancel := context.WithTimeout(context.Background(), runTimeout)
	defer cancel()
	cmd := e.Command(ctx, verb, server)
	cmd.Stdout, cmd.Stderr = tty, tty
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	var shown bytes.Buffer
	if _, err := io.Copy(&shown, terminal); err != nil && !errors.Is(err, syscall.EIO) { // EIO: the helper has ended
		t.Error(err)
	}
	cmd.Wait()
	return strings.ReplaceAll(shown.String(), "\r\n", "\n")
}
