package home

import (
	"os/user"
	"testing"

	"docker-credential-ecr-login/internal/config"
)

func TestFind(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env  config.Env
		want string
	}{
		{config.Env{"HOME=/home/ci/"}, "/home/ci"},
		{config.Env{"HOME=."}, me.HomeDir},
		{config.Env{"HOME="}, me.HomeDir},
		{nil, me.HomeDir},
	} {
		if got := Find(c.env); got != c.want {
			t.Errorf("Find(%q) = %q, want %q", c.env, got, c.want)
		}
	}
}
