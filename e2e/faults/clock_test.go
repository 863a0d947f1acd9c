package faults

import (
	"fmt"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// The clocks of this machine and of AWS are apart, as far and in either direction as a
// broken one may be; half a day passes, or nothing does, and this machine's clock is set. As a
// test can't set it, what the cache holds of times is set the other way. No token is served
// that AWS takes for expired.
func TestClocks(t *testing.T) {
	hour, year := time.Hour, 365*24*time.Hour
	for _, apart := range []time.Duration{0, hour, -hour, year, -year} {
		for _, passed := range []time.Duration{0, 13 * hour} {
			for _, set := range []time.Duration{0, time.Minute, -time.Minute, hour, -hour, 13 * hour, -13 * hour, year, -year} {
				if passed > 0 && passed+set == 0 {
					continue // nobody can know; docs/security.md says so
				}
				t.Run(fmt.Sprintf("%v apart, %v passed, set by %v", apart, passed, set), func(t *testing.T) {
					t.Parallel()
					env, fault := testenv.WithKeys(t), testenv.NewFault(t)
					env.AWS.SetClock(func() time.Time { return time.Now().Add(apart) })
					fault.MustGet(t, env, testenv.UserARN)
					testenv.Must(t, testenv.Age(env.TokenFile(t), passed+set))
					env.AWS.SetClock(func() time.Time { return time.Now().Add(apart + passed) })
					// What is served now comes from the cache.
					env.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Status: 500, Code: "ServerException"})
					fault.Check(t, env, env.Run(t, "get", testenv.Host), testenv.UserARN)
					env.AWS.Heal("ecr:GetAuthorizationToken")
					fault.MustGet(t, env, testenv.UserARN)
					fault.MustGet(t, env, testenv.UserARN)
				})
			}
		}
	}
}
