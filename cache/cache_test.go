package cache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"docker-credential-ecr-login/internal/atomicfile"
	"docker-credential-ecr-login/internal/failure"
)

var (
	family = Family{Identity: strings.Repeat("a1", 32), Region: "eu-west-1", EndpointVariant: "ecr"}
	key    = Key{family, "111122223333"}
)

func newToken(now time.Time) Token {
	return Token{
		Password:    "secret",
		RequestedAt: now,
		FreshUntil:  now.Add(6 * time.Hour),
		Expires:     now.Add(12 * time.Hour),
	}
}

// open returns a cache whose clock the test can move.
func open(t *testing.T) (*Cache, *time.Time) {
	t.Helper()
	now := time.Now().Round(0)
	c := New(filepath.Join(t.TempDir(), "a", "b"))
	c.now = func() time.Time { return now }
	return c, &now
}

func put(t *testing.T, c *Cache, k Key, token Token) {
	t.Helper()
	if err := c.Put(k, token); err != nil {
		t.Fatal(err)
	}
}

func TestGet(t *testing.T) {
	c, now := open(t)
	if _, ok := c.Get(key); ok {
		t.Error("an empty cache has a token")
	}
	put(t, c, key, newToken(*now))
	token, ok := c.Get(key)
	if !ok || token.Password != "secret" || !token.Fresh(*now) {
		t.Errorf("Get = %+v, %v", token, ok)
	}
	for _, other := range []Key{
		{Family{strings.Repeat("a1", 16) + strings.Repeat("b2", 16), "eu-west-1", "ecr"}, key.Registry},
		{Family{family.Identity, "eu-west-2", "ecr"}, key.Registry},
		{Family{family.Identity, "eu-west-1", "ecr-fips"}, key.Registry},
		{family, "444455556666"},
	} {
		if _, ok := c.Get(other); ok {
			t.Errorf("Get(%+v) has the token of another key", other)
		}
	}
	start := *now
	for after, want := range map[time.Duration]struct{ ok, fresh bool }{
		-time.Second:                   {false, false},
		0:                              {true, true},
		6*time.Hour - time.Nanosecond:  {true, true},
		6 * time.Hour:                  {true, false},
		12*time.Hour - time.Nanosecond: {true, false},
		12 * time.Hour:                 {false, false},
	} {
		*now = start.Add(after)
		token, ok := c.Get(key)
		if ok != want.ok || ok && token.Fresh(*now) != want.fresh {
			t.Errorf("%v after asking: ok %v, fresh %v; want %+v", after, ok, token.Fresh(*now), want)
		}
	}
}

func TestFileNamesItsKey(t *testing.T) {
	c, now := open(t)
	put(t, c, key, newToken(*now))
	other := Key{family, "444455556666"}
	if err := os.Rename(c.path(key.file(tokenExt)), c.path(other.file(tokenExt))); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Get(other); ok {
		t.Error("a renamed file is taken for another key's")
	}
	if _, ok := c.Sibling(family); ok {
		t.Error("a renamed file is adopted")
	}
}

func TestModes(t *testing.T) {
	for _, umask := range []int{0, 0o077, 0o777} {
		c, now := open(t)
		old := syscall.Umask(umask)
		err := c.Put(key, newToken(*now))
		release, lockErr := c.Lock(context.Background(), family)
		release()
		syscall.Umask(old)
		if err := errors.Join(err, lockErr); err != nil {
			t.Fatalf("umask %o: %v", umask, err)
		}
		if _, ok := c.Get(key); !ok {
			t.Errorf("umask %o: the token is lost", umask)
		}
		for dir := c.dir; filepath.Base(dir) != "a"; dir = filepath.Dir(dir) {
			mustHaveMode(t, dir, fs.ModeDir|0o700)
		}
		mustHaveMode(t, c.path(key.file(tokenExt)), 0o600)
	}
}

func TestDirectoryThatWasThereKeepsItsMode(t *testing.T) {
	c, now := open(t)
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, c, key, newToken(*now))
	mustHaveMode(t, c.dir, fs.ModeDir|0o755)
}

func mustHaveMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != want {
		t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
	}
}

// Whatever stands in a token's place is a miss, and the next save replaces it.
func TestDamage(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"empty":     func(p string) error { return os.WriteFile(p, nil, 0o600) },
		"null":      func(p string) error { return os.WriteFile(p, []byte("null"), 0o600) },
		"truncated": func(p string) error { return os.Truncate(p, 40) },
		"binary":    func(p string) error { return os.WriteFile(p, []byte{0, 1, 0xff}, 0o600) },
		"large":     func(p string) error { return os.WriteFile(p, []byte(strings.Repeat(" ", 1<<20)+"{}"), 0o600) },
		"readable":  func(p string) error { return os.Chmod(p, 0o640) },
		"directory": func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o700)) },
		"FIFO":      func(p string) error { return errors.Join(os.Remove(p), syscall.Mkfifo(p, 0o600)) },
		"symlink": func(p string) error {
			return errors.Join(os.Rename(p, p+"-real"), os.Symlink(p+"-real", p))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, now := open(t)
			put(t, c, key, newToken(*now))
			if err := damage(c.path(key.file(tokenExt))); err != nil {
				t.Fatal(err)
			}
			if _, ok := c.Get(key); ok {
				t.Error("it is taken for a token")
			}
			if _, ok := c.Sibling(family); ok {
				t.Error("it is adopted")
			}
			put(t, c, key, newToken(*now))
			if _, ok := c.Get(key); !ok {
				t.Error("it isn't replaced")
			}
			mustHaveMode(t, c.path(key.file(tokenExt)), 0o600)
		})
	}
}

func TestLinkInPlaceOfTheDirectory(t *testing.T) {
	c, now := open(t)
	elsewhere := t.TempDir()
	if err := errors.Join(os.MkdirAll(filepath.Dir(c.dir), 0o700), os.Symlink(elsewhere, c.dir)); err != nil {
		t.Fatal(err)
	}
	if err := c.Put(key, newToken(*now)); err == nil {
		t.Error("Put follows a link")
	}
	if files, _ := os.ReadDir(elsewhere); len(files) != 0 {
		t.Errorf("files made behind the link: %v", files)
	}

	// What can't be purged through the link must not be read through it.
	real := New(t.TempDir())
	put(t, real, key, newToken(*now))
	if err := errors.Join(os.Remove(c.dir), os.Symlink(real.dir, c.dir)); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Get(key); ok {
		t.Error("Get follows a link")
	}
}

func TestSiblingAndPurge(t *testing.T) {
	c, now := open(t)
	put(t, c, key, newToken(*now))
	if token, ok := c.Sibling(family); !ok || token.Password != "secret" {
		t.Errorf("Sibling = %+v, %v", token, ok)
	}
	if _, ok := c.Sibling(Family{family.Identity, "eu-west-2", "ecr"}); ok {
		t.Error("a sibling from another region")
	}
	*now = now.Add(7 * time.Hour)
	if _, ok := c.Sibling(family); ok {
		t.Error("a sibling that is no longer fresh is adopted")
	}

	*now = now.Add(-7 * time.Hour)
	other := Key{Family{family.Identity, "eu-west-1", "ecr-fips"}, key.Registry}
	put(t, c, Key{family, "444455556666"}, newToken(*now))
	put(t, c, other, newToken(*now))
	c.Purge(family)
	if _, ok := c.Sibling(family); ok {
		t.Error("a token survives the purge")
	}
	if _, ok := c.Get(other); !ok {
		t.Error("the purge takes another family's token")
	}
}

// A file that another process removes first is gone, too.
func TestTwoClearAtOnce(t *testing.T) {
	c, now := open(t)
	put(t, c, key, newToken(*now))
	err := c.remove(func(name string) bool { return os.Remove(c.path(name)) == nil })
	if err != nil || len(c.names()) > 0 {
		t.Errorf("remove: %v, left %q", err, c.names())
	}
}

func TestItems(t *testing.T) {
	c, now := open(t)
	stranger := Key{Family{strings.Repeat("b2", 32), "eu-west-1", "ecr"}, key.Registry}
	put(t, c, key, newToken(*now))
	put(t, c, stranger, newToken(*now))
	items := c.Items(family.Identity)
	if len(items) != 1 || items[0].Key != key {
		t.Errorf("Items = %+v", items)
	}
}

func TestPrune(t *testing.T) {
	c, now := open(t)
	expired := newToken(now.Add(-13 * time.Hour))
	put(t, c, Key{family, "444455556666"}, expired)
	release, err := c.Lock(context.Background(), family)
	if err != nil {
		t.Fatal(err)
	}
	release()
	unmanaged := []string{"README", "x.token", family.identityPrefix() + "txt"}
	for _, name := range append(unmanaged, key.file(tokenExt)+".1.tmp") {
		if err := os.WriteFile(c.path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.PutFailure(family, failure.Failure{Kind: failure.Denied, At: *now}); err != nil {
		t.Fatal(err)
	}
	*now = now.Add(time.Hour)
	other := Key{Family{strings.Repeat("b2", 32), "eu-west-1", "ecr"}, key.Registry}
	put(t, c, other, newToken(*now))

	files, err := os.ReadDir(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{other.file(tokenExt): true, other.file(knownExt): true, Key{family, "444455556666"}.file(knownExt): true}
	for _, name := range unmanaged {
		want[name] = true
	}
	for _, f := range files {
		if !want[f.Name()] {
			t.Errorf("%s is left behind", f.Name())
		}
		delete(want, f.Name())
	}
	for name := range want {
		t.Errorf("%s is gone", name)
	}
}

func TestPruneSparesAHeldLock(t *testing.T) {
	c, now := open(t)
	release, err := c.Lock(context.Background(), family)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	*now = now.Add(time.Hour)
	c.prune()
	if _, err := c.TryLock(family); !errors.Is(err, ErrHeld) {
		t.Errorf("TryLock of a held lock = %v, want ErrHeld", err)
	}
}

func TestLockIsHeldByOne(t *testing.T) {
	c, _ := open(t)
	var held, most int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			release, err := c.Lock(context.Background(), family)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			held++
			most = max(most, held)
			mu.Unlock()
			c.prune()
			mu.Lock()
			held--
			mu.Unlock()
			release()
		})
	}
	wg.Wait()
	if most != 1 {
		t.Errorf("%d held the lock at once", most)
	}
}

func TestLockEndsWithItsContext(t *testing.T) {
	c, _ := open(t)
	hold, err := c.Lock(context.Background(), family)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Lock(ctx, family); !errors.Is(err, context.Canceled) {
		t.Errorf("Lock = %v, want context.Canceled", err)
	}
	hold()
	// The wait that was called off must not keep the lock for ever.
	release, err := c.Lock(context.Background(), family)
	if err != nil {
		t.Fatal(err)
	}
	release()
}

func TestFailure(t *testing.T) {
	c, now := open(t)
	want := failure.Failure{Kind: failure.Denied, Reason: "no", Hint: "ask", At: *now}
	if err := c.PutFailure(family, want); err != nil {
		t.Fatal(err)
	}
	got, ok := c.Failure(family)
	if !ok || got.Reason != want.Reason || got.Kind != want.Kind || !got.At.Equal(want.At) {
		t.Errorf("Failure = %+v, %v", got, ok)
	}
	if _, ok := c.Failure(Family{family.Identity, "eu-west-2", "ecr"}); ok {
		t.Error("another family has the failure too")
	}
	put(t, c, key, newToken(*now))
	if _, ok := c.Failure(family); ok {
		t.Error("a failure survives the next success")
	}
}

func TestNoDirectory(t *testing.T) {
	c := New("")
	if err := c.Put(key, newToken(time.Now())); err == nil {
		t.Error("Put into no directory says nothing")
	}
	if _, ok := c.Get(key); ok {
		t.Error("Get from no directory finds something")
	}
	if _, err := c.Lock(context.Background(), family); err == nil {
		t.Error("Lock in no directory says nothing")
	}
	c.Purge(family)
}

// Hostile parts of a key stay inside the directory.
func TestNamesStayInTheDirectory(t *testing.T) {
	c, now := open(t)
	k := Key{Family{"../../x", "../y", "a/b"}, "../../../etc/passwd"}
	put(t, c, k, newToken(*now))
	if filepath.Dir(c.path(k.file(tokenExt))) != c.dir {
		t.Errorf("%s is outside", c.path(k.file(tokenExt)))
	}
	if _, ok := c.Get(k); !ok {
		t.Error("the token is lost")
	}
}

// What earlier versions have saved is found: names and contents of files stay.
func TestEarlierVersions(t *testing.T) {
	c, now := open(t)
	if err := c.makeDir(); err != nil {
		t.Fatal(err)
	}
	asked := now.UTC().Format(timeForm)
	ends := now.Add(time.Hour).UTC().Format(timeForm)
	prefix := c.dir + "/" + strings.Repeat("a1", 16) + ".eu-west-1.ecr."
	for name, text := range map[string]string{
		"111122223333.token": "ecr-login token 1\nidentity " + family.Identity + "\nregion eu-west-1\nflavour ecr\nregistry 111122223333\n" +
			"asked " + asked + "\nfresh_until " + ends + "\nexpires " + ends + "\ndefault true\nsource profile a\npassword secret\n",
		"444455556666.known": "",
		"failure":            `{"identity":"` + family.Identity + `","region":"eu-west-1","flavour":"ecr","kind":"denied","reason":"no","at":"` + asked + `"}`,
	} {
		if err := os.WriteFile(prefix+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if token, ok := c.Get(key); !ok || token.Password != "secret" || !token.Default || token.CredentialSource != "profile a" {
		t.Errorf("Get = %+v, %v", token, ok)
	}
	if known := c.Known(family.Identity); len(known) != 1 || known[0] != (Key{family, "444455556666"}) {
		t.Errorf("Known = %v", known)
	}
	if why, ok := c.Failure(family); !ok || why.Kind != failure.Denied || !why.At.Equal(*now) {
		t.Errorf("Failure = %+v, %v", why, ok)
	}
}

func FuzzRead(f *testing.F) {
	now := time.Now()
	text, err := Item{key, newToken(now)}.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("null"))
	f.Add([]byte(tokenHead + "password x\n"))
	c := New(f.TempDir())
	if err := c.makeDir(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(c.path(key.file(tokenExt)), text, 0o600); err != nil {
			t.Fatal(err)
		}
		token, ok := c.Get(key)
		if ok && strings.Count(string(text), "\n") != 11 {
			t.Errorf("%q is taken for a token", text)
		}
		if ok && (token.Password == "" || !time.Now().Before(token.Expires)) {
			t.Errorf("%q is taken for the token %+v", text, token)
		}
	})
}

// A file that was cut off anywhere, or has more than a token, is none.
func TestDecode(t *testing.T) {
	item := Item{key, newToken(time.Now().Round(0))}
	item.Default, item.CredentialSource = true, "profile a b, role"
	text, err := item.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, ok := decodeItem(string(text))
	if !ok || got.Key != item.Key || got.Password != item.Password || !got.RequestedAt.Equal(item.RequestedAt) ||
		!got.FreshUntil.Equal(item.FreshUntil) || !got.Expires.Equal(item.Expires) || got.CredentialSource != item.CredentialSource || !got.Default {
		t.Errorf("decodeItem = %+v, %v; want %+v", got, ok, item)
	}
	for n := range text {
		if got, ok := decodeItem(string(text[:n])); ok {
			t.Errorf("cut after %d of %d bytes: %+v", n, len(text), got)
		}
	}
	for _, text := range []string{string(text) + "x", string(text) + "\n", "x" + string(text), "null\n"} {
		if got, ok := decodeItem(text); ok {
			t.Errorf("%.40q: %+v", text, got)
		}
	}
	item.CredentialSource = "a\npassword b"
	if _, err := item.encode(); err == nil {
		t.Error("a value with a line break is kept")
	}
}

// What is being written is locked; what nobody holds was left by a process that was
// killed, however old it is.
func TestPruneAbandoned(t *testing.T) {
	c := New(t.TempDir())
	key := Key{Family: Family{Identity: strings.Repeat("ab", 32), Region: "eu-west-1", EndpointVariant: "ecr"}, Registry: "111111111111"}
	now := time.Now()
	put := func() {
		t.Helper()
		if err := c.Put(key, Token{Password: "p", RequestedAt: now, FreshUntil: now.Add(time.Hour), Expires: now.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	put()
	held, left := c.path(key.file(tokenExt)+".1"+atomicfile.TempSuffix), c.path(key.file(tokenExt)+".2"+atomicfile.TempSuffix)
	f, err := os.OpenFile(held, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := errors.Join(atomicfile.TryLock(f), os.WriteFile(left, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	put()
	if _, err := os.Lstat(held); err != nil {
		t.Errorf("what is being written: %v", err)
	}
	if _, err := os.Lstat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was left: %v", err)
	}
}
