package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err != nil && path == usual {
		return nil, false
	}
	var config runnerConfig
	if err == nil {
		err = toml.Unmarshal(text, &config)
	}
	if err != nil && filepath.Base(path) != filepath.Base(usual) {
		return nil, false // many programs have a CONFIG_FILE
	}
	if err != nil {
		v.fail("fix it", "GitLab Runner can't read %s", atLine(path, err))
		return nil, true
	}
	for _, runner := range config.Runners {
		if e := runner.Executor; e != "" && e != "kubernetes" && !strings.HasPrefix(e, "docker") {
			continue
		}
		auth := "{}"
		for _, variable := range runner.Environment {
			if value, ok := strings.CutPrefix(variable, authVariable+"="); ok {
				auth = value
			}
		}
		where := path + ": runner " + cmp.Or(runner.Name, "without a name")
		f, err := dockerconfig.Parse(where+": "+authVariable, auth)
		if err != nil {
			v.fail("fix it", "%v", err)
			continue
		}
		files = append(files, f)
	}
	return files, len(config.Runners) > 0
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
