package main

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// A result is the result of a row.
type result struct {
	row
	rounds int
	took   map[string][]time.Duration // by contender
	labels []string
	// requests to AWS of one run with a cached token, by contender.
	requests map[string]int
}

func (r result) median(label string) time.Duration { return quantile(r.took[label], 0.5) }

// ratio returns the time of one contender divided by that of another.
func (r result) ratio(who, than string) float64 {
	return float64(r.median(who)) / float64(r.median(than))
}

func quantile(all []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[int(q*float64(len(sorted)-1))]
}

// measure measures a row. Each contender runs twice before the rounds: to check its output and to
// count its requests.
func (b *benchmark) measure(r row) error {
	if err := b.newServer(); err != nil {
		return err
	}
	defer b.aws.Close()
	contenders, err := r.contenders(b)
	if err != nil {
		return err
	}
	res := result{
		row:      r,
		rounds:   max(3, b.rounds/max(1, r.slow)),
		took:     map[string][]time.Duration{},
		requests: map[string]int{},
	}
	for _, c := range contenders {
		res.labels = append(res.labels, c.label)
		if err := b.check(c); err != nil {
			return fmt.Errorf("%s: %w", c.label, err)
		}
		b.aws.ResetCounts()
		if _, err := b.turn(c); err != nil {
			return fmt.Errorf("%s: %w", c.label, err)
		}
		for _, n := range b.aws.Counts() {
			res.requests[c.label] += n
		}
	}
	for round := range res.rounds {
		for i := range contenders {
			c := contenders[(i+round)%len(contenders)]
			took, err := b.turn(c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.label, err)
			}
			res.took[c.label] = append(res.took[c.label], took)
		}
	}
	b.results = append(b.results, res)
	return nil
}

// check runs a contender and checks its output.
func (b *benchmark) check(c contender) error {
	if c.before != nil {
		if err := c.before(); err != nil {
			return err
		}
	}
	for _, r := range c.runs {
		out, err := b.output(r)
		if err != nil {
			return err
		}
		switch verb := r.args[0]; {
		case c.label == atLeast:
		case c.fails && out != "credentials not found in native keychain",
			!c.fails && verb == "get" && !strings.Contains(out, `"Username":"AWS"`),
			!c.fails && verb == "list" && !strings.Contains(out, `"AWS"`):
			return fmt.Errorf("%s prints %.60q", verb, out)
		}
	}
	return nil
}

// turn runs a contender once and returns the sum of the times of its runs.
func (b *benchmark) turn(c contender) (time.Duration, error) {
	if c.before != nil {
		if err := c.before(); err != nil {
			return 0, err
		}
	}
	var total time.Duration
	for _, r := range c.runs {
		took, err := b.measureRun(r)
		var exit *exec.ExitError
		if err != nil && !(c.fails && errors.As(err, &exit)) {
			return 0, err
		}
		total += took
	}
	return total, nil
}
