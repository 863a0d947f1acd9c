package cli

import (
	"testing"

	"docker-credential-ecr-login/internal/credhelper"
)

// Under the name of AWS's own provider each word of the help works.
func TestEveryCommandIsAWord(t *testing.T) {
	for _, c := range table() {
		if !credhelper.IsCommand(c.name) {
			t.Errorf("cli.IsWord(%q) is false", c.name)
		}
	}
	if credhelper.IsCommand("get-credentials") {
		t.Error("AWS's provider is started with get-credentials, which must stay the kubelet's verb")
	}
}
