package dockerconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// object is a JSON object whose members keep their order and the text of their values.
type object []member

type member struct {
	key   string
	value json.RawMessage
}

// parseObject reads a text that is one JSON object and nothing else. The error names the line that
// is wrong.
func parseObject(text []byte) (object, error) {
	var raw json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, mistakeIn(text, err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("it holds something else than a JSON object")
	}
	var o object
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{key: key.(string)}
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		o = append(o, m)
	}
	return o, nil
}

// mistakeIn returns an error with the line in which a text is not JSON. It explains common
// mistakes.
func mistakeIn(text []byte, err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) || syntax.Offset < 1 {
		return err
	}
	before := text[:syntax.Offset-1] // the last byte is the one that is wrong
	wrong := text[min(int(syntax.Offset), len(text))-1]
	trimmed := bytes.TrimRight(before, " \t\r\n")
	switch {
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		return errors.New("it is UTF-16, and JSON is UTF-8; save it as UTF-8 without a byte order mark")
	case bytes.HasPrefix(text, []byte("\ufeff")):
		return errors.New("it begins with a byte order mark, which JSON doesn't allow; save it as UTF-8 without one")
	case strings.HasPrefix(syntax.Error(), "unexpected end"):
		err = errors.New("the JSON ends too early; a closing } is missing")
	case wrong == '/' || wrong == '#':
		err = errors.New("there is a comment, which JSON doesn't allow")
	case strings.HasSuffix(syntax.Error(), "after top-level value"):
		err = errors.New("something follows the JSON object")
	case (wrong == '}' || wrong == ']') && bytes.HasSuffix(trimmed, []byte(",")):
		err = fmt.Errorf("there is a comma before %c, which JSON doesn't allow; remove the comma", wrong)
	case wrong == '\'':
		err = errors.New("there is a single quote, which JSON doesn't allow; write double quotes")
	case wrong == '"' && (strings.HasSuffix(syntax.Error(), "after object key:value pair") ||
		strings.HasSuffix(syntax.Error(), "after array element")):
		err = errors.New("a comma is missing before this line, or in it")
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(before, []byte("\n")), err)
}

// checkKey returns an error if a key is there twice, or in other letters: Go, which most clients
// are written in, takes them for the field of that key, and others don't.
func (o object) checkKey(key string) error {
	for _, m := range o {
		if m.key != key && strings.EqualFold(m.key, key) {
			return fmt.Errorf("%q is to be written %q", m.key, key)
		}
	}
	return o.checkTwice(key)
}

func (o object) checkTwice(key string) error {
	n := 0
	for _, m := range o {
		if m.key == key {
			n++
		}
	}
	if n > 1 {
		return fmt.Errorf("%q is there %d times", key, n)
	}
	return nil
}

// find returns the value of a key, nil if it is not there.
func (o object) find(key string) json.RawMessage {
	if i := o.index(key); i >= 0 {
		return o[i].value
	}
	return nil
}

func (o object) index(key string) int {
	return slices.IndexFunc(o, func(m member) bool { return m.key == key })
}

func quote(s string) []byte {
	text, _ := json.Marshal(s) // a string has no error
	return text
}

// text returns the text of the object, with each member in a line of its own.
func (o object) text(indent string) []byte {
	if len(o) == 0 {
		return []byte("{}")
	}
	var lines []string
	for _, m := range o {
		lines = append(lines, indent+string(quote(m.key))+": "+string(m.value))
	}
	return []byte("{\n" + strings.Join(lines, ",\n") + "\n}")
}

// indentOf returns what indents the first member of an object in its text; Docker's tab if nothing
// does.
func indentOf(text []byte) string {
	gap, _, _ := strings.Cut(string(text), `"`)
	indent := gap[strings.LastIndexByte(gap, '\n')+1:]
	if indent == "" || strings.Trim(indent, " \t") != "" {
		return "\t"
	}
	return indent
}
