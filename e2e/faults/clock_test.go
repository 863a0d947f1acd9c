package faults

import (
	"fmt"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// The clocks of this machine and of AWS differ by up to a year, half a day passes or no time, and
// this machine's clock is set. A test can't set the clock, so it changes the times in the cache
// instead. A token that has expired for AWS is never served.
func TestClocks(t *testing.T) {
	hour, year := time.Hour, 365*24*time.Hour
	for _, apart := range []time.Duration{0, hour, -hour, year, -year} {
		for _, passed := range []time.Duration{0, 13 * hour} {
			for _, set := range []time.Duration{0, time.Minute, -time.Minute, hour, -hour, 13 * hour, -13 * hour, year, -year} {
				if passed > 0 && passed+set == 0 {
					continue // can't be detected, as docs/security.md says
				}
				t.Run(fmt.Sprintf("%v apart, %v passed, set by %v", apart, passed, set), func(t *testing.T) {
					t.Parallel()
					env, fault := testenv.WithKeys(t), testenv.NewFault(t)
					env.AWS.SetClock(func() time.Time { return time.Now().Add(apart) })
					fault.MustGet(t, env, testenv.UserARN)
					testenv.Must(t, testenv.Age(env.TokenFile(t), passed+set))
					env.AWS.SetClock(func() time.Time { return time.Now().Add(apart + passed) })
					// The next get can be served from the cache alone.
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
