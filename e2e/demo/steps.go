package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

const (
	runnerRole = testenv.RunnerRole
	pullRole   = testenv.PullRole

	host  = testenv.Host
	image = host + "/team/app:1.0"

	// The third account, which the registry map adds.
	partnerRole  = "arn:aws:iam::333333333333:role/pull"
	partnerHost  = "333333333333.dkr.ecr.eu-west-1.amazonaws.com"
	partnerImage = partnerHost + "/partner/tool:2.0"
)

// demoTimeout is the timeout of the demo after the helper is built. The demo takes 2 seconds on an
// idle machine.
const demoTimeout = 3 * time.Minute

var errDemoTimeout = fmt.Errorf("the demo ends itself %v after the helper is built", demoTimeout)

// runDemo runs the steps up to the first that fails.
func runDemo(ctx context.Context) error {
	d := &demo{}
	defer d.cleanUp()
	if err := d.step(ctx, "the helper, built as for a release", d.build); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, demoTimeout, errDemoTimeout)
	defer cancel()
	for _, step := range []struct {
		title string
		run   func(context.Context) error
	}{
		{"the cloud: a runner on EC2, a role of another account that trusts it, a registry", d.startAWS},
		{"the runner's home", d.writeHome},
		{"the image is pulled without credentials", d.pullAnonymously},
		{"the helper is asked for the first time, and again", d.coldAndWarm},
		{"a job of GitLab Runner: list, then get every key verbatim", d.firstJob},
		{"the next job", d.nextJob},
		{"go-containerregistry pulls the image with the runner's config.json", d.pull},
		{"the other account no longer trusts the runner", d.denied},
		{"it does again, and the runner recovers", d.recovered},
		{"a second account: the registry map says whose role each registry wants", d.addMap},
		{"a job with the map: the list asks nobody, and holds both accounts", d.mappedJob},
		{"the next job with the map", d.nextJob},
		{"the image of the second account is pulled", d.pullPartner},
		{"a role that breaks costs its own registry alone", d.oneBroken},
	} {
		if err := d.step(ctx, step.title, step.run); err != nil {
			return err
		}
	}
	d.out.end()
	return nil
}

// step runs one step. At the timeout, the error says so, and not only that a process was killed.
func (d *demo) step(ctx context.Context, title string, run func(context.Context) error) error {
	d.out.step(title)
	err := run(ctx)
	if err != nil {
		err = fmt.Errorf("step %d, %s: %w", d.out.steps, title, err)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

func (d *demo) pullAnonymously(ctx context.Context) error {
	got, err := d.pullFrom(ctx, d.emptyHome, image)
	if err != nil {
		return err
	}
	if got.Status != http.StatusUnauthorized {
		return fmt.Errorf("the registry should refuse with status 401, and answered %+v", got)
	}
	d.out.print("registry", "%d %s", got.Status, got.Refusal)
	return d.requests(nil)
}

func (d *demo) coldAndWarm(ctx context.Context) error {
	for _, want := range []map[string]int{{"imds": 3, "sts": 1, "ecr": 1}, nil} {
		if err := d.get(ctx, want); err != nil {
			return err
		}
	}
	return nil
}

// A list also covers public ECR, which has another token.
func (d *demo) firstJob(ctx context.Context) error {
	return d.resolve(ctx, map[string]int{"imds": 3, "sts": 1, "ecr-public": 1})
}

func (d *demo) nextJob(ctx context.Context) error { return d.resolve(ctx, nil) }

// resolve makes the runner find its credentials.
func (d *demo) resolve(ctx context.Context, want map[string]int) error {
	var got resolved
	if err := d.client(ctx, d.home, &got, "runner"); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		d.out.print("key", "%-55s %s, a password of %d characters", key, got[key].User, got[key].Length)
	}
	for _, host := range d.expected {
		if c := got["https://"+host]; c.User != "AWS" || c.Length == 0 {
			return fmt.Errorf("the runner has no credentials for %s", host)
		}
	}
	return d.requests(want)
}

func (d *demo) pull(ctx context.Context) error { return d.pullWith(ctx, image, host) }

func (d *demo) pullPartner(ctx context.Context) error {
	return d.pullWith(ctx, partnerImage, partnerHost)
}

// pullWith pulls an image with the runner's credentials, without a request to AWS.
func (d *demo) pullWith(ctx context.Context, image, host string) error {
	got, err := d.pullFrom(ctx, d.home, image)
	switch {
	case err != nil:
		return err
	case got.Status != 0:
		return fmt.Errorf("the registry refused: %d %s", got.Status, got.Refusal)
	case got.Digest != d.digests[image]:
		return fmt.Errorf("the image pulled is %s, the one pushed %s", got.Digest, d.digests[image])
	case !slices.Contains(d.aws.Connects(), host):
		return fmt.Errorf("the client asked the proxy for %v, not for %s", d.aws.Connects(), host)
	}
	d.out.print("pulled", "%.19s…, %d layers of %d bytes, each digest checked", got.Digest, got.Layers, got.Bytes)
	return d.requests(nil)
}

func (d *demo) denied(ctx context.Context) error {
	d.aws.Deny("sts:AssumeRole", pullRole)
	if err := d.forget(ctx, host); err != nil {
		return err
	}
	r, err := d.helper(ctx, "get", host)
	if err != nil {
		return err
	}
	if r.Status == 0 {
		return errors.New("the helper gives credentials all the same") // which must not be printed
	}
	d.out.print("stdout", "%s", r.Stdout)
	d.out.print("stderr", "%s", r.Stderr)
	d.out.print("status", "%d", r.Status)
	switch {
	case r.Status != 1 || r.Stdout != "credentials not found in native keychain":
		return errors.New("clients take that for something other than credentials not found")
	case strings.Contains(r.Stderr, "\n"):
		return errors.New("the reason is more than one line")
	case !strings.Contains(r.Stderr, pullRole), !strings.Contains(r.Stderr, "sts:AssumeRole"):
		return fmt.Errorf("the reason names no sts:AssumeRole, or no %s", pullRole)
	}
	return d.requests(map[string]int{"imds": 3, "sts": 1})
}

func (d *demo) recovered(ctx context.Context) error {
	d.aws.Allow("sts:AssumeRole", pullRole)
	return d.get(ctx, map[string]int{"imds": 3, "sts": 1, "ecr": 1})
}

// The map replaces the credentials file. For registries that aren't in the map, the instance's own
// role is used.
func (d *demo) addMap(context.Context) error {
	d.expected = []string{host, partnerHost}
	if err := os.Remove(filepath.Join(d.home, ".aws/credentials")); err != nil {
		return err
	}
	return d.write(".ecr/config.toml", "testdata/gitlab-runner/ecr.toml")
}

func (d *demo) mappedJob(ctx context.Context) error {
	return d.resolve(ctx, map[string]int{"imds": 6, "sts": 2, "ecr": 2})
}

func (d *demo) oneBroken(ctx context.Context) error {
	d.aws.Deny("sts:AssumeRole", partnerRole)
	if err := d.forget(ctx, partnerHost); err != nil {
		return err
	}
	d.expected = []string{host}
	var got resolved
	reason, err := d.clientWithStderr(ctx, d.home, &got, "runner")
	if err != nil {
		return err
	}
	d.out.print("stderr", "%s", reason)
	switch {
	case got["https://"+host].Length == 0:
		return fmt.Errorf("the runner has no credentials for %s", host)
	case got["https://"+partnerHost].Length != 0:
		return fmt.Errorf("the runner has credentials for %s all the same", partnerHost)
	case strings.Count(reason, "\n") != 1 || !strings.Contains(reason, partnerRole):
		return fmt.Errorf("the reason is not one line that names %s", partnerRole)
	}
	d.out.print("key", "https://%s still has its password", host)
	return d.requests(map[string]int{"imds": 3, "sts": 1})
}
