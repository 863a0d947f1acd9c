package testenv

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
	"unicode"
)

// A Fault counts how the helper behaves while something is wrong: how often it ran, how often its
// result was wrong, and how long the slowest run took.
type Fault struct {
	name string

	mu    sync.Mutex
	tries int
	wrong int
	worst time.Duration
}

var faults struct {
	sync.Mutex
	all []*Fault
}

// NewFault returns a new Fault, which [Report] prints under the name of the test.
func NewFault(t testing.TB) *Fault {
	f := &Fault{name: strings.TrimPrefix(t.Name(), "Test")}
	faults.Lock()
	defer faults.Unlock()
	faults.all = append(faults.all, f)
	return f
}

// Report prints a table of all faults, one line a test. A TestMain calls it last.
func Report() {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "fault\tkinds\ttries\twrong answers\tworst time")
	for all := faults.all; len(all) > 0; {
		name, _, _ := strings.Cut(all[0].name, "/")
		var sum Fault
		kinds := 0
		all = slices.DeleteFunc(all, func(f *Fault) bool {
			if test, _, _ := strings.Cut(f.name, "/"); test != name {
				return false
			}
			kinds++
			sum.tries, sum.wrong, sum.worst = sum.tries+f.tries, sum.wrong+f.wrong, max(sum.worst, f.worst)
			return true
		})
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.2f s\n", name, kinds, sum.tries, sum.wrong, sum.worst.Seconds())
	}
	w.Flush()
}

// Times returns how often a test repeats something slow: n times, or n/10 times with -short.
func Times(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// Check counts the result of a get of [Host]. The result is right if it is a clear error, or a
// token that the registry accepts and that belongs to a principal whose ARN contains principal.
// For an error the password is empty.
func (f *Fault) Check(t testing.TB, e *Env, r Result, principal string) (password string) {
	t.Helper()
	password, err := checkGet(e, r, principal)
	f.Count(t, r, err)
	return password
}

// MustGet runs a get of [Host] and counts the result. An error of the helper is wrong, too.
func (f *Fault) MustGet(t testing.TB, e *Env, principal string) (password string) {
	t.Helper()
	r := e.Run(t, "get", Host)
	password, err := checkGet(e, r, principal)
	if err == nil && password == "" {
		err = errors.New("there is no token")
	}
	f.Count(t, r, err)
	return password
}

// Count counts a result that the test has checked itself. The result is wrong if err isn't nil.
func (f *Fault) Count(t testing.TB, r Result, err error) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tries++
	f.worst = max(f.worst, r.Took)
	if err != nil {
		f.wrong++
		t.Errorf("%v: status %d, stdout %.80q, stderr %.400q, after %v", err, r.Status, r.Stdout, r.Stderr, r.Took)
	}
}

// Errorf fails the test, and counts a result as wrong that Count has counted as right.
func (f *Fault) Errorf(t testing.TB, format string, args ...any) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrong++
	t.Errorf(format, args...)
}

// maxTime is the longest that a get may take, also on a slow machine.
const maxTime = 20 * time.Second

// checkGet returns the password that a get has printed, and what is wrong with its result. For a
// clear error of the helper both are empty.
func checkGet(e *Env, r Result, principal string) (password string, err error) {
	switch {
	case r.Took > maxTime:
		return "", errors.New("it took too long")
	case Panics(r):
		return "", errors.New("it panics")
	case strings.Contains(r.Stderr, "a disk that holds"):
		return "", errors.New("the watchdog had to end it, though no disk hangs")
	case r.Status == 0:
		c, err := r.Credentials()
		if err != nil || c.ServerURL != Host {
			return "", errors.New("that is no answer")
		}
		owner, err := e.AWS.VerifyToken(c.Secret, Host)
		if err != nil {
			return "", fmt.Errorf("the registry refuses the token: %w", err)
		}
		if !strings.Contains(owner, principal) {
			return "", fmt.Errorf("the token is %s's", owner)
		}
		return c.Secret, nil
	case r.Status == 1 && r.Stdout == NotFound && IsClearError(r.Stderr):
		return "", nil
	}
	return "", errors.New("that is no clear error")
}

// Panics reports whether the helper ended with a stack trace of Go.
func Panics(r Result) bool {
	return strings.Contains(r.Stderr, "panic") || strings.Contains(r.Stderr, "goroutine")
}

// IsClearError reports whether stderr is one printable line that begins with the helper's name.
func IsClearError(stderr string) bool {
	line, ok := strings.CutSuffix(stderr, "\n")
	return ok && strings.HasPrefix(line, Name+": ") && IsPrintable(line)
}

// IsPrintable reports whether a line has no control characters.
func IsPrintable(line string) bool {
	return !strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) })
}

// CheckLeftovers checks that the token directory holds nothing but tokens that haven't expired,
// locks and known registries.
func (f *Fault) CheckLeftovers(t testing.TB, e *Env) {
	t.Helper()
	entries, err := os.ReadDir(e.TokenDir())
	Must(t, err)
	for _, entry := range entries {
		info, err := entry.Info()
		Must(t, err)
		switch name := entry.Name(); {
		case strings.HasSuffix(name, ".lock"), strings.HasSuffix(name, ".known"):
		// The modification time of a token's file is the time at which the token expires.
		case strings.HasSuffix(name, ".token") && time.Now().Before(info.ModTime()):
		default:
			f.Errorf(t, "%s is left", name)
		}
	}
}
