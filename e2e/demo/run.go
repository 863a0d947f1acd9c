package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// environ returns the whole environment of the helper and of the clients.
func (d *demo) environ(home string) []string {
	return []string{
		"HOME=" + home,
		"PATH=" + d.bin,
		"HTTPS_PROXY=" + d.aws.ProxyURL(),
		"SSL_CERT_FILE=" + d.ca,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + d.aws.MetadataURL(),
		// The SDK's half a second is too short on a busy machine: a retry would change the counts.
		"AWS_METADATA_SERVICE_TIMEOUT=30",
	}
}

// helper runs the helper with a verb, as a client does. The result has no white space around the
// output.
func (d *demo) helper(ctx context.Context, verb, server string) (testenv.Result, error) {
	d.aws.ResetCounts()
	cmd := exec.CommandContext(ctx, filepath.Join(d.bin, program), verb)
	cmd.Dir, cmd.Env, cmd.Stdin = d.home, d.environ(d.home), strings.NewReader(server)
	r, err := testenv.Capture(cmd)
	if err != nil {
		return testenv.Result{}, fmt.Errorf("%s: %w", verb, err)
	}
	r.Stdout, r.Stderr = strings.TrimSpace(r.Stdout), strings.TrimSpace(r.Stderr)
	return r, nil
}

// get gets the password of the registry and checks the number of requests.
func (d *demo) get(ctx context.Context, want map[string]int) error {
	r, err := d.helper(ctx, "get", host)
	if err != nil {
		return err
	}
	c, err := r.Credentials()
	if err != nil {
		return fmt.Errorf("get: status %d, and on stderr %q", r.Status, r.Stderr)
	}
	principal, err := d.aws.VerifyToken(c.Secret, host)
	if err != nil || c.ServerURL != host {
		return fmt.Errorf("get: %s, %s: the registry wouldn't take that: %w", c.ServerURL, c.Username, err)
	}
	d.out.print("get", "a token of %s, in %.0f ms", principal, float64(r.Took.Microseconds())/1000)
	return d.requests(want)
}

// forget makes the helper erase its tokens for a registry.
func (d *demo) forget(ctx context.Context, host string) error {
	r, err := d.helper(ctx, "erase", host)
	if err != nil {
		return err
	}
	if r != (testenv.Result{Took: r.Took}) {
		return fmt.Errorf("erase: status %d, stdout %q, stderr %q", r.Status, r.Stdout, r.Stderr)
	}
	return nil
}

// client runs the demo itself as a client and decodes its result.
func (d *demo) client(ctx context.Context, home string, report any, args ...string) error {
	stderr, err := d.clientWithStderr(ctx, home, report, args...)
	if err == nil && stderr != "" {
		err = fmt.Errorf("%s: on stderr of the client or the helper: %s", args[0], stderr)
	}
	return err
}

// clientWithStderr also returns what the client, and the helper it runs, wrote to stderr.
func (d *demo) clientWithStderr(ctx context.Context, home string, report any, args ...string) (stderr string, err error) {
	d.aws.ResetCounts()
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	var errs strings.Builder
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Dir, cmd.Env = home, d.environ(home)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", args[0], err, errs.String())
	}
	return errs.String(), json.Unmarshal(out, report)
}

func (d *demo) pullFrom(ctx context.Context, home, image string) (got pulled, err error) {
	err = d.client(ctx, home, &got, "pull", image)
	return got, err
}

// requests prints and checks the requests to AWS since the last run of a client or of the helper,
// by service. Requests to the registry aren't counted.
func (d *demo) requests(want map[string]int) error {
	got := map[string]int{}
	for action, n := range d.aws.Counts() {
		service, _, _ := strings.Cut(action, ":")
		got[service] += n
	}
	d.out.print("requests to AWS", "%s", inWords(got))
	if !maps.Equal(got, want) {
		return fmt.Errorf("requests to AWS: %s; they should be: %s", inWords(got), inWords(want))
	}
	return nil
}

func inWords(counts map[string]int) string {
	var words []string
	rest := maps.Clone(counts)
	for _, service := range []struct{ key, name string }{
		{"imds", "instance metadata"}, {"sts", "STS"}, {"ecr", "ECR"}, {"ecr-public", "ECR Public"},
	} {
		if n := counts[service.key]; n > 0 {
			words = append(words, fmt.Sprintf("%s %d", service.name, n))
		}
		delete(rest, service.key)
	}
	for key, n := range rest {
		words = append(words, fmt.Sprintf("%s %d", key, n))
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}
