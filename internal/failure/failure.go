// Package failure holds why a registry has no token, and its kind.
package failure

import (
	"fmt"
	"time"
)

// Kind sorts failures by what the user may do about them.
type Kind string

const (
	// Denied: AWS knows the principal, or the key, and refuses.
	Denied Kind = "denied"
	// Expired: a login, a session or a web identity has expired.
	Expired Kind = "expired"
	// Timeout: nobody answered.
	Timeout Kind = "timeout"
	// Unavailable: the answer was of no use, such as a 503, throttling, or a credential process
	// that failed.
	Unavailable Kind = "unavailable"
	// Misconfigured: nothing was asked, since the configuration can't work.
	Misconfigured Kind = "misconfigured"
)

// Failure is the error that says why there is no token. It holds no secret. The cache keeps it for
// those who wait for the same token.
type Failure struct {
	Kind Kind `json:"kind"`
	// Reason says in one line what was asked of whom and what came of it.
	Reason string `json:"reason"`
	// Hint says in one line what to do about it, empty if unknown.
	Hint string `json:"hint,omitempty"`
	// At is when it happened, on the local clock.
	At time.Time `json:"at"`
}

// New returns a failure that happens now.
func New(kind Kind, hint, format string, args ...any) *Failure {
	return &Failure{Kind: kind, Reason: fmt.Sprintf(format, args...), Hint: hint, At: time.Now()}
}

// Error returns the reason and the hint.
func (f *Failure) Error() string {
	if f.Hint == "" {
		return f.Reason
	}
	return f.Reason + "; " + f.Hint
}
