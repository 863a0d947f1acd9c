package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"docker-credential-ecr-login/internal/dockerconfig"
)

// runnerConfig is what counts here of GitLab Runner's config.toml:
// https://docs.gitlab.com/runner/configuration/advanced-configuration/
type runnerConfig struct {
	Runners []struct {
		Name        string   `toml:"name"`
		Executor    string   `toml:"executor"`
		Environment []string `toml:"environment"`
	} `toml:"runners"`
}

// gitlabRunners returns the client's configuration in the environment of each runner of GitLab
// Runner's config.toml that pulls images, empty for those that have none; false if there is no such
// file that this user may read.
func (v *visit) gitlabRunners() (files []*dockerconfig.File, ok bool) {
	const usual = "/etc/gitlab-runner/config.toml"
	path := cmp.Or(v.Env.Get("CONFIG_FILE"), usual)
	isRunners := strings.Contains(path, "gitlab-runner") // many programs have a CONFIG_FILE
	text, err := os.ReadFile(path)
	var config runnerConfig
	if err == nil {
		err = toml.Unmarshal(text, &config)
	}
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist) || !isRunners:
		return nil, false
	case errors.Is(err, fs.ErrPermission):
		v.warn("run doctor as the user that the runner runs as", "this user can't read %s", path)
		return nil, true
	default:
		v.fail("fix it", "GitLab Runner can't read %s", atLine(path, err))
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
		where := path + ": runner " + cmp.Or(runner.Name, "without a name")
		f, err := dockerconfig.Parse(where+": "+authVariable, auth)
		if err != nil {
			v.fail("fix it", "%v", err)
			ok = true
			continue
		}
		files, ok = append(files, f), true
	}
	return files, ok
}

// atLine names a file, the line of a mistake in its TOML, and the mistake.
func atLine(path string, err error) string {
	var mistake *toml.DecodeError
	if !errors.As(err, &mistake) {
		return fmt.Sprintf("%s: %v", path, err)
	}
	line, _ := mistake.Position()
	what, _, _ := strings.Cut(mistake.Error(), " into struct") // a type of Go
	return fmt.Sprintf("%s:%d: %s", path, line, what)
}
