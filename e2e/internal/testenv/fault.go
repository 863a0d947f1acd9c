package testenv

import (
	"encoding/json"
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

// A Fault is something that is done, some number of times.
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

// NewFault begins a fault, which the report names as the test.
func NewFault(t testing.TB) *Fault {
	f := &Fault{name: strings.TrimPrefix(t.Name(), "Test")}
	faults.Lock()
	defer faults.Unlock()
	faults.all = append(faults.all, f)
	return f
}

// Report prints a table of all faults, a line for each test. A TestMain calls it last.
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
			kinds, sum.tries, sum.wrong, sum.worst = kinds+1, sum.tries+f.tries, sum.wrong+f.wrong, max(sum.worst, f.worst)
			return true
		})
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.2f s\n", name, kinds, sum.tries, sum.wrong, sum.worst.Seconds())
	}
	w.Flush()
}

// Times is how often something is done that takes its time: n, or a tenth of it with -short.
func Times(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// Judge counts the answer to a get of [testenv.Host]. It is wrong where it is neither a token that
// the registry takes, of the principal whose ARN ends so, nor a clear error; for that the
// password is empty.
func (f *Fault) Check(t testing.TB, e *Env, r Result, principal string) (password string) {
	t.Helper()
	password, err := checkGet(e, r, principal)
	f.Count(t, r, err)
	return password
}

// Count counts an answer that was judged already.
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

// Wrong counts what was found to be wrong with an answer that was counted already.
func (f *Fault) Errorf(t testing.TB, format string, args ...any) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrong++
	t.Errorf(format, args...)
}

// Must runs a get of [testenv.Host], for which an error is wrong, too.
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

// tooLong is what no answer may take, on a machine that is slow as well.
const maxTime = 20 * time.Second

// verdict tells what is wrong with the answer to a get. The password is empty for a clear
// error.
func checkGet(e *Env, r Result, principal string) (password string, err error) {
	switch {
	case r.Took > maxTime:
		return "", errors.New("it took too long")
	case Panics(r):
		return "", errors.New("it panics")
	case strings.Contains(r.Stderr, "a disk that holds"):
		return "", errors.New("the watchdog had to end it, though no disk hangs")
	case r.Status == 0:
		var c struct{ ServerURL, Username, Secret string }
		if err := json.Unmarshal([]byte(r.Stdout), &c); err != nil || r.Stderr != "" || c.ServerURL != Host || c.Username != "AWS" || c.Secret == "" {
			return "", errors.New("that is no answer")
		}
		who, err := e.AWS.VerifyToken(c.Secret, Host)
		if err != nil {
			return "", fmt.Errorf("the registry refuses the token: %w", err)
		}
		if !strings.Contains(who, principal) {
			return "", fmt.Errorf("the token is %s's", who)
		}
		return c.Secret, nil
	case r.Status == 1 && r.Stdout == NotFound && IsClearError(r.Stderr):
		return "", nil
	}
	return "", errors.New("that is no clear error")
}

// Panics tells whether the binary ended with one of Go's traces.
func Panics(r Result) bool {
	return strings.Contains(r.Stderr, "panic") || strings.Contains(r.Stderr, "goroutine")
}

// IsClearError reports whether it is one line that can be read and says who says it.
func IsClearError(stderr string) bool {
	line, ok := strings.CutSuffix(stderr, "\n")
	return ok && strings.HasPrefix(line, Name+": ") && !strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) })
}

// NothingLeft checks that the directory of tokens holds nothing but tokens that live, locks and known registries.
func (f *Fault) CheckLeftovers(t testing.TB, e *Env) {
	t.Helper()
	entries, err := os.ReadDir(e.TokenDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		switch name := entry.Name(); {
		case strings.HasSuffix(name, ".lock"), strings.HasSuffix(name, ".known"):
		case strings.HasSuffix(name, ".token") && time.Now().Before(info.ModTime()): // when it ends
		default:
			f.Errorf(t, "%s is left", name)
		}
	}
}
