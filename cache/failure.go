package cache

import (
	"encoding/json"
	"os"
	"time"
)

// Kind sorts failures by what may be done about them.
type Kind string

const (
	// Denied: AWS knows the principal, or the key, and says no.
	Denied Kind = "denied"
	// Expired: a login, a session or a web identity has run out.
	Expired Kind = "expired"
	// Timeout: nobody answered.
	Timeout Kind = "timeout"
	// Unavailable: the answer was of no use, such as a 503, throttling, or a
	// credential process that failed.
	Unavailable Kind = "unavailable"
	// Misconfigured: nothing was asked, since what is configured can't work.
	Misconfigured Kind = "misconfigured"
)

// Failure is why there is no token. It is an error, and it is remembered for
// those who wait for the same token. It holds no secret.
type Failure struct {
	Kind Kind `json:"kind"`
	// Reason tells in one line what was asked of whom and what came of it.
	Reason string `json:"reason"`
	// Hint tells in one line what to do about it, where there is something.
	Hint string `json:"hint,omitempty"`
	// At is when it happened, on the local clock.
	At time.Time `json:"at"`
}

func (f *Failure) Error() string {
	if f.Hint == "" {
		return f.Reason
	}
	return f.Reason + "; " + f.Hint
}

// memory is a failure as the file holds it.
type failureFile struct {
	Family
	Failure
}

// PutFailure saves why the family has no token.
func (c *Cache) PutFailure(f Family, failure Failure) error {
	text, err := json.Marshal(failureFile{f, failure})
	if err != nil {
		return err
	}
	return c.write(f.prefix()+failureName, text, failure.At)
}

// Failure returns why the family's last fetch failed, unless a token was saved
// or the family purged since.
func (c *Cache) Failure(f Family) (Failure, bool) {
	var m failureFile
	text, err := c.readFile(f.prefix() + failureName)
	if err != nil || json.Unmarshal(text, &m) != nil || m.Family != f {
		return Failure{}, false
	}
	return m.Failure, true
}

// ClearFailure forgets why the family's last fetch failed.
func (c *Cache) ClearFailure(f Family) {
	if c.dir != "" {
		os.Remove(c.path(f.prefix() + failureName))
	}
}
