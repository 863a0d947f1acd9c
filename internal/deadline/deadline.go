package credhelper

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
	ended atomic.Bool // by the verb or by the watchdog, whichever was first

	mu      sync.Mutex
	timer   *time.Timer
	began   time.Time
	timeout time.Duration
}

// watch makes a watchdog that calls bite when the time is over.
func watch(began time.Time, timeout time.Duration, bite func(*watchdog)) *watchdog {
	w := &watchdog{began: began, timeout: timeout}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(time.Until(began.Add(timeout+grace)), func() {
		if w.ended.CompareAndSwap(false, true) {
			bite(w)
		}
	})
	return w
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

// within runs a verb, but hardly longer than the timeout: then the watchdog answers
// in its place and exits.
func (p *Process) within(v verb, input string) (a response) {
	p.failOnError = new(atomic.Bool)
	if !canOpenFiles() {
		return v.fail(p, input, "this process may open no more files; raise its limit, which ulimit -n shows")
	}
	p.watchdog = watch(p.began, p.timeout(config.Timeout(p.Env)), func(w *watchdog) {
		p.Exit(p.print(v.fail(p, input, fmt.Sprintf(
			"not done within %v: a disk that holds ~/.aws, the registry map or the cache hangs, or a file there is a pipe that nobody writes to; mend or unmount it", w.limit()))))
	})
	defer func() {
		if r := recover(); r != nil {
			a = v.fail(p, input, fmt.Sprintf("internal error: %v; please report it", r))
		}
		if !p.watchdog.ended.CompareAndSwap(false, true) {
			select {} // the watchdog is about to exit
		}
	}()
	return v.run(p, input)
}
