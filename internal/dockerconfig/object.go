package dockerconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// object is the text of a JSON object that is edited in place: what isn't edited keeps its
// bytes, and with them the layout, the order and the keys that nobody here knows.
type object struct {
	text    []byte
	members []member
}

// member is a key and its value, by where they are in the text.
type member struct {
	key                  string
	begin                int // of the key
	valueBegin, valueEnd int
}

// parseObject reads a text that is to be one JSON object and nothing else. The error says in
// which line it isn't.
func parseObject(text []byte) (*object, error) {
	var raw json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, mistakeIn(text, err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("it holds something else than a JSON object")
	}
	o := &object{text: text}
	for d.More() {
		end := d.InputOffset() // of what comes before
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		if err := d.Decode(&raw); err != nil {
			return nil, err
		}
		m := member{key: key.(string), valueEnd: int(d.InputOffset())}
		m.begin = int(end) + bytes.IndexByte(text[end:], '"')
		m.valueBegin = m.valueEnd - len(raw)
		o.members = append(o.members, m)
	}
	return o, nil
}

// mistakeIn says in which line a text isn't JSON, and in words what is wrong with the mistakes that
// people make.
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
	case wrong == '"' && (strings.HasSuffix(syntax.Error(), "after object key:value pair") || strings.HasSuffix(syntax.Error(), "after array element")):
		err = errors.New("a comma is missing before this line, or in it")
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(before, []byte("\n")), err)
}

// checkKeys tells of one of the keys that is there twice, or written in other letters: Go,
// which most clients are written in, takes them together, and others don't.
func (o *object) checkKeys(keys ...string) error {
	for _, key := range keys {
		n := 0
		for _, m := range o.members {
			if !strings.EqualFold(m.key, key) {
				continue
			}
			if n++; m.key != key {
				return fmt.Errorf("%q is to be written %q", m.key, key)
			}
		}
		if n > 1 {
			return fmt.Errorf("%q is there %d times", key, n)
		}
	}
	return nil
}

// find returns the index of a key, or -1.
func (o *object) find(key string) int {
	return slices.IndexFunc(o.members, func(m member) bool { return m.key == key })
}

func (o *object) value(i int) []byte { return o.text[o.members[i].valueBegin:o.members[i].valueEnd] }

// set returns the text with a key that has the value. A new key is laid out as the last one
// is or, where there is none, as the layout says for members that deep.
func (o *object) set(key string, value []byte, l layout, depth int) []byte {
	if i := o.find(key); i >= 0 {
		return splice(o.text, o.members[i].valueBegin, o.members[i].valueEnd, value)
	}
	if len(o.members) == 0 {
		open, end := bytes.IndexByte(o.text, '{'), bytes.LastIndexByte(o.text, '}')
		return splice(o.text, open, end+1, l.object(key, value, depth))
	}
	last := o.members[len(o.members)-1]
	before := o.text[:last.begin]
	gap := before[len(bytes.TrimRight(before, " \t\r\n")):]
	colon := o.text[last.begin:last.valueBegin]
	colon = colon[bytes.LastIndexByte(colon, ':'):]
	return splice(o.text, last.valueEnd, last.valueEnd, slices.Concat([]byte(","), gap, quote(key), colon, value))
}

// remove returns the text without a member, and without the comma that goes with it.
func (o *object) remove(i int) []byte {
	begin, end := o.members[i].begin, o.members[i].valueEnd
	switch {
	case i > 0: // with what is between the one before and this one
		begin = o.members[i-1].valueEnd
	case len(o.members) > 1:
		end = o.members[1].begin
	default:
		begin, end = bytes.IndexByte(o.text, '{')+1, bytes.LastIndexByte(o.text, '}')
	}
	return splice(o.text, begin, end, nil)
}

func splice(text []byte, begin, end int, part []byte) []byte {
	return slices.Concat(text[:begin], part, text[end:])
}

func quote(s string) []byte {
	text, _ := json.Marshal(s) // a string has no error
	return text
}

// layout is how a text is laid out: what begins each line, a depth of one, or nothing where
// all is in one line.
type layout struct{ eol, indent string }

// layoutOf is the layout of an object; that of Docker where it has no members to show one.
func layoutOf(o *object) layout {
	if len(o.members) == 0 {
		return layout{"\n", "\t"}
	}
	before := o.text[:o.members[0].begin]
	gap := string(before[bytes.IndexByte(before, '{')+1:])
	end := strings.LastIndexByte(gap, '\n')
	if end < 0 {
		return layout{}
	}
	eol := "\n"
	if strings.HasSuffix(gap[:end], "\r") {
		eol = "\r\n"
	}
	return layout{eol, gap[end+1:]}
}

// object writes an object with one member, which is that deep.
func (l layout) object(key string, value []byte, depth int) []byte {
	if l.eol == "" {
		return slices.Concat([]byte("{"), quote(key), []byte(":"), value, []byte("}"))
	}
	outer := l.eol + strings.Repeat(l.indent, depth-1)
	return slices.Concat([]byte("{"+outer+l.indent), quote(key), []byte(": "), value, []byte(outer+"}"))
}
