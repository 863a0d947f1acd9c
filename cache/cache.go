// Package cache keeps ECR tokens on disk, shared by all processes of a user.
//
// [Cache.Get] returns a token only under the [Key] it was saved with. Other processes see a save
// whole or not at all. A file that is damaged, belongs to another user, is open to others or is not
// a regular file counts as absent, and the next save replaces it. Readers take no lock, since a
// rename changes a file at once. [Cache.Lock] only keeps processes from asking AWS for the same
// token together.
//
// The boundary is the user: whoever runs as the same user can read the tokens. Nothing is synced to
// disk, so a power cut may lose a save. On a disk that is read-only, full or without locks, every
// method works as if the cache were empty.
package cache

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// Family is a set of tokens that serve each other's registries: those of one identity from one
// endpoint. A token of GetAuthorizationToken opens every registry that its principal has access to
// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html).
type Family struct {
	// Identity is a hash of what decides the principal, in lower-case hex.
	Identity string `json:"identity"`
	// Region is the AWS region whose endpoint gave the token.
	Region string `json:"region"`
	// EndpointVariant is one of the region's endpoints, such as "ecr" or "ecr-fips". The files call it
	// "flavour", so that the files of earlier versions can still be read.
	EndpointVariant string `json:"flavour"`
}

// Key names a token: its family, and the registry for which it was requested.
type Key struct {
	Family
	// Registry is the registry ID: an AWS account of 12 digits, or "public".
	Registry string
}

// Token is an authorization token of ECR. All times are on the local clock.
type Token struct {
	// Password opens the registry for the user "AWS".
	Password string
	// RequestedAt is when the token was requested.
	RequestedAt time.Time
	// FreshUntil is when the token should be renewed.
	FreshUntil time.Time
	// Expires is when the token ends.
	Expires time.Time
	// CredentialSource says in words where the principal's credentials came from.
	CredentialSource string
	// Default marks the token of the identity's own registry.
	Default bool
}

// Fresh reports whether the token needs no renewal yet.
func (t Token) Fresh(now time.Time) bool { return t.live(now) && now.Before(t.FreshUntil) }

// live is false before RequestedAt, too: the clock is wrong then, and the rest of the token's life is
// unknown.
func (t Token) live(now time.Time) bool {
	return t.Password != "" && !now.Before(t.RequestedAt) && now.Before(t.Expires)
}

// Cache keeps tokens in a directory. Any number of goroutines and processes may call its methods at
// once. [New] returns one.
type Cache struct {
	dir string
	now func() time.Time
}

// New returns the cache that keeps its tokens in the directory "tokens" of dir. The first save
// makes the directory. If dir is empty, the cache keeps nothing.
func New(dir string) *Cache {
	if dir != "" {
		dir = path.Join(dir, "tokens")
	}
	return &Cache{dir: dir, now: time.Now}
}

// Get returns the token saved under the key. The token may be due for renewal, but has not expired.
func (c *Cache) Get(key Key) (Token, bool) {
	token, ok := c.read(key.file(tokenExt))
	return token.Token, ok && token.Key == key
}

// Sibling returns a fresh token of the family, for whichever registry it was requested.
func (c *Cache) Sibling(f Family) (Token, bool) {
	for _, item := range c.items(f.file(".")) {
		if item.Family == f && item.Fresh(c.now()) {
			return item.Token, true
		}
	}
	return Token{}, false
}

// Item is a token and the key it is saved under.
type Item struct {
	Key
	Token
}

// Items returns the identity's tokens that have not expired.
func (c *Cache) Items(identity string) []Item {
	items := c.items(Family{Identity: identity}.identityPrefix())
	return slices.DeleteFunc(items, func(item Item) bool { return item.Identity != identity })
}

// All returns the tokens of every identity that have not expired.
func (c *Cache) All() []Item { return c.items("") }

// Put saves the token under the key, and removes expired tokens.
func (c *Cache) Put(key Key, token Token) error {
	text, err := Item{key, token}.encode()
	if err != nil {
		return err
	}
	if err := c.write(key.file(tokenExt), text, token.Expires); err != nil {
		return err
	}
	c.write(key.file(knownExt), nil, token.Expires) // a failure only shortens lists
	c.ClearFailure(key.Family)
	c.prune()
	return nil
}

// Purge removes the tokens and the failure of the family.
func (c *Cache) Purge(f Family) {
	c.remove(func(name string) bool {
		ext := path.Ext(name)
		return strings.HasPrefix(name, f.file(".")) && (ext == tokenExt || ext == failureExt)
	})
}

// Clear removes every token, every failure and what [Cache.Known] returns. An error names what
// can't be removed.
func (c *Cache) Clear() error {
	exts := []string{tokenExt, failureExt, knownExt}
	return c.remove(func(name string) bool { return slices.Contains(exts, path.Ext(name)) })
}

// Check returns why Get does not read from the directory. It returns nil if there is no such
// directory yet.
func (c *Cache) Check() error {
	if err := c.checkDir(); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Dir returns the directory of the tokens, empty if the cache keeps nothing.
func (c *Cache) Dir() string { return c.dir }

func (c *Cache) items(prefix string) []Item {
	var items []Item
	for _, name := range c.names() {
		if !strings.HasPrefix(name, prefix) || path.Ext(name) != tokenExt {
			continue
		}
		if item, ok := c.read(name); ok && item.file(tokenExt) == name {
			items = append(items, item)
		}
	}
	return items
}

// read returns the token in the file if it has not expired.
func (c *Cache) read(name string) (Item, bool) {
	text, err := c.readFile(name)
	if err != nil {
		return Item{}, false
	}
	item, ok := decodeItem(string(text))
	return item, ok && item.live(c.now())
}
