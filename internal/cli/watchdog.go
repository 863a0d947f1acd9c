package cli

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"docker-credential-ecr-login/internal/config"
)

// grace is what a verb gets on top of the timeout before it is given up. All that
// asks AWS has deadlines of its own, which tell more.
const grace = time.Second

// watchdog ends a verb that doesn't end by itself: no deadline reaches a disk that
// hangs.
type watchdog struct {
	mu      sync.Mutex
	timer   *time.Timer
	began   time.Time
	timeout time.Duration
}

func newWatchdog(timeout time.Duration) *watchdog {
	return &watchdog{timer: time.NewTimer(timeout + grace), began: time.Now(), timeout: timeout}
}

// allow sets another timeout, counted from the beginning.
func (w *watchdog) allow(timeout time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timeout = timeout
	w.timer.Reset(time.Until(w.began.Add(timeout + grace)))
}

// extend gives the verb as much again, and the time on top.
func (w *watchdog) extend(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Reset(w.timeout + grace + d)
}

func (w *watchdog) limit() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.timeout
}

// within runs a verb, but hardly longer than the timeout.
func (p *Process) within(v verb, input string) answer {
	p.watchdog, p.failsLoudly = newWatchdog(config.Timeout(p.Env)), new(atomic.Bool)
	answers := make(chan answer, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				answers <- v.fail(p, input, fmt.Sprintf("internal error: %v; please report it", r))
			}
		}()
		answers <- v.run(p, input)
	}()
	select {
	case a := <-answers:
		return a
	case <-p.watchdog.timer.C:
		return v.fail(p, input, fmt.Sprintf("not done within %v: a disk that holds ~/.aws, the registry map or the cache hangs; mend or unmount it",
			p.watchdog.limit()))
	}
}
