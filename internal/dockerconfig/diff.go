package dockerconfig

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// diffContext is how many lines a diff shows around what changes.
const diffContext = 3

// Diff returns what Save would change, as a unified diff of one part; empty if that is nothing. It
// shows the values of helpers alone, as others may be passwords.
func (f *File) Diff() string {
	if !f.Changed() {
		return ""
	}
	was, is := linesOf(f.old), linesOf(f.text)
	head := 0
	for head < min(len(was), len(is)) && was[head] == is[head] {
		head++
	}
	tail := 0
	for tail < min(len(was), len(is))-head && was[len(was)-1-tail] == is[len(is)-1-tail] {
		tail++
	}
	from, to := max(0, head-diffContext), min(tail, diffContext)

	var b strings.Builder
	old := f.Path
	if f.info == nil {
		old = "/dev/null"
	}
	fmt.Fprintf(&b, "--- %s\n+++ %s\n@@ -%s +%s @@\n", old, f.Path,
		span(from, len(was)-tail+to), span(from, len(is)-tail+to))
	write := func(mark string, lines []string) {
		for _, line := range lines {
			b.WriteString(mark + strings.TrimSuffix(line, "\n") + "\n")
			if !strings.HasSuffix(line, "\n") {
				b.WriteString("\\ No newline at end of file\n")
			}
		}
	}
	write(" ", was[from:head])
	write("-", was[head:len(was)-tail])
	write("+", is[head:len(is)-tail])
	write(" ", was[len(was)-tail:len(was)-tail+to])
	return b.String()
}

func linesOf(text []byte) []string { return slices.Collect(strings.Lines(masked(text))) }

// span returns how a diff names the lines from one, counted from 0, up to another.
func span(from, to int) string {
	if from == to {
		return fmt.Sprintf("%d,0", from)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

// masked returns the text of a valid file, or of none, without the strings that are values of keys
// other than those that are edited here.
func masked(text []byte) string {
	o, _ := parseObject(text)
	for _, m := range slices.Backward(o) { // from the end, so that the other ends stay true
		if m.key != helpersKey && m.key != storeKey {
			text = slices.Concat(text[:m.end-len(m.value)], maskedValue(m.value), text[m.end:])
		}
	}
	return userInURL.ReplaceAllString(string(text), "${1}***@")
}

var (
	userInURL  = regexp.MustCompile(`((?:"|://))[^"/@\s]*@`)
	jsonString = regexp.MustCompile(`"(?:[^"\\]|\\.)*"(?:\s*:)?`)
	mask       = []byte(`"***"`)
)

func maskedValue(value []byte) []byte {
	return jsonString.ReplaceAllFunc(value, func(s []byte) []byte {
		if bytes.HasSuffix(s, []byte(":")) { // a key
			return s
		}
		return mask
	})
}
