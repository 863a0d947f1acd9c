package cache_test

import (
	"fmt"
	"os"
	"strings"
	"time"

	"docker-credential-ecr-login/cache"
)

// The identity is a hash of what decides the principal, such as the profile and the role.
var key = cache.Key{
	Family:   cache.Family{Identity: strings.Repeat("0123abcd", 8), Region: "eu-west-1", EndpointVariant: "ecr"},
	Registry: "111122223333",
}

// A program saves a token. Later another one of the same user finds it.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	now := time.Now()
	err = cache.New(dir).Put(key, cache.Token{
		Password:    "a token of GetAuthorizationToken",
		RequestedAt: now,
		FreshUntil:  now.Add(6 * time.Hour),
		Expires:     now.Add(12 * time.Hour),
	})
	if err != nil {
		fmt.Println("the token can't be saved:", err)
	}

	token, ok := cache.New(dir).Get(key)
	fmt.Println(ok, token.Fresh(now), token.Password)
	// Output: true true a token of GetAuthorizationToken
}

// Items lists what an identity has tokens for.
func ExampleCache_Items() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	c, now := cache.New(dir), time.Now()
	token := cache.Token{Password: "x", RequestedAt: now, FreshUntil: now.Add(time.Hour), Expires: now.Add(time.Hour)}
	if err := c.Put(key, token); err != nil {
		fmt.Println(err)
	}
	for _, item := range c.Items(key.Identity) {
		fmt.Println(item.Registry, item.Region, item.Expires.After(now))
	}
	// Output: 111122223333 eu-west-1 true
}

// Only one process at a time asks AWS for a token.
func ExampleCache_TryLock() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	c := cache.New(dir)
	release, err := c.TryLock(key.Family)
	fmt.Println(err)
	_, err = c.TryLock(key.Family)
	fmt.Println(err)
	release()
	// Output:
	// <nil>
	// another process holds the lock
}
