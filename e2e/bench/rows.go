package main

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// A row is one kind of work, which several contenders do.
type row struct {
	name string
	// slow divides the number of rounds, for slow work.
	slow       int
	contenders func(b *benchmark) ([]contender, error)
	bars       []bar
}

// A contender does the work of a row.
type contender struct {
	label string
	runs  []run
	// before is called in each round before the runs. It isn't measured.
	before func() error
	// fails is true if the runs must fail.
	fails bool
}

// A bar is the largest ratio of one contender's time to that of another.
type bar struct {
	who, than string
	atMost    float64
}

const (
	ours    = "this helper"
	theirs  = "peer"
	atLeast = "floor"
)

var rows = []row{
	{
		name:       "warm get, static keys",
		contenders: static,
		bars:       []bar{{ours, atLeast, 1.6}, {ours, theirs, 1 / 2.0}},
	},
	{
		name:       "warm get, role over an instance profile, 40 ms a request",
		slow:       10,
		contenders: warmRole,
		bars:       []bar{{ours, theirs, 1 / 50.0}},
	},
	{
		name:       "warm get by any source",
		slow:       2,
		contenders: sources,
		bars: []bar{
			{"profile with keys", "static keys", 1.15}, {"role over an instance profile", "static keys", 1.15},
			{"two roles over keys", "static keys", 1.15}, {"instance profile", "static keys", 1.15},
			{"container", "static keys", 1.15}, {"web identity", "static keys", 1.15},
			{"credential process", "static keys", 1.15}, {"SSO", "static keys", 1.15}, {"aws login", "static keys", 1.15},
		},
	},
	{
		name:       "warm get with a registry map of 100 entries",
		contenders: mapped,
		bars:       []bar{{"map of 100 hosts", "no map", 1.4}, {"map of 100 accounts by region", "no map", 1.4}},
	},
	{
		name:       "get of docker.io",
		contenders: notECR,
		bars:       []bar{{ours, atLeast, 1.4}},
	},
	{
		name:       "warm list of 100 mapped registries",
		contenders: lists,
		bars:       []bar{{"list of 100", "get", 2}, {"list of 100", "list of 1", 1.5}},
	},
	{
		name:       "a runner's pass: list and 50 gets, warm, over roles, 40 ms a request",
		slow:       50,
		contenders: runnerPass,
		bars:       []bar{{ours, theirs, 1 / 20.0}},
	},
	{
		name:       "cold get, role over an instance profile, 40 ms for TCP, for TLS and for a request",
		slow:       10,
		contenders: cold,
		bars:       []bar{{ours, theirs, 0.7}},
	},
	{
		name:       "cold get, static keys, no latency",
		slow:       2,
		contenders: coldStatic(0),
	},
	{
		name:       "cold get, static keys, 40 ms for TCP, for TLS and for a request",
		slow:       5,
		contenders: coldStatic(latency),
	},
	{
		name:       "get without credentials, the metadata service refused",
		slow:       60,
		contenders: withoutCredentials(func(b *benchmark) { b.aws.Close() }),
	},
	{
		name:       "get without credentials, the metadata service silent",
		slow:       60,
		contenders: withoutCredentials(func(b *benchmark) { b.aws.Fail("*", awstest.Fault{Hang: true}) }),
	},
	{
		name:       "cold get, instance profile, 400 ms an answer of the metadata service",
		slow:       40,
		contenders: slowMetadata,
	},
	{
		name:       "warm get beside other tokens",
		contenders: withOtherTokens,
		bars:       []bar{{"1,500 tokens", "1 token", 1.1}, {"20,000 tokens", "1 token", 1.1}},
	},
}

// input returns a file with a server, for stdin.
func (b *benchmark) input(server string) (string, error) {
	path := filepath.Join(b.dir, "stdin-"+hex.EncodeToString([]byte(server)))
	return path, os.WriteFile(path, []byte(server), 0o600)
}

// get returns a contender that gets the credentials of a server.
func (b *benchmark) get(label, program, server string, env environment) (contender, error) {
	if err := os.MkdirAll(env.home, 0o700); err != nil {
		return contender{}, err
	}
	stdin, err := b.input(server)
	return contender{label: label, runs: []run{{program, []string{"get"}, stdin, env}}}, err
}

// floor returns a contender that reads stdin and a file as large as that of a token.
func (b *benchmark) floor() (contender, error) {
	env := b.newEnvironment()
	file := filepath.Join(env.home, "token")
	if err := env.write("token", strings.Repeat("x", 3<<10)); err != nil {
		return contender{}, err
	}
	stdin, err := b.input(host)
	return contender{label: atLeast, runs: []run{{b.programs.floor, []string{file}, stdin, env}}}, err
}

// collect calls functions that return contenders, up to the first error.
func collect(make ...func() (contender, error)) ([]contender, error) {
	var all []contender
	for _, m := range make {
		c, err := m()
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func static(b *benchmark) ([]contender, error) {
	vars := append(keys(), "AWS_REGION=ap-south-1")
	return collect(
		b.floor,
		func() (contender, error) { return b.get(ours, b.programs.helper, host, b.newEnvironment(vars...)) },
		func() (contender, error) { return b.get(theirs, b.programs.peer, host, b.newEnvironment(vars...)) },
	)
}

// roleProfile returns the runner's credentials file of the docs.
func roleProfile() (string, error) {
	text, err := os.ReadFile(filepath.Join(testenv.Root(), testenv.RunnerCredentials))
	return string(text), err
}

func (b *benchmark) onRole(label, program string) (contender, error) {
	text, err := roleProfile()
	if err != nil {
		return contender{}, err
	}
	env := b.newEnvironment()
	if err := env.write(".aws/credentials", text); err != nil {
		return contender{}, err
	}
	return b.get(label, program, host, env)
}

func warmRole(b *benchmark) ([]contender, error) {
	b.aws.SetLatency(latency)
	return collect(
		func() (contender, error) { return b.onRole(ours, b.programs.helper) },
		func() (contender, error) { return b.onRole(theirs, b.programs.peer) },
	)
}

func sources(b *benchmark) ([]contender, error) {
	const aKey = "aws_access_key_id = " + testenv.KeyID + "\naws_secret_access_key = " + testenv.Secret + "\n"
	const portal = "https://acme.awsapps.com/start"
	from := func(label string, files map[string]string, vars ...string) func() (contender, error) {
		return func() (contender, error) {
			env := b.newEnvironment(vars...)
			for path, text := range files {
				if err := env.write(path, strings.ReplaceAll(text, "HOME", env.home)); err != nil {
					return contender{}, err
				}
			}
			for i, kv := range env.env {
				env.env[i] = strings.ReplaceAll(kv, "=HOME", "="+env.home)
			}
			return b.get(label, b.programs.helper, host, env)
		}
	}
	asJSON := func(v any, err error) string {
		text, marshalErr := json.Marshal(v)
		if err != nil || marshalErr != nil {
			panic(fmt.Sprint(err, marshalErr)) // the stand-in made it
		}
		return string(text)
	}
	job := awstest.WebIdentity{Issuer: "https://ci.example.com", Subject: "job", Audience: "sts.amazonaws.com"}
	b.aws.AddRole(awstest.Role{ARN: "arn:aws:iam::222222222222:role/job", WebIdentity: &job})
	b.aws.AddRole(awstest.Role{ARN: "arn:aws:iam::222222222222:role/last", Trusts: []string{testenv.PullRole}})
	b.aws.SetContainerRole(testenv.RunnerRole, "")
	runner, err := roleProfile()
	if err != nil {
		return nil, err
	}
	return collect(
		from("static keys", nil, keys()...),
		from("profile with keys", map[string]string{".aws/credentials": "[default]\n" + aKey}),
		from("role over an instance profile", map[string]string{".aws/credentials": runner}),
		from("two roles over keys", map[string]string{".aws/config": "[default]\nrole_arn = arn:aws:iam::222222222222:role/last\nsource_profile = a\n" +
			"[profile a]\nrole_arn = " + testenv.PullRole + "\nsource_profile = b\n[profile b]\n" + aKey}),
		from("instance profile", nil),
		from("container", nil, "AWS_CONTAINER_CREDENTIALS_FULL_URI="+b.aws.ContainerURL()),
		from("web identity", map[string]string{"token": job.Token(time.Now().Add(time.Hour))},
			"AWS_ROLE_ARN=arn:aws:iam::222222222222:role/job", "AWS_WEB_IDENTITY_TOKEN_FILE=HOME/token"),
		from("credential process", map[string]string{
			".aws/config": "[default]\ncredential_process = cat HOME/keys.json\n",
			"keys.json":   `{"Version":1,"AccessKeyId":"` + testenv.KeyID + `","SecretAccessKey":"` + testenv.Secret + `"}`,
		}),
		from("SSO", map[string]string{
			".aws/config": "[default]\nsso_session = acme\nsso_account_id = 222222222222\nsso_role_name = Developer\n" +
				"[sso-session acme]\nsso_region = eu-west-1\nsso_start_url = " + portal + "\n",
			fmt.Sprintf(".aws/sso/cache/%x.json", sha1.Sum([]byte("acme"))): asJSON(b.aws.AddSSO(portal, "eu-west-1", "222222222222", "Developer"), nil),
		}),
		from("aws login", map[string]string{
			".aws/config": "[default]\nlogin_session = " + testenv.UserARN + "\nregion = eu-west-1\n",
			fmt.Sprintf(".aws/login/cache/%x.json", sha256.Sum256([]byte(testenv.UserARN))): asJSON(b.aws.AddLogin(testenv.UserARN)),
		}),
	)
}

// mapOfHosts returns a registry map of n hosts with a role each. The last one is host.
func mapOfHosts(n int) string {
	var text strings.Builder
	for i := range n {
		account := fmt.Sprintf("%012d", i+1)
		if i == n-1 {
			account, _, _ = strings.Cut(host, ".")
		}
		fmt.Fprintf(&text, "[[registry]]\nhost = \"%s.dkr.ecr.ap-south-1.amazonaws.com\"\n"+
			"role_arn = \"arn:aws:iam::%s:role/pull\"\nrole_session_name = \"runner\"\n\n", account, account)
	}
	return text.String()
}

// withMap returns a contender with keys and a registry map.
func (b *benchmark) withMap(label, verb, text string) func() (contender, error) {
	return func() (contender, error) {
		env := b.newEnvironment(keys()...)
		if text != "" {
			if err := env.write(".ecr/config.toml", text); err != nil {
				return contender{}, err
			}
		}
		c, err := b.get(label, b.programs.helper, host, env)
		if verb != "get" {
			c.runs[0].args = []string{verb}
		}
		return c, err
	}
}

func mapped(b *benchmark) ([]contender, error) {
	b.aws.Grant("222222222222", testenv.UserARN)
	var accounts strings.Builder
	for i := range 99 {
		fmt.Fprintf(&accounts, "%q, ", fmt.Sprintf("%012d", i+1))
	}
	byAccount := "[[registry]]\naccounts = [" + accounts.String() + "\"222222222222\"]\nregions = [\"ap-south-1\"]\n" +
		"role_arn = \"arn:aws:iam::{account}:role/pull\"\n"
	return collect(
		b.withMap("no map", "get", ""),
		b.withMap("map of 100 hosts", "get", mapOfHosts(100)),
		b.withMap("map of 100 accounts by region", "get", byAccount),
	)
}

func notECR(b *benchmark) ([]contender, error) {
	get := func(label, program string) func() (contender, error) {
		return func() (contender, error) {
			c, err := b.get(label, program, "docker.io", b.newEnvironment(keys()...))
			c.fails = true
			return c, err
		}
	}
	return collect(b.floor, get(ours, b.programs.helper), get(theirs, b.programs.peer))
}

func lists(b *benchmark) ([]contender, error) {
	return collect(
		b.withMap("get", "get", ""),
		b.withMap("list of 1", "list", mapOfHosts(1)),
		b.withMap("list of 100", "list", mapOfHosts(100)),
	)
}

// runnerPass does what GitLab Runner does for a job: it lists, and gets every key.
func runnerPass(b *benchmark) ([]contender, error) {
	b.aws.SetLatency(latency)
	make := func(label, program string) func() (contender, error) {
		return func() (contender, error) {
			c, err := b.onRole(label, program)
			if err != nil {
				return c, err
			}
			first := c.runs[0]
			c.runs = []run{{program, []string{"list"}, first.stdin, first.env}}
			for i := range 50 {
				stdin, err := b.input(fmt.Sprintf("%012d.dkr.ecr.ap-south-1.amazonaws.com", i+1))
				if err != nil {
					return c, err
				}
				c.runs = append(c.runs, run{program, []string{"get"}, stdin, first.env})
			}
			return c, nil
		}
	}
	return collect(make(ours, b.programs.helper), make(theirs, b.programs.peer))
}

// withEmptyCache empties the contender's cache at the beginning of each round.
func withEmptyCache(c contender, err error) (contender, error) {
	c.before = func() error { return os.RemoveAll(filepath.Join(c.runs[0].env.home, ".ecr")) }
	return c, err
}

func coldStatic(latency time.Duration) func(b *benchmark) ([]contender, error) {
	return func(b *benchmark) ([]contender, error) {
		b.aws.SetLatency(latency)
		b.aws.SetConnectLatency(latency)
		get := func(label, program string) func() (contender, error) {
			return func() (contender, error) {
				return withEmptyCache(b.get(label, program, host, b.newEnvironment(keys()...)))
			}
		}
		return collect(get(ours, b.programs.helper), get(theirs, b.programs.peer))
	}
}

func cold(b *benchmark) ([]contender, error) {
	b.aws.SetLatency(latency)
	b.aws.SetConnectLatency(latency)
	return collect(
		func() (contender, error) { return withEmptyCache(b.onRole(ours, b.programs.helper)) },
		func() (contender, error) { return withEmptyCache(b.onRole(theirs, b.programs.peer)) },
	)
}

func withoutCredentials(breakServer func(*benchmark)) func(b *benchmark) ([]contender, error) {
	return func(b *benchmark) ([]contender, error) {
		get := func(label, program string) func() (contender, error) {
			return func() (contender, error) {
				c, err := b.get(label, program, host, b.newEnvironment())
				c.fails = true
				return c, err
			}
		}
		all, err := collect(get(ours, b.programs.helper), get(theirs, b.programs.peer))
		breakServer(b)
		return all, err
	}
}

func slowMetadata(b *benchmark) ([]contender, error) {
	for _, action := range []string{"imds:token", "imds:roles", "imds:credentials"} {
		b.aws.Fail(action, awstest.Fault{Delay: 400 * time.Millisecond})
	}
	c, err := withEmptyCache(b.get(ours, b.programs.helper, host, b.newEnvironment()))
	return []contender{c}, err
}

// withOtherTokens has tokens of other identities in the cache.
func withOtherTokens(b *benchmark) ([]contender, error) {
	beside := func(label string, n int) func() (contender, error) {
		return func() (contender, error) {
			c, err := b.get(label, b.programs.helper, host, b.newEnvironment(keys()...))
			if err != nil {
				return c, err
			}
			if _, err := b.output(c.runs[0]); err != nil {
				return c, err
			}
			dir := filepath.Join(c.runs[0].env.home, ".ecr/tokens")
			found, err := filepath.Glob(filepath.Join(dir, "*.token"))
			if err != nil || len(found) != 1 {
				return c, fmt.Errorf("%d tokens in the cache, %w", len(found), err)
			}
			text, err := os.ReadFile(found[0])
			if err != nil {
				return c, err
			}
			_, rest, _ := strings.Cut(filepath.Base(found[0]), ".")
			expires := time.Now().Add(12 * time.Hour)
			for i := range n - 1 {
				path := filepath.Join(dir, fmt.Sprintf("%032x.%s", i, rest))
				if err := os.WriteFile(path, text, 0o600); err != nil {
					return c, err
				}
				if err := os.Chtimes(path, expires, expires); err != nil {
					return c, err
				}
			}
			return c, nil
		}
	}
	return collect(beside("1 token", 1), beside("1,500 tokens", 1500), beside("20,000 tokens", 20000))
}
