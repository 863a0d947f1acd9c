package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/dockerconfig"
	"docker-credential-ecr-login/internal/fallback"
)

const program = config.HelperPrefix + dockerconfig.Helper

// program reports which file clients start.
func (d *diagnosis) program(context.Context) Finding {
	self, problem, fix := OnPath(d.Env)
	d.findProviders()
	switch {
	case problem == "":
		return ok("%s, %s; clients find it if their PATH, as this one does, names its folder", self, d.Version)
	case len(d.providers) > 0:
		p := d.providers[0]
		return ok("%s, %s; the kubelet starts it (%s)", p.program, d.Version, p.config)
	}
	return fail(fix, "%s (this one is %s)", problem, d.Version)
}

// OnPath returns where this program is, and what keeps clients from starting it.
func OnPath(env config.Env) (self, problem, fix string) {
	self, err := os.Executable()
	if err != nil {
		self = program
	}
	found, err := exec.LookPath(program)
	switch {
	case errors.Is(err, exec.ErrDot):
		return self, program + " is on the PATH in the working folder alone, where clients don't start it", "name absolute folders in PATH"
	case err != nil:
		return self, fmt.Sprintf("clients call %s, which isn't on the PATH (%s)", program, env.Get("PATH")),
			fmt.Sprintf("copy %s to a folder of the PATH, under that name", self)
	case !fallback.IsThisProgram(found):
		return self, fmt.Sprintf("clients call %s, which is another program than %s", found, self), "remove one of them"
	}
	return found, "", ""
}
