package sanitize

import (
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		" a  b\tc ":                        "a b c",
		"a\nlevel=info msg=\"b\"\r\n":      `a level=info msg="b"`,
		"\x1b[31mred\x1b[0m":               "[31mred[0m",
		"a\u202eb\u2066c\u200fd":           "abcd",
		"a\xffb":                           "ab",
		"a\u2028b":                         "a b",
		strings.Repeat("ä", longest):       strings.Repeat("ä", longest/2) + "…",
		"x" + strings.Repeat("ä", longest): "x" + strings.Repeat("ä", longest/2-1) + "…",
	} {
		if got := Line(text); got != want {
			t.Errorf("Of(%.40q) = %.40q, want %.40q", text, got, want)
		}
	}
}

func TestShellWord(t *testing.T) {
	for text, want := range map[string]string{
		"":             "''",
		"/root/.ecr/x": "/root/.ecr/x",
		"my dev":       "'my dev'",
		"it's":         `'it'\''s'`,
		"$HOME":        "'$HOME'",
		"A=/var/lib/x": "A=/var/lib/x",
	} {
		if got := ShellWord(text); got != want {
			t.Errorf("ShellWord(%q) = %s, want %s", text, got, want)
		}
	}
}
