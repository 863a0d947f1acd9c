package cli

import (
	"testing"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/registry"
)

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", -59 * time.Second: "59s", time.Minute: "1m", time.Hour - time.Second: "59m",
		time.Hour: "1h0m", 11*time.Hour + 59*time.Minute + 59*time.Second: "11h59m",
	} {
		if got := short(d); got != want {
			t.Errorf("short(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestIsServed(t *testing.T) {
	r, _ := registry.Parse(host)
	family := cache.Family{Identity: "i", Region: "ap-south-1", EndpointVariant: "ecr"}
	for _, c := range []struct {
		registry registry.Registry
		family   cache.Family
		want     bool
	}{
		{r, family, true},
		{registry.Registry{}, family, true},
		{r, cache.Family{Identity: "i", Region: "eu-west-1", EndpointVariant: "ecr"}, false},
		{r, cache.Family{Identity: "i", Region: "ap-south-1", EndpointVariant: "ecr-fips"}, false},
	} {
		if got := isServed(c.registry, cache.Item{Key: cache.Key{Family: c.family}}); got != c.want {
			t.Errorf("%+v, %+v: %v", c.registry, c.family, got)
		}
	}
}

func TestHostOf(t *testing.T) {
	family := cache.Family{Region: "ap-south-1", EndpointVariant: "ecr"}
	if got, isECR := hostOf(cache.Key{Family: family, Registry: "222222222222"}); got != host || !isECR {
		t.Errorf("%q, %v", got, isECR)
	}
	if got, isECR := hostOf(cache.Key{Family: family, Registry: "own"}); got != "own" || isECR {
		t.Errorf("%q, %v", got, isECR)
	}
}
