// Package cache keeps ECR tokens on disk, shared by all processes of a user.
//
// What it guarantees: a token is handed out only under the very [Key] it was
// saved with; a save is seen whole or not at all; a file that is damaged,
// somebody else's, open to others or no regular file is as good as absent and
// is replaced. Readers take no lock, since a rename changes a file at once;
// locks ([Cache.Lock]) only keep processes from asking AWS for the same token
// together.
//
// What it doesn't: the boundary is the user. Whoever runs as the same user can
// read the tokens. Nothing is synced to disk, so a power cut may lose a save.
//
// Every method works, at worst as if the cache were empty, where the disk is
// read-only, full or without locks.
package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// Family is a set of tokens that serve each other's registries: those of one
// identity from one endpoint. AWS says of GetAuthorizationToken that its token
// opens every registry the principal has access to.
type Family struct {
	// Identity is a hash of what decides the principal, in lower-case hex.
	Identity string `json:"identity"`
	// Region is the AWS region whose endpoint gave the token.
	Region string `json:"region"`
	// EndpointVariant tells the region's endpoints apart, such as "ecr" and "ecr-fips".
	EndpointVariant string `json:"flavour"`
}

// Key names a token: a family and the registry ID it was asked for.
type Key struct {
	Family
	// Registry is the registry ID: an account of twelve digits, or "public".
	Registry string
}

// Token is what ECR gave.
type Token struct {
	// Password opens the registry for the user "AWS".
	Password string
	// Asked is the local time at which it was asked for.
	RequestedAt time.Time
	// FreshUntil is when it ought to be renewed, and Expires when it ends, both
	// on the local clock.
	FreshUntil time.Time
	Expires    time.Time
	// Source says in words where the principal's credentials came from.
	CredentialSource string
	// Default marks the token of the identity's own registry.
	Default bool
}

// Fresh tells whether the token needs no renewal yet.
func (t Token) Fresh(now time.Time) bool { return t.live(now) && now.Before(t.FreshUntil) }

// live is false before the time of asking too: such a clock tells nothing of
// how much of the token's life is left.
func (t Token) live(now time.Time) bool {
	return t.Password != "" && !now.Before(t.RequestedAt) && now.Before(t.Expires)
}

// Cache keeps tokens in a directory. Its methods may be called by any number of
// goroutines and processes at once.
type Cache struct {
	dir string
	now func() time.Time
}

// New returns the cache that keeps its tokens in the directory "tokens" of dir.
// Nothing is made before something is saved. With an empty dir it keeps
// nothing.
func New(dir string) *Cache {
	if dir != "" {
		dir = path.Join(dir, "tokens")
	}
	return &Cache{dir: dir, now: time.Now}
}

// Get returns the token saved under the key. It may be past its freshness, but
// never expired.
func (c *Cache) Get(key Key) (Token, bool) {
	token, ok := c.read(key.file())
	return token.Token, ok && token.Key == key
}

// Sibling returns a fresh token of the family, whichever registry it was asked
// for.
func (c *Cache) Sibling(f Family) (Token, bool) {
	for _, item := range c.items(f.prefix()) {
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

// Items returns the identity's tokens that haven't expired.
func (c *Cache) Items(identity string) []Item {
	var mine []Item
	for _, item := range c.items(Family{Identity: identity}.identityPrefix()) {
		if item.Identity == identity {
			mine = append(mine, item)
		}
	}
	return mine
}

// All returns the tokens of every identity that haven't expired.
func (c *Cache) All() []Item { return c.items("") }

// Put saves the token under the key, and removes what has expired meanwhile.
func (c *Cache) Put(key Key, token Token) error {
	text, err := Item{key, token}.encode()
	if err != nil {
		return err
	}
	if err := c.write(key.file(), text, token.Expires); err != nil {
		return err
	}
	c.makeKnown(key, token.Expires)
	c.ClearFailure(key.Family)
	c.prune()
	return nil
}

// Purge removes every token of the family, and the memory of its failures.
func (c *Cache) Purge(f Family) {
	for _, name := range c.names() {
		if rest, ok := strings.CutPrefix(name, f.prefix()); ok && (isToken(rest) || rest == failureName) {
			os.Remove(c.path(name))
		}
	}
}

// Clear removes every token, every failure and what [Cache.Known] returns. An error names what
// can't be removed.
func (c *Cache) Clear() error {
	var errs []error
	for _, name := range c.names() {
		if isToken(name) || isKnown(name) || strings.HasSuffix(name, "."+failureName) {
			errs = append(errs, os.Remove(c.path(name)))
		}
	}
	return errors.Join(errs...)
}

// Check tells why tokens that are saved aren't found again, nil where they are. A directory that
// isn't there yet is made when something is saved.
func (c *Cache) Check() error {
	if err := c.checkDir(); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// CheckWrite writes as much as a token takes, in the directory or in the nearest one above that is
// there, and removes it. The error says why no token can be saved.
func (c *Cache) CheckWrite() error {
	dir := c.dir
	for {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			return fmt.Errorf("%s is not a directory", dir)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || dir == path.Dir(dir) {
			return err
		}
		dir = path.Dir(dir)
	}
	f, err := os.CreateTemp(dir, ".ecr-login-*"+tempSuffix)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, tokenSize))
	return errors.Join(err, f.Sync(), f.Close())
}

// Dir is the directory of the tokens, empty where nothing is kept.
func (c *Cache) Dir() string { return c.dir }

func (c *Cache) items(prefix string) []Item {
	var items []Item
	for _, name := range c.names() {
		if !strings.HasPrefix(name, prefix) || !isToken(name) {
			continue
		}
		if item, ok := c.read(name); ok && item.file() == name {
			items = append(items, item)
		}
	}
	return items
}

// read returns the live token in the file.
func (c *Cache) read(name string) (Item, bool) {
	text, err := c.readFile(name)
	if err != nil {
		return Item{}, false
	}
	item, ok := decodeItem(string(text))
	return item, ok && item.live(c.now())
}
