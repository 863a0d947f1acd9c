package cli

import (
	"fmt"
	"time"

	"docker-credential-ecr-login/internal/config"
)

// grace is what a verb gets on top of the timeout before it is given up. All that
// asks AWS has deadlines of its own, which tell more.
const grace = time.Second

// watchdog ends a verb that doesn't end by itself: no deadline reaches a disk that
// hangs.
type watchdog struct {
	timer   *time.Timer
	timeout time.Duration
}

// extend gives the verb as much again, and the time on top.
func (w *watchdog) extend(d time.Duration) { w.timer.Reset(w.timeout + d) }

// within runs a verb, but hardly longer than the timeout.
func (p *Process) within(v verb, input string) answer {
	timeout := config.Timeout(p.Env)
	p.watchdog = &watchdog{time.NewTimer(timeout + grace), timeout + grace}
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
		return v.fail(p, input, fmt.Sprintf("not done within %v: a disk that holds ~/.aws or the cache hangs; mend or unmount it", timeout))
	}
}
