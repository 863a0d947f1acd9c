package tokensource

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/failure"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
)

const host = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"

// resolverIn returns a resolver with keys in the environment and the cache in a directory. Its fetch
// counts, and answers with a token of 12 hours or with the error that it is given.
func resolverIn(dir string, fetched *int, why *failure.Failure) *Resolver {
	r := Load(config.Env{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "AWS_ECR_CACHE_DIR=" + dir, "AWS_ECR_CONFIG=/dev/null"}, "")
	r.Fetch = func(_ context.Context, q Request) (Response, error) {
		*fetched++
		if why != nil {
			return Response{}, why
		}
		return Response{Registry: q.Registry, Password: "fetched", RequestedAt: time.Now(), TTL: 12 * time.Hour}, nil
	}
	return r
}

func TestToken(t *testing.T) {
	now := time.Now()
	fresh := cache.Token{Password: "held", RequestedAt: now, FreshUntil: now.Add(time.Hour), Expires: now.Add(time.Hour)}
	due := cache.Token{Password: "held", RequestedAt: now.Add(-7 * time.Hour), FreshUntil: now.Add(-time.Hour), Expires: now.Add(5 * time.Hour)}
	newFailure := func(kind failure.Kind, at time.Time) *failure.Failure {
		return &failure.Failure{Kind: kind, Reason: "no", At: at}
	}
	for name, c := range map[string]struct {
		held      *cache.Token     // under the registry's key
		sibling   *cache.Token     // under that of another account in the same region
		earlier   *failure.Failure // of another process
		why       *failure.Failure // of AWS
		password  string           // empty for the failure
		fetched   int
		remaining int // tokens in the cache afterwards
	}{
		"nothing is held":                            {password: "fetched", fetched: 1, remaining: 1},
		"a fresh one is held":                        {held: &fresh, password: "held", remaining: 1},
		"one that is due is held":                    {held: &due, password: "fetched", fetched: 1, remaining: 1},
		"it can't be renewed":                        {held: &due, why: newFailure(failure.Unavailable, now), password: "held", fetched: 1, remaining: 1},
		"its renewal failed a moment ago":            {held: &due, earlier: newFailure(failure.Unavailable, now), password: "held", remaining: 1},
		"its renewal failed two minutes ago":         {held: &due, earlier: newFailure(failure.Unavailable, now.Add(-2*time.Minute)), password: "fetched", fetched: 1, remaining: 1},
		"it is denied":                               {held: &due, why: newFailure(failure.Denied, now), fetched: 1},
		"a sibling is fresh":                         {sibling: &fresh, password: "held", remaining: 2},
		"a sibling is due":                           {sibling: &due, password: "fetched", fetched: 1, remaining: 2},
		"others failed while this one waited":        {earlier: newFailure(failure.Denied, now.Add(time.Hour)), why: newFailure(failure.Denied, now), fetched: 0},
		"others failed before":                       {earlier: newFailure(failure.Denied, now.Add(-time.Hour)), password: "fetched", fetched: 1, remaining: 1},
		"nothing is held, and AWS is not to be had":  {why: newFailure(failure.Timeout, now), fetched: 1},
		"a fresh one is held, and AWS would deny it": {held: &fresh, why: newFailure(failure.Denied, now), password: "held", remaining: 1},
	} {
		t.Run(name, func(t *testing.T) {
			fetched := 0
			r := resolverIn(t.TempDir(), &fetched, c.why)
			target, source, err := r.Resolve(host)
			if err != nil {
				t.Fatal(err)
			}
			id, _ := source.identity(target.Principal)
			key := KeyOf(id.Key, target.Registry)
			put := func(token *cache.Token, account string) {
				if token == nil {
					return
				}
				key := key
				key.Registry = account
				if err := source.Cache.Put(key, *token); err != nil {
					t.Fatal(err)
				}
			}
			put(c.held, "111111111111")
			put(c.sibling, "222222222222")
			if c.earlier != nil {
				if err := source.Cache.PutFailure(key.Family, *c.earlier); err != nil {
					t.Fatal(err)
				}
			}
			item, err := source.Token(t.Context(), target)
			if item.Password != c.password || (err == nil) != (c.password != "") {
				t.Errorf("Token = %q, %v; want %q", item.Password, err, c.password)
			}
			if fetched != c.fetched {
				t.Errorf("AWS was asked %d times, want %d", fetched, c.fetched)
			}
			if n := len(source.Cache.All()); n != c.remaining {
				t.Errorf("%d tokens are kept, want %d", n, c.remaining)
			}
		})
	}
}

// A token is fresh for at most half its life, less by a random part, and for an hour if its principal
// may change unseen.
func TestFreshness(t *testing.T) {
	at := time.Now()
	for range 100 {
		for _, c := range []struct {
			mayChange bool
			most      time.Duration
		}{{false, 6 * time.Hour}, {true, time.Hour}} {
			token := tokenOf(Response{RequestedAt: at, TTL: 12 * time.Hour, PrincipalMayChange: c.mayChange}, "keys")
			if fresh := token.FreshUntil.Sub(at); fresh > c.most || fresh < c.most-c.most/jitter-1 {
				t.Errorf("a token whose principal may change (%v) is fresh for %v", c.mayChange, fresh)
			}
			if token.Expires != at.Add(12*time.Hour) {
				t.Errorf("it expires at %v", token.Expires)
			}
		}
	}
}

func TestResolve(t *testing.T) {
	for name, c := range map[string]struct {
		env    config.Env
		server string
		is     error  // in the chain of the error
		text   string // in the text of the error
	}{
		"a registry":                        {nil, host, nil, ""},
		"another host":                      {nil, "docker.io", ErrOtherHost, ""},
		"a registry, with a wrong setting":  {config.Env{"AWS_ECR_TIMEOUT=soon"}, host, nil, "AWS_ECR_TIMEOUT"},
		"another host, with a wrong map":    {config.Env{"AWS_ECR_CONFIG=map.toml"}, "docker.io", nil, "AWS_ECR_CONFIG"},
		"a registry, and nobody writes log": {config.Env{"AWS_ECR_LOG_FILE=/nowhere/log"}, host, ErrCacheMiss, ""},
	} {
		t.Run(name, func(t *testing.T) {
			env := append(config.Env{"AWS_ECR_DISABLE_CACHE=1"}, c.env...)
			target, source, err := Load(env, "").Resolve(c.server)
			isRight := err == nil && c.is == nil && c.text == "" || err != nil && (c.is == nil || errors.Is(err, c.is)) && strings.Contains(err.Error(), c.text)
			if !isRight || (source == nil) != (err != nil) {
				t.Errorf("Resolve(%q) = %+v, %v, %v", c.server, target, source, err)
			}
			if (target.Host == "") != (c.server != host) {
				t.Errorf("Resolve(%q) = %+v, %v", c.server, target, err)
			}
		})
	}
}

// Without a fetch, what isn't in the cache is a miss, and nothing is written.
func TestMiss(t *testing.T) {
	fetched, dir := 0, t.TempDir()
	r := resolverIn(dir, &fetched, nil)
	r.Fetch = nil
	target, source, err := r.Resolve(host)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := source.Token(t.Context(), target); !errors.Is(err, ErrCacheMiss) {
		t.Errorf("Token: %v", err)
	}
	if _, _, err := source.List(t.Context()); !errors.Is(err, ErrCacheMiss) {
		t.Errorf("List: %v", err)
	}
	if known := source.Cache.Known(""); len(known) > 0 {
		t.Errorf("known: %v", known)
	}
}

// A list omits what failed, and doesn't ask for it again for a while.
func TestListOmits(t *testing.T) {
	fetched := 0
	r := resolverIn(t.TempDir(), &fetched, nil)
	ask := r.Fetch
	r.Fetch = func(ctx context.Context, q Request) (Response, error) {
		switch {
		case q.Registry.Public:
			return Response{}, &failure.Failure{Kind: failure.Timeout, Reason: "silent", At: time.Now()}
		default:
			q.Registry = registry.Registry{Account: "111111111111", Region: "eu-west-1"}
			response, err := ask(ctx, q)
			response.Default = true
			return response, err
		}
	}
	for range 3 {
		source, err := r.Source()
		if err != nil {
			t.Fatal(err)
		}
		hosts, omitted, err := source.List(t.Context())
		if err != nil || len(hosts) != 1 || hosts[0] != host || len(omitted) != 1 || !strings.HasPrefix(omitted[0].Error(), "public ECR is left out: silent") {
			t.Errorf("List = %q, %v, %v", hosts, omitted, err)
		}
	}
	if fetched != 1 {
		t.Errorf("the own registry was asked for %d times", fetched)
	}
}

func TestUsableFor(t *testing.T) {
	now := time.Now()
	for _, c := range []struct{ fresh, expires, want time.Duration }{
		{5 * time.Hour, 12 * time.Hour, 5 * time.Hour},
		{-time.Hour, 5 * time.Hour, time.Minute}, // until the next attempt to renew it
		{-time.Hour, 10 * time.Second, 10 * time.Second},
	} {
		if got := UsableFor(cache.Token{FreshUntil: now.Add(c.fresh), Expires: now.Add(c.expires)}, now); got != c.want {
			t.Errorf("fresh for %v, expires in %v: usable for %v, want %v", c.fresh, c.expires, got, c.want)
		}
	}
}

func TestPullsAnonymously(t *testing.T) {
	public, private := registry.Registry{Public: true}, registry.Registry{Account: "111111111111", Region: "eu-west-1"}
	named := registrymap.Principal{Profile: "x"}
	for _, c := range []struct {
		r    registry.Registry
		p    registrymap.Principal
		err  error
		want bool
	}{
		{public, registrymap.Principal{}, &failure.Failure{Kind: failure.Misconfigured}, true},
		{public, registrymap.Principal{}, &failure.Failure{Kind: failure.Denied}, true},
		{public, named, &failure.Failure{Kind: failure.Denied}, true},
		{public, named, &failure.Failure{Kind: failure.Misconfigured}, false},
		{public, named, nil, false},
		{public, registrymap.Principal{}, ErrCacheMiss, false},
		{private, registrymap.Principal{}, &failure.Failure{Kind: failure.Denied}, false},
	} {
		if got := PullsAnonymously(registrymap.Target{Registry: c.r, Principal: c.p}, c.err); got != c.want {
			t.Errorf("PullsAnonymously(%+v as %+v, %v) = %v", c.r, c.p, c.err, got)
		}
	}
}
