// Package sanitize makes foreign text fit for one line of stderr or of a log.
package sanitize

import (
	"strings"
	"unicode"
)

const longest = 600

// Line returns the text as one line of bounded length, without control characters and marks that
// change the direction of writing.
func Line(text string) string {
	text = Unbounded(text)
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

// Unbounded is [Line] for a text of any length.
func Unbounded(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return strings.Join(strings.Fields(text), " ")
}

// ShellWord returns the text as one argument for a shell, in quotes if it needs them.
func ShellWord(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
