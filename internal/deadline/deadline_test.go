package deadline

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestDeadline(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ timeout, work, end time.Duration }{
		{8 * time.Second, 7600 * time.Millisecond, 9 * time.Second},
		{time.Minute, 57 * time.Second, 61 * time.Second},
		{time.Nanosecond, time.Nanosecond, time.Second + time.Nanosecond},
	} {
		d := Deadline{began, c.timeout}
		if work, end := d.Work().Sub(began), d.End().Sub(began); work != c.work || end != c.end {
			t.Errorf("timeout %v: the work ends after %v, the process after %v; want %v, %v", c.timeout, work, end, c.work, c.end)
		}
		ctx, cancel := d.Context(context.Background())
		cancel()
		if at, ok := ctx.Deadline(); !ok || !at.Equal(d.Work()) {
			t.Errorf("timeout %v: the context ends at %v, %v", c.timeout, at, ok)
		}
	}
}

func TestWatchdog(t *testing.T) {
	for name, c := range map[string]struct {
		change      func(*Watchdog)
		after, told time.Duration // when it ends the process, and the timeout that it tells
	}{
		"nothing":          {func(*Watchdog) {}, 9 * time.Second, 8 * time.Second},
		"a longer timeout": {func(w *Watchdog) { w.SetTimeout(20 * time.Second) }, 21 * time.Second, 20 * time.Second},
		// The timeout counts from the beginning: a second has passed.
		"a shorter timeout": {func(w *Watchdog) { w.SetTimeout(2 * time.Second) }, 3 * time.Second, 2 * time.Second},
		"an extension":      {func(w *Watchdog) { w.Extend(time.Minute) }, 70 * time.Second, 69 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ended := make(chan time.Duration, 1)
				w := Watch(In(8*time.Second), func(timeout time.Duration) { ended <- timeout })
				time.Sleep(time.Second)
				c.change(w)
				if told := <-ended; told != c.told || time.Since(began) != c.after {
					t.Errorf("it ends after %v and tells %v, want %v and %v", time.Since(began), told, c.after, c.told)
				}
			})
		})
	}
}

func TestWatchdogIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := Watch(In(time.Second), func(time.Duration) { t.Error("it ends a process that was done") })
		w.Stop()
		time.Sleep(time.Hour)
	})
}
