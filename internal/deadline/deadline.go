// Package deadline says when a command has to be done, and ends one that doesn't end by itself.
//
// A command has two deadlines. The work has to end a twentieth before the timeout, so that there is
// time to say why there was too little of it. The process is ended a second after the timeout,
// whatever it does.
package deadline

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Grace is how long after its timeout a process is ended. All that asks AWS has a deadline of its
// own before that, and an error that says more.
const Grace = time.Second

// Deadline is a timeout and the time from which it counts.
type Deadline struct {
	Began   time.Time
	Timeout time.Duration
}

// In returns the deadline of a timeout that begins now.
func In(timeout time.Duration) Deadline { return Deadline{time.Now(), timeout} }

// Work returns when the work has to end.
func (d Deadline) Work() time.Time { return d.Began.Add(d.Timeout - d.Timeout/20) }

// End returns when the process is ended.
func (d Deadline) End() time.Time { return d.Began.Add(d.Timeout + Grace) }

// Context returns a context that ends with the work.
func (d Deadline) Context(parent context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadline(parent, d.Work())
}

// Watchdog ends a command at the end of its deadline: a disk that hangs knows no contexts.
type Watchdog struct {
	ended atomic.Bool // the command or the watchdog was first

	mu       sync.Mutex
	timer    *time.Timer
	deadline Deadline
	waited   time.Duration // until the end, without the grace
}

// Watch returns a watchdog that calls a function at the end of a deadline, unless it is stopped
// before. The function has to end the process; it is told how long the command had.
func Watch(d Deadline, end func(waited time.Duration)) *Watchdog {
	w := &Watchdog{deadline: d, waited: d.Timeout}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(time.Until(d.End()), func() {
		if w.ended.CompareAndSwap(false, true) {
			w.mu.Lock()
			waited := w.waited
			w.mu.Unlock()
			end(waited)
		}
	})
	return w
}

// SetTimeout sets another timeout, which counts from the same time.
func (w *Watchdog) SetTimeout(timeout time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline.Timeout, w.waited = timeout, timeout
	w.timer.Reset(time.Until(w.deadline.End()))
}

// Extend lets the timeout begin anew, with more time on top: for what may have to ask a person.
func (w *Watchdog) Extend(more time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waited = (time.Since(w.deadline.Began) + w.deadline.Timeout + more).Round(time.Second)
	w.timer.Reset(w.deadline.Timeout + Grace + more)
}

// Stop stops the watchdog. It doesn't return if the watchdog is about to end the process.
func (w *Watchdog) Stop() {
	if !w.ended.CompareAndSwap(false, true) {
		select {}
	}
}
