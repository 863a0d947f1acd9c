package testenv

import (
	"context"
	"os"
	"testing"
	"time"

	"docker-credential-ecr-login/internal/awstest"
)

// HoldLock starts a get of [Host] that AWS doesn't answer, so that it holds the lock of its tokens,
// and sends it a signal. The process ends with the test. Other gets have 10 s.
func (e *Env) HoldLock(t testing.TB, sig os.Signal) {
	t.Helper()
	e.Set("AWS_ECR_TIMEOUT=10s")
	e.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Hang: true, Times: 1})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	holder := e.Command(ctx, "get", Host)
	Must(t, holder.Start())
	t.Cleanup(func() {
		holder.Process.Kill()
		holder.Wait()
	})
	Must(t, e.AWS.Await(ctx, "ecr:GetAuthorizationToken", 1))
	Must(t, holder.Process.Signal(sig))
}
