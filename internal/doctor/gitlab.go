package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"docker-credential-ecr-login/internal/atomicfile"
	"docker-credential-ecr-login/internal/dockerconfig"
)

// maxConfig is many times what a configuration of GitLab Runner or of the kubelet takes.
const maxConfig = 16 << 20

// gitlabRunners returns the client's configuration in the environment of each runner of GitLab
// Runner's config.toml that pulls images, empty for those that have none; false if there is no such
// file that this user may read.
func (d *diagnosis) gitlabRunners() (files []*dockerconfig.File, isRunner bool) {
	path := cmp.Or(d.Env.Get("CONFIG_FILE"), "/etc/gitlab-runner/config.toml")
	isRunners := strings.Contains(path, "gitlab-runner") // many programs have a CONFIG_FILE
	// https://docs.gitlab.com/runner/configuration/advanced-configuration/
	var config struct {
		Runners []struct {
			Name        string   `toml:"name"`
			Executor    string   `toml:"executor"`
			Environment []string `toml:"environment"`
		} `toml:"runners"`
	}
	text, _, err := atomicfile.ReadRegular(path, maxConfig)
	if err == nil {
		err = toml.Unmarshal(text, &config)
	}
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist) || !isRunners:
		return nil, false
	case errors.Is(err, fs.ErrPermission):
		d.report(warn("run doctor as the user that the runner runs as", "this user can't read %s", path))
		return nil, true
	default:
		d.report(fail("fix it", "GitLab Runner can't read %s", atLine(path, err)))
		return nil, true
	}
	for _, runner := range config.Runners {
		if e := runner.Executor; e != "" && e != "kubernetes" && !strings.HasPrefix(e, "docker") {
			continue
		}
		auth := "{}"
		for _, variable := range runner.Environment {
			if value, isAuth := strings.CutPrefix(variable, authVariable+"="); isAuth {
				auth = value
			}
		}
		isRunner = true
		name := path + ": runner " + cmp.Or(runner.Name, "without a name") + ": " + authVariable
		f, err := dockerconfig.Parse(name, auth)
		if err != nil {
			d.report(fail("fix it", "%v", err))
			continue
		}
		files = append(files, f)
	}
	return files, isRunner
}

// atLine returns the path of a file, the line of a mistake in its TOML, and the mistake.
func atLine(path string, err error) string {
	var mistake *toml.DecodeError
	if !errors.As(err, &mistake) {
		return fmt.Sprintf("%s: %v", path, err)
	}
	line, _ := mistake.Position()
	what, _, _ := strings.Cut(mistake.Error(), " into struct") // a type of Go
	return fmt.Sprintf("%s:%d: %s", path, line, what)
}
