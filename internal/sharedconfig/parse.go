// Package sharedconfig reads the AWS shared configuration, ~/.aws/config and ~/.aws/credentials,
// as the AWS SDK for Go reads it, and reports what the SDK skips without a word.
//
// The SDK keeps its reader to itself (config/internal/ini), and a warm get must not start the SDK.
// A test and a fuzz target compare the two. The one difference is on purpose: a section name in
// quotes, as "aws configure" writes it, counts without them; see [Unquoted].
package sharedconfig

import "strings"

// Kind is one of the two kinds of files. They name profiles differently.
type Kind int

const (
	// Config is for ~/.aws/config, where "[profile x]" is the profile x.
	Config Kind = iota
	// Credentials is for ~/.aws/credentials, where "[x]" is.
	Credentials
)

// property is the value of one key.
type property struct {
	value string
	raw   string // value, before quotes were removed
	// isMap is set for "key =" with indented lines "name = value" below it.
	isMap bool
	line  int
}

// section is one section of a file, by lower-case key.
type section map[string]property

func (s section) has(key string) bool {
	_, ok := s[key]
	return ok
}

// parse returns the sections of a text by the names that the SDK gives them, such as "default" and
// "profile x", and what is wrong with the text.
func parse(text string) (map[string]section, []Problem) {
	p := parser{sections: map[string]section{}}
	p.encoding(text)
	number := 0
	for line := range strings.Lines(text) {
		number++
		p.add(strings.TrimSuffix(line, "\n"), number)
	}
	return p.sections, p.problems
}

type parser struct {
	sections     map[string]section
	current, key string
	started      bool // a header has been read
	problems     []Problem
}

func (p *parser) add(line string, number int) {
	if isComment(line) {
		return
	}
	if name, _, ok := header(line); ok {
		p.current, p.key, p.started = name, "", true
		if p.sections[name] == nil {
			p.sections[name] = section{}
		}
		return
	}
	if strings.HasPrefix(strings.TrimSpace(line), "[") {
		p.broken(number, "it begins a section, and no closing bracket comes before its end, or before a # or a ;")
	}
	isIndented := line[0] == ' ' || line[0] == '\t'
	text := strings.TrimLeft(line, " \t") // comments in indented lines are a part of the value
	if !isIndented {
		text = strings.TrimRight(withoutComment(line), " \t")
	}
	key, raw, ok := cutProperty(text)
	if ok && (raw == `"` || raw == "'") {
		p.broken(number, singleQuote)
		raw = ""
	}
	switch {
	case !ok && isIndented:
		p.addContinuation(text)
	case !ok:
		p.skip(number, "it is neither a section nor of the form key = value")
	case isIndented:
		p.addIndented(key, raw, number)
	default:
		p.set(key, property{value: unquote(raw), raw: raw, line: number})
	}
}

func (p *parser) set(key string, value property) {
	if p.current == "" {
		if !p.started {
			p.broken(value.line, "it stands before the first section")
		}
		return
	}
	p.key = key
	p.sections[p.current][key] = value
}

// addIndented adds an indented "key = value": a part of the value above it, if that is empty.
func (p *parser) addIndented(key, raw string, line int) {
	if p.current == "" {
		return
	}
	above := p.sections[p.current][p.key]
	if p.key == "" || above.value != "" {
		value := strings.TrimSpace(withoutComment(unquote(raw)))
		p.set(key, property{value: value, raw: raw, line: line})
		return
	}
	p.sections[p.current][p.key] = property{isMap: true, line: above.line}
}

func (p *parser) addContinuation(text string) {
	if above := p.sections[p.current][p.key]; p.key != "" && above.value != "" {
		above.value += "\n" + text
		above.raw += "\n" + text
		p.sections[p.current][p.key] = above
	}
}

// header returns the name of the section that a line begins, as the SDK joins it of its type and
// its name, and whether the name was in quotes or had a backslash.
func header(line string) (name string, wasQuoted, ok bool) {
	line, _, _ = strings.Cut(line, "#")
	line, _, _ = strings.Cut(line, ";")
	line = strings.TrimSpace(line)
	if len(line) < 2 || line[0] != '[' || line[len(line)-1] != ']' {
		return "", false, false
	}
	line = strings.TrimSpace(line[1 : len(line)-1])
	kind, name := line, ""
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		kind, name = line[:i], strings.TrimLeft(line[i:], " \t")
	}
	if name == "" {
		return kind, false, true
	}
	if kind == "profile" || kind == "sso-session" || kind == "services" {
		bare, isWord := word(name)
		wasQuoted = isWord && bare != name && bare != ""
		if wasQuoted {
			name = bare
		}
	}
	return kind + " " + name, wasQuoted, true
}

// Unquoted returns the text of a config file with section names that the SDK understands: without
// the quotes that "aws configure" puts around a name with a blank in it, and without backslashes.
// The SDK takes those for a part of the name. It reports whether there were any.
func Unquoted(text string) (string, bool) {
	changed := false
	var out strings.Builder
	for line := range strings.Lines(text) {
		if name, wasQuoted, _ := header(line); wasQuoted {
			changed = true
			line = "[" + name + "]\n"
		}
		out.WriteString(line)
	}
	return out.String(), changed
}

// word returns how a shell, and so the AWS CLI, reads a name in quotes or with a backslash before a
// blank. It is false for a name that a shell reads as several words or can't read.
func word(name string) (string, bool) {
	if !strings.ContainsAny(name, `"'\`) {
		return name, true
	}
	var out strings.Builder
	quote := byte(0)
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == quote && quote != 0:
			quote = 0
		case quote == '\'':
			out.WriteByte(c)
		case c == '\\' && i+1 < len(name) && (quote == 0 || name[i+1] == '"' || name[i+1] == '\\'):
			i++
			out.WriteByte(name[i])
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && (c == ' ' || c == '\t'):
			return "", false
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), quote == 0
}

// isComment reports whether the first line of a text says nothing.
func isComment(text string) bool {
	line, _, _ := strings.Cut(text, "\n")
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#' || line[0] == ';'
}

func withoutComment(s string) string {
	for _, mark := range []string{" #", " ;", "\t#", "\t;"} {
		s, _, _ = strings.Cut(s, mark)
	}
	return s
}

// cutProperty cuts "key = value" at the first "=" or, as the SDK still does, ":".
func cutProperty(s string) (key, value string, ok bool) {
	i := strings.IndexAny(s, "=:")
	if i < 0 {
		return "", "", false
	}
	return strings.ToLower(strings.TrimSpace(s[:i])), strings.TrimSpace(s[i+1:]), true
}

func unquote(s string) string {
	for _, quote := range []string{"'", `"`} {
		if len(s) > 1 && strings.HasPrefix(s, quote) && strings.HasSuffix(s, quote) {
			return s[1 : len(s)-1]
		}
	}
	return s
}
