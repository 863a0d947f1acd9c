package doctor

import (
	"testing"

	"docker-credential-ecr-login/internal/registrymap"
)

func TestParseImage(t *testing.T) {
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

func TestAbout(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		"me:secret@" + host + "/x?token=y": host + "/x:latest",
		host + "/team/app@sha256:6b86":     host + "/team/app@sha256:6b86",
		"https://" + host + "/v2/":         host,
	} {
		if got := About(text, new(registrymap.Map)); got != want {
			t.Errorf("About(%q) = %q, want %q", text, got, want)
		}
	}
}

// A name without a dot is a host if the map has it.
func TestParseImageOfMap(t *testing.T) {
	d, _ := newDiagnosis(t, "mirror/x", "[[registry]]\nhost = \"mirror\"\nalias_of = \""+host+"\"\n")
	if want := (image{"mirror", "x", "latest"}); d.image != want {
		t.Errorf("%+v, want %+v", d.image, want)
	}
}
