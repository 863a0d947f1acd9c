package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/dockerconfig"
)

// program tells which file clients start under the name that they call.
func (v *visit) program(context.Context) {
	self, problem, fix := OnPath(v.Env)
	var errs []error
	v.node, errs = providersOf(self)
	for _, err := range errs {
		v.warn("", "%v", err)
	}
	if problem != "" && len(v.node) > 0 {
		v.ok("%s, %s; the kubelet starts it (%s)", v.node[0].program, v.Version, v.node[0].config)
		return
	}
	if problem != "" {
		v.found(Finding{State: Failure, Found: problem + " (this one is " + v.Version + ")", Fix: fix})
		return
	}
	v.ok("%s, %s; clients find it if their PATH, as this one does, names its folder", self, v.Version)
}

// OnPath tells where this program is, and what keeps clients from starting it.
func OnPath(env config.Env) (self, problem, fix string) {
	const called = config.HelperPrefix + dockerconfig.Helper
	self, err := os.Executable()
	if err != nil {
		self = called
	}
	found, err := exec.LookPath(called)
	switch {
	case errors.Is(err, exec.ErrDot):
		return self, called + " is on the PATH in the working folder alone, where clients don't start it", "name absolute folders in PATH"
	case err != nil:
		return self, fmt.Sprintf("clients call %s, which isn't on the PATH (%s)", called, env.Get("PATH")),
			fmt.Sprintf("copy %s to a folder of the PATH, under that name", self)
	case !sameFile(self, found):
		return self, fmt.Sprintf("clients call %s, which is another program than %s", found, self), "remove one of them"
	}
	return found, "", ""
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
