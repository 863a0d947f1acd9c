package registrymap

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"docker-credential-ecr-login/internal/suggest"
)

// Options are what the reader of a map needs from the rest of the program.
type Options struct {
	// Path returns the absolute path that a path in the map stands for. The error says what is wrong
	// with it.
	Path func(text string) (string, error)
	// Settings has a function for each key above the first entry. It takes the file, the line and the
	// key, and the value. It returns what is wrong with the value.
	Settings map[string]func(where, text string) error
}

type entryKey struct {
	name  string
	field func(*entry) any
}

// entryKeys are the keys of an entry, with what they set: a *string or a *[]string.
var entryKeys = []entryKey{
	{"host", func(e *entry) any { return &e.host }},
	{"accounts", func(e *entry) any { return &e.accounts }},
	{"regions", func(e *entry) any { return &e.regions }},
	{"alias_of", func(e *entry) any { return &e.aliasOf }},
	{"profile", func(e *entry) any { return &e.principal.Profile }},
	{"role_arn", func(e *entry) any { return &e.principal.RoleARN }},
	{"external_id", func(e *entry) any { return &e.principal.ExternalID }},
	{"role_session_name", func(e *entry) any { return &e.principal.RoleSessionName }},
	{"web_identity_token_file", func(e *entry) any { return &e.principal.WebIdentityTokenFile }},
	{"web_identity_token_env", func(e *entry) any { return &e.principal.WebIdentityTokenEnv }},
}

// reader reads a map. It walks the syntax tree, which takes a tenth of the time of decoding by
// reflection and has the line of every word.
type reader struct {
	Options
	file string
	toml unstable.Parser
	// line is the line of the byte at offset.
	line, offset int

	found Map
	entry *entry         // that the keys belong to, nil above the first
	lines map[string]int // of the keys of this entry, or of those above all

	itemLines map[string]int // of what is in a list of this entry, by "KEY=ITEM"
}

// parse reads the text of a map. Its error is an [*Error].
func parse(file string, text []byte, o Options) (Map, error) {
	r := &reader{Options: o, file: file, line: 1, lines: map[string]int{}, itemLines: map[string]int{}}
	r.found.file = file
	r.toml.Reset(bytes.TrimPrefix(text, []byte("\ufeff")))
	for r.toml.NextExpression() {
		if err := r.expression(r.toml.Expression()); err != nil {
			return Map{}, err
		}
	}
	if err := r.toml.Error(); err != nil {
		return Map{}, r.syntaxError(err)
	}
	if err := r.endEntry(); err != nil {
		return Map{}, err
	}
	return r.found, nil
}

func (r *reader) expression(node *unstable.Node) error {
	key, line := r.key(node)
	switch {
	case node.Kind == unstable.KeyValue && key == tableName:
		return r.mistake(line, "registry is a key here; write [[registry]], and below it a key a line")
	case node.Kind == unstable.KeyValue:
		return r.keyValue(key, line, node.Value())
	case node.Kind == unstable.Table && key == tableName:
		return r.mistake(line, "[registry] is a table of its own; write [[registry]]")
	case node.Kind == unstable.Table:
		return r.unknown(line, "["+key+"]", key, []string{tableName})
	case key != tableName:
		return r.unknown(line, "[["+key+"]]", key, []string{tableName})
	}
	if err := r.endEntry(); err != nil {
		return err
	}
	r.entry, r.lines = &entry{line: line}, map[string]int{}
	return nil
}

// tableName is the name of the entries' table.
const tableName = "registry"

// key returns the key of an expression, such as "a.b", and its line.
func (r *reader) key(node *unstable.Node) (string, int) {
	var parts []string
	line := 0
	for keys := node.Key(); keys.Next(); {
		if line == 0 {
			line = r.lineOf(keys.Node().Raw)
		}
		parts = append(parts, string(keys.Node().Data))
	}
	return strings.Join(parts, "."), line
}

// lineOf returns the line of a part of the text. It counts on from its last result, since the parts
// mostly come in order.
func (r *reader) lineOf(raw unstable.Range) int {
	at := int(raw.Offset)
	if at < r.offset {
		r.line, r.offset = 1, 0
	}
	r.line += bytes.Count(r.toml.Data()[r.offset:at], []byte("\n"))
	r.offset = at
	return r.line
}

func (r *reader) keyValue(key string, line int, value *unstable.Node) error {
	if first, ok := r.lines[key]; ok {
		return r.mistake(line, "%s is set in line %d already", key, first)
	}
	r.lines[key] = line
	if r.entry == nil {
		return r.setting(key, line, value)
	}
	var names []string
	for _, k := range entryKeys {
		if k.name == key {
			return r.set(key, line, k.field(r.entry), value)
		}
		names = append(names, k.name)
	}
	if r.Settings[key] != nil {
		return r.mistake(line, "%s is no key of a [[registry]]; put it above the first one", key)
	}
	return r.unknown(line, key, key, names)
}

func (r *reader) setting(key string, line int, value *unstable.Node) error {
	set := r.Settings[key]
	if set == nil {
		for _, k := range entryKeys {
			if k.name == key {
				return r.mistake(line, "%s belongs below a [[registry]]", key)
			}
		}
		return r.unknown(line, key, key, append([]string{tableName}, slices.Sorted(maps.Keys(r.Settings))...))
	}
	var text string
	if err := r.set(key, line, &text, value); err != nil {
		return err
	}
	if err := set(fmt.Sprintf("%s:%d: %s", r.file, line, key), text); err != nil {
		return r.mistake(line, "%s %v", key, err)
	}
	return nil
}

// set puts a value into a *string or a *[]string.
func (r *reader) set(key string, line int, field any, value *unstable.Node) error {
	switch field := field.(type) {
	case *string:
		if value.Kind != unstable.String {
			return r.mistake(line, "%s is %s where a string is wanted, in quotes", key, kindOf(value))
		}
		if *field = string(value.Data); *field == "" {
			return r.mistake(line, "%s is empty; leave it out or say what it is", key)
		}
	case *[]string:
		if value.Kind != unstable.Array {
			return r.mistake(line, "%s is %s where a list of strings is wanted", key, kindOf(value))
		}
		for items := value.Children(); items.Next(); {
			item := items.Node()
			if item.Kind != unstable.String {
				return r.mistake(r.lineOf(item.Raw), "%s holds %s where strings are wanted, in quotes", key, kindOf(item))
			}
			*field = append(*field, string(item.Data))
			r.itemLines[key+"="+string(item.Data)] = r.lineOf(item.Raw)
		}
		if len(*field) == 0 {
			return r.mistake(line, "%s is empty; leave it out or say what it is", key)
		}
	}
	return nil
}

func kindOf(value *unstable.Node) string {
	switch value.Kind {
	case unstable.String:
		return "a string"
	case unstable.Integer, unstable.Float:
		return "a number"
	case unstable.Bool:
		return "a truth value"
	case unstable.Array:
		return "a list"
	case unstable.InlineTable:
		return "a table"
	default:
		return "a time"
	}
}

func (r *reader) endEntry() error {
	if r.entry == nil {
		return nil
	}
	if err := r.checkHost(r.entry); err != nil {
		return err
	}
	if err := r.checkPrincipal(r.entry); err != nil {
		return err
	}
	r.found.entries = append(r.found.entries, r.entry)
	return nil
}

func (r *reader) syntaxError(err error) error {
	var at *unstable.ParserError
	if !errors.As(err, &at) {
		return &Error{r.file, fmt.Sprintf("it isn't TOML: %v", err)}
	}
	where := r.toml.Range(at.Highlight)
	line := r.lineOf(where)
	if problem := r.unquoted(int(where.Offset)); problem != "" {
		return r.mistake(line, "%s", problem)
	}
	return r.mistake(line, "it isn't TOML: %s", at.Message)
}

// unquoted returns which value must be in quotes, if the mistake at an offset is a value without
// quotes. It is empty for other mistakes.
func (r *reader) unquoted(offset int) string {
	text := r.toml.Data()
	before := string(text[:min(offset, len(text))])
	// The parser may blame a letter in the middle of the word.
	before = before[:strings.LastIndexAny(before, " \t\r\n=,[")+1]
	word := string(text[len(before):])
	if word == "" || strings.ContainsAny(word[:1], `"'[]{},=#`) {
		return ""
	}
	before = strings.TrimRight(before, " \t\r\n")
	inList := strings.HasSuffix(before, ",") || strings.HasSuffix(before, "[")
	equals := strings.LastIndexByte(before, '=')
	if equals < 0 || !inList && equals != len(before)-1 {
		return ""
	}
	keyLine := before[strings.LastIndexByte(before[:equals], '\n')+1 : equals]
	key := strings.Trim(strings.TrimSpace(keyLine), `"'`)
	i := slices.IndexFunc(entryKeys, func(k entryKey) bool { return k.name == key })
	switch {
	case i < 0 && r.Settings[key] == nil:
		return ""
	case word[0] == '\n' || word[0] == '\r':
		return key + " has no value"
	case i >= 0 && isListOf(entryKeys[i].field(new(entry))):
		return fmt.Sprintf(`the items of %s must be in quotes: %[1]s = ["…", "…"]`, key)
	default:
		return fmt.Sprintf(`the value of %s must be in quotes: %[1]s = "…"`, key)
	}
}

func isListOf(field any) bool {
	_, ok := field.(*[]string)
	return ok
}

func (r *reader) unknown(line int, shown, key string, known []string) error {
	if key == "" {
		shown = `""`
	}
	near := suggest.Word(key, known)
	if near == tableName {
		near = "[[" + near + "]]"
	}
	if near != "" {
		return r.mistake(line, "%s is unknown; did you mean %s?", shown, near)
	}
	return r.mistake(line, "%s is unknown; there are %s", shown, strings.Join(known, ", "))
}

func (r *reader) mistake(line int, format string, args ...any) error {
	return &Error{fmt.Sprintf("%s:%d", r.file, line), fmt.Sprintf(format, args...)}
}
