package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"time"
)

// report returns all results as a Markdown document.
func (b *benchmark) report(took time.Duration) string {
	var text strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&text, format+"\n", args...) }
	line("# Benchmarks")
	line("")
	line("Written by `make bench` on %s, which took %s: %d cores of %s, %s of memory, %s, %s/%s.",
		time.Now().Format(time.DateOnly), took.Round(time.Second), runtime.NumCPU(), processor(), memory(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	line("")
	line("Whole processes, measured from outside, from their start to their end. In each round every contender of a row runs once, and each round begins")
	line("with another one, so that what else the machine does meets all alike; times are medians of that many rounds, and a ratio is one of medians of the")
	line("same rounds. *Peer* is awslabs/amazon-ecr-credential-helper v0.12.0, built with the same flags; *floor* a Go program that reads stdin and a file and")
	line("prints, the least that any helper can do. AWS is a stand-in on loopback with the latency that a row names. A missed bar is in **bold**.")
	line("")
	line("| work | rounds | contender | median | fastest tenth | requests | ratio (bar) |")
	line("|---|--:|---|--:|--:|--:|---|")
	for _, r := range b.results {
		name, rounds := r.name, fmt.Sprint(r.rounds)
		for _, label := range r.labels {
			line("| %s | %s | %s | %s | %s | %d | %s |", name, rounds, label,
				milliseconds(r.median(label)), milliseconds(quantile(r.took[label], 0.1)), r.requests[label], ratios(r, label))
			name, rounds = "", ""
		}
	}
	line("")
	line("| | %s | %s | %s | ratio to the peer (bar) |", ours, theirs, atLeast)
	line("|---|--:|--:|--:|---|")
	for _, s := range b.sizes {
		cells := ""
		for _, label := range []string{ours, theirs, atLeast} {
			if v, ok := s.of[label]; ok {
				cells += fmt.Sprintf(" %.1f %s |", v, s.unit)
			} else {
				cells += " – |"
			}
		}
		ratio := ""
		if s.of[theirs] > 0 {
			ratio = verdict(s.of[ours]/s.of[theirs], s.bar)
		}
		line("| %s |%s %s |", s.what, cells, ratio)
	}
	line("")
	for _, s := range b.sizes {
		if s.note != "" {
			line("%s: %s.", strings.ToUpper(s.what[:1])+s.what[1:], s.note)
			line("")
		}
	}
	return strings.TrimRight(text.String(), "\n") + "\n"
}

func ratios(r result, label string) string {
	var all []string
	for _, b := range r.bars {
		if b.who == label {
			all = append(all, verdict(r.ratio(b.who, b.than), b)+" of "+b.than)
		}
	}
	return strings.Join(all, ", ")
}

func verdict(ratio float64, b bar) string {
	digits := 2
	if ratio < 0.1 || math.Abs(ratio-b.atMost) < 0.01 {
		digits = 3
	}
	text := fmt.Sprintf("%.*f", digits, ratio)
	if b.atMost > 0 {
		text += fmt.Sprintf(" (%.*f)", digits, b.atMost)
	}
	if b.atMost > 0 && ratio > b.atMost {
		text = "**" + text + "**"
	}
	return text
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
		}
	}
	return "an unknown make"
}

func memory() string {
	text, _ := os.ReadFile("/proc/meminfo")
	var kib float64
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, "MemTotal: %f kB", &kib); err == nil {
			return fmt.Sprintf("%.0f GiB", kib/(1<<20))
		}
	}
	return "unknown size"
}
