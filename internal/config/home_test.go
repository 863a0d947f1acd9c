package config

import (
	"os/user"
	"testing"
)

func TestFindHome(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env  Env
		want string
	}{
		{Env{"HOME=/home/ci/"}, "/home/ci"},
		{Env{"HOME=."}, me.HomeDir},
		{Env{"HOME="}, me.HomeDir},
		{nil, me.HomeDir},
	} {
		if got := FindHome(c.env); got != c.want {
			t.Errorf("FindHome(%q) = %q, want %q", c.env, got, c.want)
		}
	}
}
