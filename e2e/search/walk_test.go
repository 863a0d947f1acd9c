package search

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// walk makes one change after the other in a fixture. After each it checks that the helper does
// what the SDK does by itself.
type walk struct {
	*fixture
	r     *rand.Rand
	steps map[string]int // by kind of change
	// served is how many gets of the steps returned a token.
	served    int
	only      string // the file to change while it is read; empty for any
	share     int    // the percentage of changes that are made to a file while it is read
	at        state
	lastSteps []string // the last steps
}

func newWalk(t testing.TB, helper, oracle string, seed uint64, share int, only string) *walk {
	w := &walk{fixture: newFixture(t, helper, oracle), r: rand.New(rand.NewPCG(seed, 16)), steps: map[string]int{}, share: share, only: only}
	w.at = random(w.r)
	return w
}

// step makes a change. The error is a violation.
func (w *walk) step() error {
	if w.r.IntN(40) == 0 {
		w.at = random(w.r)
	}
	next, kind, run, err := w.choose()
	if err != nil {
		return err
	}
	w.steps[kind]++
	w.lastSteps = append(w.lastSteps[max(0, len(w.lastSteps)-3):], fmt.Sprintf("%s: %+v", kind, next))
	if err := run(next); err != nil {
		return fmt.Errorf("%s: %w\n%s\n%s", kind, err, strings.Join(w.lastSteps, "\n"), w.log())
	}
	w.at = next
	return nil
}

// tries returns how often to look for a file whose change can matter while it is read.
func (w *walk) tries() int {
	if w.r.IntN(100) < w.share {
		return 30
	}
	return 0
}

// choose returns the next state, and a function that goes there and checks.
func (w *walk) choose() (next state, kind string, run func(state) error, err error) {
	for tries := range w.tries() {
		if w.share == 100 && tries%5 == 4 {
			w.at = random(w.r)
		}
		c, to := changes[w.r.IntN(len(changes))], w.at.clone()
		c.make(w.r, &to)
		if _, may := w.at.refuses(); may || c.file == "" || w.only != "" && c.file != w.only {
			continue
		}
		allowed, err := w.allowed(c.file, to)
		if err != nil {
			return to, "", nil, err
		}
		// With one principal alone, nothing can go wrong.
		if len(slices.DeleteFunc(slices.Clone(allowed), func(who string) bool { return who == "" })) > 1 {
			return to, c.kind + ", while it is read", func(to state) error { return w.changeWhileRead(c.file, to, allowed) }, nil
		}
	}
	c, next := changes[w.r.IntN(len(changes))], w.at.clone()
	c.make(w.r, &next)
	return next, c.kind, w.change, nil
}

func (w *walk) change(to state) error {
	if err := w.writeHome(to); err != nil {
		return err
	}
	if err := w.check(to); err != nil {
		return err
	}
	if w.r.IntN(4) > 0 {
		return nil
	}
	return w.checkCached(to)
}

// check compares a get with what the SDK does, while nothing changes.
func (w *walk) check(s state) error {
	want, err := w.wantPrincipal(s)
	if err != nil {
		return err
	}
	got, reason, err := w.get(s)
	must, may := s.refuses()
	switch {
	case err != nil:
		return err
	case got != "":
		w.served++
	}
	switch {
	case got != "" && must:
		return fmt.Errorf("it serves %s, and has to refuse (%s)", got, s.defect)
	case got != "" && got != want:
		return fmt.Errorf("it serves %s, and %q is meant", got, want)
	case got == "" && want != "" && !may:
		return fmt.Errorf("it fails, and %s is meant: %s", want, reason)
	}
	return nil
}

// checkCached checks that a token which was served is served again without a request.
func (w *walk) checkCached(s state) error {
	if got, _, err := w.get(s); err != nil || got == "" {
		return err
	}
	w.AWS.ResetCounts()
	if _, _, err := w.get(s); err != nil {
		return err
	}
	if counts := w.AWS.Counts(); len(counts) > 0 {
		return fmt.Errorf("nothing is kept: it asks again for %v", slices.Collect(maps.Keys(counts)))
	}
	return nil
}

// allowed returns the principals that a get may serve while a file is written: those of the state
// before, of the next state, and of a state in which the file is empty.
func (w *walk) allowed(file string, to state) (principals []string, err error) {
	torn := to.clone()
	torn.torn = file
	for _, s := range []state{w.at, to, torn} {
		want, err := w.wantPrincipal(s)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(principals, want) {
			principals = append(principals, want)
		}
	}
	return principals, nil
}

// changeWhileRead runs gets while a file is written. Each must return a token of an allowed
// principal. Afterwards the cache must hold no wrong token.
func (w *walk) changeWhileRead(file string, to state, allowed []string) error {
	if err := w.writeHome(w.at); err != nil {
		return err
	}
	w.forget()
	before, after, changed := w.files(w.at, w.Home, false), w.files(to, w.Home, false), []string{}
	for path, text := range before {
		if after[path] != text || slices.Contains(tornPaths(state{torn: file, moved: to.moved}), path) {
			changed = append(changed, path)
		}
	}
	var writer, readers sync.WaitGroup
	failed := make(chan error, 64)
	some := func(n int) time.Duration { return time.Duration(w.r.IntN(n)) * time.Millisecond }
	rounds, pauses := 2+w.r.IntN(3), [][3]time.Duration{}
	for range rounds {
		pauses = append(pauses, [3]time.Duration{some(8), 10*time.Millisecond + some(40), some(3)})
	}
	writer.Go(func() {
		// The file has the next text for a moment, and the old text for longer. A wrong helper
		// caches what it reads in the first as a token of the second.
		for i := range 2 * rounds {
			pause := pauses[i/2]
			for _, path := range changed {
				if err := rewrite(filepath.Join(w.Home, path), []map[string]string{after, before}[i%2][path], pause[2]); err != nil {
					failed <- err
				}
			}
			time.Sleep(pause[i%2])
		}
	})
	for range 4 {
		wait := some(100)
		readers.Go(func() {
			time.Sleep(wait)
			got, _, err := w.get(to)
			if err == nil && got != "" && !slices.Contains(allowed, got) {
				err = fmt.Errorf("it serves %s, and one of %q is meant", got, allowed)
			}
			if err != nil {
				failed <- err
			}
		})
	}
	writer.Wait()
	readers.Wait()
	select {
	case err := <-failed:
		return err
	default:
	}
	for _, s := range []state{w.at, to} {
		if err := w.writeHome(s); err != nil {
			return err
		}
		if err := w.check(s); err != nil {
			return fmt.Errorf("when nothing moves any more: %w", err)
		}
	}
	return nil
}

// rewrite writes a file as most programs do: the file is empty for a moment.
func rewrite(path, text string, gap time.Duration) error {
	if text == "" {
		os.Remove(path)
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	time.Sleep(gap)
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Close()
}

// forget removes the cached tokens.
func (w *walk) forget() { os.RemoveAll(filepath.Join(w.Home, ".ecr/tokens")) }

// log returns the helper's files, for the message about a violation.
func (w *walk) log() string {
	var text strings.Builder
	for path, file := range w.files(w.at, w.Home, false) {
		if file != "" && !strings.HasSuffix(path, ".json") && !strings.HasPrefix(path, "tokens") {
			fmt.Fprintf(&text, "--- %s (before)\n%s\n", path, file)
		}
	}
	return text.String()
}
