package config

import (
	"os"
	"path"

	"docker-credential-ecr-login/internal/registrymap"
)

// machineMap is the map of all users of a machine who have none of their own.
const machineMap = "/etc/ecr-login/config.toml"

// readMap reads the map that the user has, if there is one.
func readMap(env Env, home string) (registrymap.Map, map[string]registrymap.Setting, error) {
	options := registrymap.Options{
		Path:     func(text string) (string, error) { return Path(text, home) },
		Settings: map[string]func(string) error{"fallback": checkFallback, "on_error": checkOnError, "timeout": checkTimeout},
	}
	if named := env.Get("AWS_ECR_CONFIG"); named != "" {
		return readNamedMap(named, options)
	}
	files := []string{machineMap}
	if home != "" {
		files = []string{path.Join(home, ".ecr/config.toml"), machineMap}
	}
	for _, file := range files {
		m, set, err := registrymap.Read(file, options)
		if err != registrymap.ErrAbsent && err != registrymap.ErrHidden {
			return m, set, err
		}
	}
	return registrymap.Map{}, nil, nil
}

func readNamedMap(named string, options registrymap.Options) (registrymap.Map, map[string]registrymap.Setting, error) {
	file, err := options.Path(named)
	if err != nil {
		return registrymap.Map{}, nil, &registrymap.Error{Where: "AWS_ECR_CONFIG", Problem: err.Error()}
	}
	if file == os.DevNull {
		return registrymap.Map{}, nil, nil
	}
	m, set, err := registrymap.Read(file, options)
	switch err {
	case registrymap.ErrAbsent:
		err = &registrymap.Error{Where: file, Problem: "there is no such file; AWS_ECR_CONFIG names it"}
	case registrymap.ErrHidden:
		err = &registrymap.Error{Where: file, Problem: "it can't be read: permission denied; AWS_ECR_CONFIG names it"}
	}
	return m, set, err
}
