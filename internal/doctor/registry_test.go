package doctor

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/awsapi"
	"docker-credential-ecr-login/internal/failure"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/tokensource"
)

func TestPrincipalOf(t *testing.T) {
	for arn, want := range map[string]string{
		"":                                "the principal",
		"arn:aws:iam::1:user/ci":          "arn:aws:iam::1:user/ci",
		"arn:aws:sts::1:federated-user/x": "arn:aws:sts::1:federated-user/x",
		"arn:aws-cn:sts::1:assumed-role/pull/session/x": "the role pull of account 1",
	} {
		if got := principalOf(awsapi.Caller{Account: "1", ARN: arn}); got != want {
			t.Errorf("principalOf(%q) = %q, want %q", arn, got, want)
		}
	}
}

func TestNoImage(t *testing.T) {
	own := awsapi.Caller{Account: "222222222222", ARN: "arn:aws:sts::222222222222:assumed-role/pull/s"}
	foreign := awsapi.Caller{Account: "111111111111", ARN: "arn:aws:iam::111111111111:user/ci"}
	const china = "222222222222.dkr.ecr.cn-north-1.amazonaws.com.cn"
	for name, c := range map[string]struct {
		image  string
		caller awsapi.Caller
		r      reply
		err    error
		want   string
	}{
		"denied":          {host + "/a/b:1", own, reply{status: 403, message: "m"}, nil, "failure " + host + "/a/b:1 may not be pulled (403): m => allow ecr:X on arn:aws:ecr:ap-south-1:222222222222:repository/a/b in a policy of the role pull of account 222222222222 | 222222222222$"},
		"denied, foreign": {host + "/a", foreign, reply{status: 403}, nil, "failure  | in a policy of arn:aws:iam::111111111111:user/ci, and to that principal in the policy of the repository, in account 222222222222$"},
		"denied, unknown": {china + "/a", awsapi.Caller{}, reply{status: 403}, nil, "failure  | on arn:aws-cn:ecr:cn-north-1:222222222222:repository/a in a policy of the principal$"},
		"no repository":   {host + "/a", own, reply{status: 404, code: "NAME_UNKNOWN", message: "m"}, nil, "failure there is no repository a in " + host + ": m"},
		"no tag":          {host + "/a:1", own, reply{status: 404, code: "MANIFEST_UNKNOWN", message: "m"}, nil, "failure the repository a is there, but 1 isn't in it: m => check whether the tag"},
		"no digest":       {host + "/a@sha256:6b86", own, reply{status: 404}, nil, "failure the repository a is there, but sha256:6b86 isn't in it | => check whether the digest"},
		"another status":  {host + "/a", own, reply{status: 500, message: "m"}, nil, "failure " + host + " answered 500 for the image: m => try again"},
		"no reply":        {host + "/a", own, reply{}, errors.New("reset"), "failure reset"},
	} {
		d, _ := newDiagnosis(t, c.image, "")
		d.caller = c.caller
		expect(t, name, d.noImage(c.r, c.err, "ecr:X"), c.want)
	}
}

func TestRefused(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusUnauthorized: "failure " + host + " doesn't take the token for /v2/ (401): m => see whether a proxy",
		http.StatusForbidden:    "failure " + host + " doesn't allow /v2/ (403): m => let the policies",
		http.StatusNotFound:     "failure " + host + " has nothing at /v2/ (404): m => see whether the name",
		http.StatusBadGateway:   "failure " + host + " answered 502 for /v2/: m => try again",
		http.StatusNoContent:    "failure " + host + " answered 204 for /v2/: m",
	} {
		d, _ := newDiagnosis(t, host, "")
		expect(t, want, d.refused(reply{status: status, message: "m"}, nil, "/v2/"), want)
	}
	d, _ := newDiagnosis(t, host, "")
	expect(t, "a failure", d.refused(reply{}, &failure.Failure{Reason: "reason", Hint: "hint"}, "/v2/"), "failure reason => hint")
}

// Steps that ask the registry are skipped without a token, but for public ECR.
func TestRegistryIsSkipped(t *testing.T) {
	for image, want := range map[string]string{host + "/x": "skipped ", "public.ecr.aws/x": "skipped "} {
		d, _ := newDiagnosis(t, image, "")
		d.blocked = true
		expect(t, image, d.registry(t.Context()), want) // no probe was made
		expect(t, image, d.manifest(t.Context()), want)
	}
	d, _ := newDiagnosis(t, host, "")
	expect(t, "no image", d.manifest(t.Context()), "")
}

func TestCache(t *testing.T) {
	now := time.Now()
	token := cache.Token{Password: "MARKED", RequestedAt: now.Add(-5 * time.Minute), FreshUntil: now.Add(time.Hour), Expires: now.Add(2 * time.Hour), CredentialSource: "keys"}
	due := token
	due.FreshUntil = now.Add(-time.Minute)
	for name, c := range map[string]struct {
		env   string
		token *cache.Token
		kept  func(cache.Key) cache.Key
		want  string
	}{
		"off":             {"AWS_ECR_DISABLE_CACHE=1", nil, nil, "warning no token is kept: the cache is turned off | => unset AWS_ECR_DISABLE_CACHE"},
		"no path":         {"AWS_ECR_CACHE_DIR=relative", nil, nil, "warning no token is kept: AWS_ECR_CACHE_DIR | => write the whole path"},
		"a file":          {"AWS_ECR_CACHE_DIR=/dev/null", nil, nil, "warning no token is kept: "},
		"empty":           {"", nil, nil, "ok  | /.ecr/tokens will be made with the first token"},
		"a fresh one":     {"", &token, nil, "ok  | mode 0700, holds 1 tokens, one for this registry, of 5 min ago$"},
		"one that is due": {"", &due, nil, "ok  | of 5 min ago, due for renewal$"},
		"another region's": {"", &token, func(k cache.Key) cache.Key { k.Region = "eu-west-1"; return k },
			"ok  | holds 1 tokens, none of them for this identity in the registry's region$"},
		"another identity's": {"", &token, func(k cache.Key) cache.Key { k.Identity = strings.Repeat("0", len(k.Identity)); return k },
			"ok  | holds 1 tokens, none of them for this identity"},
	} {
		d, _ := newDiagnosis(t, host, "", c.env)
		if c.token != nil {
			k := keyOf(d)
			if c.kept != nil {
				k = c.kept(k)
			}
			if err := cache.New(d.Settings.CacheDir).Put(k, *c.token); err != nil {
				t.Fatal(err)
			}
		}
		expect(t, name, d.cache(t.Context()), c.want)
	}
}

func TestList(t *testing.T) {
	const (
		named   = "[[registry]]\nhost = \"" + host + "\"\n"
		pattern = "[[registry]]\nhost = \"*.dkr.ecr.*.amazonaws.com\"\nprofile = \"p\"\n"
	)
	for name, c := range map[string]struct {
		image, mapText string
		change         func(*diagnosis)
		want           string
	}{
		"no registry":          {"", "", nil, ""},
		"no registry, blocked": {"", "", func(d *diagnosis) { d.blocked = true }, "skipped "},
		"blocked":              {host, "", func(d *diagnosis) { d.blocked = true }, "skipped "},
		"named":                {host, named, func(d *diagnosis) { d.blocked = true }, "ok  | it is in the registry map"},
		"public":               {"public.ecr.aws", "", func(d *diagnosis) { d.blocked = true }, "ok  | whenever that gives a token"},
		"public, with a map":   {"public.ecr.aws", pattern, nil, "ok a list doesn't name public.ecr.aws; only clients"},
		"own":                  {host, "", func(d *diagnosis) { d.response.Default = true }, "ok  | it is the own registry"},
		"own, with a role": {host, "", func(d *diagnosis) { d.response.Default, d.target.Principal.Profile = true, "p" },
			"ok a list doesn't name " + host + "; only clients"},
		"another's": {host, "", nil, "ok a list doesn't name " + host + "; only clients | and none is configured here"},
		"asked for": {host, pattern, func(d *diagnosis) { d.listClients = []string{"a", "b"} },
			"warning a list doesn't name " + host + "; a and b has clients that ask for a list first | => name it in the registry map, | /.ecr/config.toml:$"},
		"known": {host, pattern, func(d *diagnosis) { putKnown(t, d) }, "ok a list names " + host + " only until 30 days after its last token"},
		"public and known": {"public.ecr.aws", pattern, func(d *diagnosis) { putKnown(t, d) },
			"ok a list names public.ecr.aws only while there is a token in the cache"},
	} {
		d, _ := newDiagnosis(t, c.image, c.mapText)
		if c.change != nil {
			c.change(d)
		}
		f := d.list(t.Context())
		expect(t, name, f, c.want)
		if (len(f.Paste) > 0) != (f.State == Warning) {
			t.Errorf("%s: paste %q", name, f.Paste)
		}
	}
}

func putKnown(t *testing.T, d *diagnosis) {
	t.Helper()
	now := time.Now()
	token := cache.Token{Password: "MARKED", RequestedAt: now, FreshUntil: now.Add(time.Hour), Expires: now.Add(time.Hour)}
	if err := cache.New(d.Settings.CacheDir).Put(keyOf(d), token); err != nil {
		t.Fatal(err)
	}
}

// keyOf returns the key of the target's token.
func keyOf(d *diagnosis) cache.Key {
	id := identity.Read(d.Env, d.Settings.Home, d.target.Principal)
	return tokensource.KeyOf(id.Key, d.target.Registry)
}

func TestMapEntry(t *testing.T) {
	role := registrymap.Principal{RoleARN: "arn:aws:iam::1:role/r"}
	for want, target := range map[string]registrymap.Target{
		"":                                     {Principal: role},
		"role_arn = \"arn:aws:iam::1:role/r\"": {Principal: role, Where: registrymap.RoleVariable},
		"# and the other lines of /map.toml:3": {Principal: role, Where: "/map.toml:3"},
	} {
		lines := strings.TrimSpace("[[registry]]\nhost = \"h\"\n" + want)
		if got := strings.Join(mapEntry("h", target), "\n"); got != lines {
			t.Errorf("%q, want %q", got, lines)
		}
	}
}

func TestMapFile(t *testing.T) {
	for want, c := range map[string]struct {
		env      string
		homeless bool
	}{
		"HOME/.ecr/config.toml":      {"", false},
		"/named":                     {"AWS_ECR_CONFIG=/named", true},
		"/etc/ecr-login/config.toml": {"", true},
	} {
		d, _ := newDiagnosis(t, host, "", c.env)
		home := d.Settings.Home
		if c.homeless {
			d.Settings.Home = ""
		}
		if got := strings.Replace(d.mapFile(), home, "HOME", 1); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	d, _ := newDiagnosis(t, host, "[[registry]]\nhost = \""+host+"\"\n")
	if d.mapFile() != d.Settings.Map.File() {
		t.Errorf("%q isn't the map that was read", d.mapFile())
	}
}
