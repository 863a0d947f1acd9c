package cli

import (
	"time"

	"docker-credential-ecr-login/internal/config"
)

// watchdog ends a verb that doesn't end by itself. All that asks AWS has
// deadlines of its own, which end a little earlier and tell more; what remains is
// a disk that hangs, which no deadline reaches.
type watchdog struct {
	timer   *time.Timer
	timeout time.Duration
}

// extend gives the verb as much again, and the time on top.
func (w *watchdog) extend(d time.Duration) { w.timer.Reset(w.timeout + d) }

// within runs a verb, but no longer than the timeout.
func (p *Process) within(v verb, input string) answer {
	timeout := config.Timeout(p.Env)
	p.watchdog = &watchdog{time.NewTimer(timeout), timeout}
	answers := make(chan answer, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				answers <- v.failed.explained("internal error: %v; please report it", r)
			}
		}()
		answers <- v.run(p, input)
	}()
	select {
	case a := <-answers:
		return a
	case <-p.watchdog.timer.C:
		return v.failed.explained("not done within %v: a disk that holds ~/.aws or the cache hangs; AWS_ECR_TIMEOUT sets another time", timeout)
	}
}
