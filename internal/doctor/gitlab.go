package doctor

import (
	"cmp"
	"errors"
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
		Environment []string `toml:"environment"`
	} `toml:"runners"`
}

// gitlabRunner judges the config.toml of GitLab Runner, if there is one that this user may read.
// It is false if there is none.
func (v *visit) gitlabRunner() bool {
	file := cmp.Or(v.Env.Get("CONFIG_FILE"), "/etc/gitlab-runner/config.toml")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) && v.Env.Get("CONFIG_FILE") == "" {
		return false
	}
	var config runnerConfig
	if err == nil {
		err = toml.Unmarshal(text, &config)
	}
	if err != nil {
		v.fail("fix it", "%s: GitLab Runner's configuration can't be read: %v", file, err)
		return true
	}
	const configure = program + " configure --print gitlab"
	// The runner reads config.json besides, for registries that the variable doesn't name.
	docker := v.client(dockerconfig.DockerPath)
	hasDocker := docker != nil && docker.Exists()
	for _, runner := range config.Runners {
		auth := "{}"
		for _, variable := range runner.Environment {
			if value, ok := strings.CutPrefix(variable, authVariable+"="); ok {
				auth = value
			}
		}
		where := file + ": runner " + cmp.Or(runner.Name, "without a name")
		f, err := dockerconfig.Parse(where+": "+authVariable, auth)
		switch {
		case err != nil:
			v.fail("fix it", "%v", err)
		case f.HelperOf(v.image.host) != "" || f.Store() != "" || v.static(f):
			v.judge(f, configure, "put what it prints in the place of that password")
		case !hasDocker:
			v.warn("put the line into that runner's environment that this prints: "+configure, "%s names no helper in %s, and there is no config.json", where, authVariable)
		}
	}
	return len(config.Runners) > 0
}
