package binary

import (
	"slices"
	"testing"

	"docker-credential-ecr-login/internal/standin"
)

// What a cold get has to ask last is connected to while the first is still asked.
func TestConnectionsOpenEarly(t *testing.T) {
	l := onInstance(t)
	const stsHost, ecrHost = "sts.ap-south-1.amazonaws.com", "api.ecr.ap-south-1.amazonaws.com"
	connected := func() []string {
		all := l.Cloud.Connects()
		slices.Sort(all)
		// Where the first answers at once, the second connects for itself.
		return slices.Compact(all)
	}
	want := []string{ecrHost, stsHost}

	l.Cloud.Fail("imds:credentials", standin.Fault{Hang: true})
	l.Set("AWS_ECR_TIMEOUT=2s")
	if r := l.Run(t, "get", host); r.Status == 0 {
		t.Error("get succeeds without the metadata service")
	}
	if got := connected(); !slices.Equal(got, want) {
		t.Errorf("while the metadata service hung, connections were opened to %q, want %q", got, want)
	}
	mustCount(t, l, map[string]int{"imds:token": 1, "imds:roles": 1, "imds:credentials": 1})

	l.Cloud.Heal("imds:credentials")
	l.Cloud.ResetCounts()
	l.Password(t, host)
	if got := connected(); !slices.Equal(got, want) {
		t.Errorf("a cold get connected to %q, want %q", got, want)
	}

	// Keys need nothing to be asked before: no connection goes unused.
	k := withKeys(t)
	k.Password(t, host)
	if got := k.Cloud.Connects(); !slices.Equal(got, []string{ecrHost}) {
		t.Errorf("with keys, a cold get connected to %q, want %q", got, ecrHost)
	}
}
