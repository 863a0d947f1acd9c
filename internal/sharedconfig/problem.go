package sharedconfig

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is something in a file that the SDK skips without a word, or can't read.
type Problem struct {
	// Line counts from 1; it is 0 for the file as a whole.
	Line int
	// Text says what is wrong. It quotes nothing of the file but section names.
	Text string

	section string // of a line that is skipped; empty if what follows is misread, too
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.Text
	}
	return fmt.Sprintf("line %d: %s", p.Line, p.Text)
}

// Check returns the first problem of the text of one file that matters if these profiles are used,
// and whether there is one.
func (t Texts) Check(kind Kind, used []string) (Problem, bool) {
	text := t.Config
	if kind == Credentials {
		text = t.Credentials
	}
	sections, problems := parse(text)
	for _, p := range problems {
		if p.section == "" || slices.Contains(used, profileName(p.section, kind)) {
			return p, true
		}
	}
	profiles := t.Profiles()
	for _, name := range used {
		wrong, right := name, "[profile "+name+"]"
		if kind == Credentials {
			wrong, right = "profile "+name, "["+name+"]"
		}
		if profiles[name] == nil && len(sections[wrong]) > 0 {
			return Problem{Text: fmt.Sprintf("it has [%s], which the SDK skips; in this file it has to be %s", wrong, right)}, true
		}
	}
	return Problem{}, false
}

// IsReadable reports whether the SDK can read a text at all: it panics on a value that is a single
// quote, and so does the program that has it read.
func IsReadable(text string) bool {
	_, problems := parse(text)
	return !slices.ContainsFunc(problems, func(p Problem) bool { return p.Text == singleQuote })
}

const singleQuote = "its value is a single quote"

// profileName returns the name of a section's profile, empty if the section is not a profile.
func profileName(section string, kind Kind) string {
	name, isProfile := strings.CutPrefix(section, "profile ")
	if kind == Config && !isProfile && !strings.EqualFold(section, "default") {
		return ""
	}
	return name
}

// encoding notes a text that is not UTF-8. The SDK misses its first section, or all.
func (p *parser) encoding(text string) {
	rest, hasMark := strings.CutPrefix(text, "\ufeff")
	switch {
	case hasMark && !isComment(rest):
		p.broken(0, "it begins with a byte order mark, so that its first section isn't found; save it as UTF-8 without one")
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"), strings.Contains(text, "\x00"):
		p.broken(0, "it isn't UTF-8 text; save it as UTF-8")
	}
}

// broken notes a line that changes what those after it mean.
func (p *parser) broken(line int, what string) {
	p.problems = append(p.problems, Problem{Line: line, Text: what})
}

// skip notes a line that the SDK skips. Before the first section it matters to no profile.
func (p *parser) skip(line int, what string) {
	if p.current != "" {
		p.problems = append(p.problems, Problem{Line: line, Text: what, section: p.current})
	}
}
