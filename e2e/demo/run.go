package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// env is all the environment that the helper and the clients get.
func (d *demo) environ(home string) []string {
	return []string{
		"HOME=" + home,
		"PATH=" + d.bin,
		"HTTPS_PROXY=" + d.aws.ProxyURL(),
		"SSL_CERT_FILE=" + d.ca,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + d.aws.MetadataURL(),
	}
}

// result is what a run of the helper left, without the white space around it.
type result struct {
	stdout, stderr string
	status         int
	took           time.Duration
}

// helper runs the helper with a verb, as a client does.
func (d *demo) helper(ctx context.Context, verb, server string) (result, error) {
	d.aws.ResetCounts()
	var out, errs strings.Builder
	cmd := exec.CommandContext(ctx, filepath.Join(d.bin, program), verb)
	cmd.Dir, cmd.Env = d.home, d.environ(d.home)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(server), &out, &errs
	start := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return result{}, fmt.Errorf("%s: %w", verb, err)
	}
	return result{
		strings.TrimSpace(out.String()), strings.TrimSpace(errs.String()),
		cmd.ProcessState.ExitCode(), time.Since(start),
	}, nil
}

// get gets the password of the registry, which must take the requests wanted.
func (d *demo) get(ctx context.Context, want map[string]int) error {
	r, err := d.helper(ctx, "get", host)
	if err != nil {
		return err
	}
	var c struct{ ServerURL, Username, Secret string }
	if err := json.Unmarshal([]byte(r.stdout), &c); err != nil || r.status != 0 || r.stderr != "" {
		return fmt.Errorf("get: status %d, and on stderr %q", r.status, r.stderr)
	}
	principal, err := d.aws.VerifyToken(c.Secret, host)
	if err != nil || c.Username != "AWS" || c.ServerURL != host {
		return fmt.Errorf("get: %s, %s: the registry wouldn't take that: %w", c.ServerURL, c.Username, err)
	}
	d.out.print("get", "a token of %s, in %.0f ms", principal, float64(r.took.Microseconds())/1000)
	return d.requests(want)
}

// forget has the helper erase the tokens it holds for a registry.
func (d *demo) forget(ctx context.Context, host string) error {
	r, err := d.helper(ctx, "erase", host)
	if err != nil {
		return err
	}
	if r != (result{took: r.took}) {
		return fmt.Errorf("erase: status %d, stdout %q, stderr %q", r.status, r.stdout, r.stderr)
	}
	return nil
}

// client runs the demo itself as a client and reads what that reports.
func (d *demo) client(ctx context.Context, home string, report any, args ...string) error {
	stderr, err := d.clientWithStderr(ctx, home, report, args...)
	if err == nil && stderr != "" {
		err = fmt.Errorf("%s: on stderr of the client or the helper: %s", args[0], stderr)
	}
	return err
}

// clientSaying returns what the client, or the helper below it, says on stderr too.
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

// requests shows the requests that reached AWS since the last run of a client
// or of the helper, by service, and checks them. Those to the registry aren't
// counted.
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
