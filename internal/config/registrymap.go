package config

import (
	"os"
	"path"

	"docker-credential-ecr-login/internal/registrymap"
)

// machineMap is the map of the users who have none of their own.
const machineMap = "/etc/ecr-login/config.toml"

// readMap reads the user's map, if there is one.
func readMap(env Env, o registrymap.Options, home string) (registrymap.Map, error) {
	files := []string{path.Join(home, ".ecr/config.toml"), machineMap}
	named := env.Get("AWS_ECR_CONFIG")
	switch {
	case named == os.DevNull:
		return registrymap.Map{}, nil
	case named != "":
		file, err := o.Path(named)
		if err != nil {
			return registrymap.Map{}, &registrymap.Error{Where: "AWS_ECR_CONFIG", Problem: err.Error()}
		}
		files = []string{file}
	case home == "":
		files = files[1:]
	}
	for _, file := range files {
		m, err := registrymap.Read(file, o)
		if err != registrymap.ErrAbsent && err != registrymap.ErrHidden {
			return m, err
		}
		if named != "" {
			problem := err.Error() + "; AWS_ECR_CONFIG names it"
			return m, &registrymap.Error{Where: file, Problem: problem}
		}
	}
	return registrymap.Map{}, nil
}
