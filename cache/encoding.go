package cache

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// A token's file has a line for each field: its name, a space and its value. The password comes
// last, so that a file that was cut off has none. It isn't JSON: reading JSON would be a tenth of
// all that a warm get does.
const (
	tokenHead = "ecr-login token 1\n"
	timeForm  = time.RFC3339Nano
)

// encode returns the content of a token's file.
func (i Item) encode() ([]byte, error) {
	var text strings.Builder
	text.WriteString(tokenHead)
	// In UTC, since to read any other zone takes the machine's table of zones.
	for _, field := range []struct{ name, value string }{
		{"identity", i.Identity},
		{"region", i.Region},
		{"flavour", i.EndpointVariant},
		{"registry", i.Registry},
		{"asked", i.RequestedAt.UTC().Format(timeForm)},
		{"fresh_until", i.FreshUntil.UTC().Format(timeForm)},
		{"expires", i.Expires.UTC().Format(timeForm)},
		{"default", strconv.FormatBool(i.Default)},
		{"source", i.CredentialSource},
		{"password", i.Password},
	} {
		if strings.Contains(field.value, "\n") {
			return nil, errors.New("a value with a line break can't be kept")
		}
		text.WriteString(field.name + " " + field.value + "\n")
	}
	return []byte(text.String()), nil
}

// decodeItem reads the content of a token's file. It is false for one that encode did not write.
func decodeItem(text string) (i Item, ok bool) {
	rest, ok := strings.CutPrefix(text, tokenHead)
	next := func(name string) string {
		line, after, found := strings.Cut(rest, "\n")
		value, named := strings.CutPrefix(line, name+" ")
		ok = ok && found && named
		rest = after
		return value
	}
	nextTime := func(name string) time.Time {
		t, err := time.Parse(timeForm, next(name))
		ok = ok && err == nil
		return t
	}
	i.Identity = next("identity")
	i.Region = next("region")
	i.EndpointVariant = next("flavour")
	i.Registry = next("registry")
	i.RequestedAt = nextTime("asked")
	i.FreshUntil = nextTime("fresh_until")
	i.Expires = nextTime("expires")
	var err error
	i.Default, err = strconv.ParseBool(next("default"))
	ok = ok && err == nil
	i.CredentialSource = next("source")
	i.Password = next("password")
	if !ok || rest != "" {
		return Item{}, false
	}
	return i, true
}
