package cache

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// A registry is known until 30 days after its last token expired, for the identity that got it.
func TestKnown(t *testing.T) {
	c, now := open(t)
	stranger := Key{Family{strings.Repeat("b2", 32), "eu-west-1", "ecr"}, key.Registry}
	second := Key{family, "444455556666"}
	for _, k := range []Key{key, second, stranger} {
		put(t, c, k, newToken(*now))
	}
	mustKnow := func(want ...Key) {
		t.Helper()
		if got := c.Known(family.Identity); !slices.Equal(got, want) {
			t.Errorf("Known = %v, want %v", got, want)
		}
	}
	mustKnow(key, second)
	c.Purge(family)
	mustKnow(key, second)
	*now = now.Add(12*time.Hour + 29*24*time.Hour)
	put(t, c, second, newToken(*now))
	mustKnow(key, second)
	*now = now.Add(2 * 24 * time.Hour)
	mustKnow(second)
	put(t, c, stranger, newToken(*now)) // which prunes
	if _, err := os.Stat(c.path(key.file(knownExt))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is known no longer is kept: %v", err)
	}
	c.Forget(second)
	mustKnow()
	if got := c.Known(stranger.Identity); len(got) != 1 {
		t.Errorf("Forget removes another registry: %v", got)
	}
	c.Forget(key)
	if got := c.Known(stranger.Identity); len(got) != 0 {
		t.Errorf("Forget spares another identity: %v", got)
	}
	put(t, c, key, newToken(*now))
	if err := c.Clear(); err != nil {
		t.Fatal(err)
	}
	mustKnow()
}
