package doctor

import (
	"testing"

	"docker-credential-ecr-login/internal/registrymap"
)

func TestParseImage(t *testing.T) {
	const host = "222222222222.dkr.ecr.ap-south-1.amazonaws.com"
	for text, want := range map[string]image{
		"":                                {},
		host:                              {host: host},
		"https://" + host + "/v2/":        {host: host},
		host + ":443/team/app":            {host, "team/app", "latest"},
		"oci://" + host + "/charts/app:1": {host, "charts/app", "1"},
		host + "/team/app:1@sha256:6b86":  {host, "team/app", "sha256:6b86"},
		"images.example.com:5000/x:1":     {"images.example.com:5000", "x", "1"},
		"localhost:5000/x":                {"localhost:5000", "x", "latest"},
		"nginx:1.25":                      {"docker.io", "library/nginx", "1.25"},
		"library/nginx":                   {"docker.io", "library/nginx", "latest"},
		"docker.io":                       {host: "docker.io"},
		"nginx@sha256:6b86":               {"docker.io", "library/nginx", "sha256:6b86"},
		"me:secret@ghcr.io/x":             {"ghcr.io", "x", "latest"},
	} {
		if got := parseImage(text, new(registrymap.Map)); got != want {
			t.Errorf("parseImage(%q) = %+v, want %+v", text, got, want)
		}
	}
}

func TestMatchesImage(t *testing.T) {
	const host = "222222222222.dkr.ecr.ap-south-1.amazonaws.com"
	for _, c := range []struct {
		pattern, image string
		want           bool
	}{
		{"*.dkr.ecr.*.amazonaws.com", host + "/team/app", true},
		{"*.dkr.ecr.*.amazonaws.com", host, true},
		{"*.dkr.ecr.*.amazonaws.com", "222222222222.dkr.ecr.cn-north-1.amazonaws.com.cn/x", false},
		{"*.ecr.*.amazonaws.com", host, false},
		{"https://" + host, host + "/x", true},
		{host + "/team", host + "/team/app", true},
		{host + "/team/", host + "/teams/app", false},
		{host + "/team", host, true}, // the path isn't known
		{host + "/other", host + "/team/app", false},
		{"registry.example.com:5000", "registry.example.com:5000/x", true},
		{"registry.example.com", "registry.example.com:5000/x", false},
	} {
		if got := matchesImage(c.pattern, parseImage(c.image, new(registrymap.Map))); got != c.want {
			t.Errorf("matchesImage(%q, %q) = %v", c.pattern, c.image, got)
		}
	}
}
