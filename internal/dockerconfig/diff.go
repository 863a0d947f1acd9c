package dockerconfig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"docker-credential-ecr-login/internal/registry"
)

// diffContext is how many lines a diff shows around what changes.
const diffContext = 3

// Diff returns what Save would change, as a unified diff of one part; empty if that is nothing. It
// is for people: it hides all strings but the names of helpers, as others may be passwords, and
// shows every text with one member a line.
func (f *File) Diff() string {
	if !f.Changed() {
		return ""
	}
	was, is := f.masked(f.old), f.masked(f.text)
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
			b.WriteString(mark + line + "\n")
		}
	}
	write(" ", was[from:head])
	write("-", was[head:len(was)-tail])
	write("+", is[head:len(is)-tail])
	write(" ", was[len(was)-tail:len(was)-tail+to])
	return b.String()
}

// span returns how a diff names the lines from one, counted from 0, up to another.
func span(from, to int) string {
	if from == to {
		return fmt.Sprintf("%d,0", from)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

// masked returns the lines of a valid text, or of none, without passwords. They are indented alike,
// however the text is.
func (f *File) masked(text []byte) []string {
	o, err := parseObject(text)
	if err != nil {
		return nil
	}
	for i, m := range o {
		o[i] = member{registry.Bare(m.key), masked(m.value, m.key == helpersKey || m.key == storeKey)}
	}
	var b bytes.Buffer
	json.Indent(&b, o.text(""), "", f.indent) // it is valid
	return strings.Split(b.String(), "\n")
}

// masked returns a value without the users in the URLs that are keys, and without its strings,
// unless those may be shown.
func masked(value json.RawMessage, showsStrings bool) json.RawMessage {
	o, err := parseObject(value)
	switch {
	case err == nil:
		for i, m := range o {
			o[i] = member{registry.Bare(m.key), masked(m.value, showsStrings)}
		}
		return o.text("")
	case !showsStrings && (value[0] == '"' || value[0] == '['):
		return quote("***")
	}
	return value
}
