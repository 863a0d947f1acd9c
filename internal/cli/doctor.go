package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"docker-credential-ecr-login/internal/deadline"
	"docker-credential-ecr-login/internal/doctor"
	"docker-credential-ecr-login/internal/terminal"
)

func doctorCommand() command {
	var asJSON bool
	flags := newFlags("doctor")
	flags.BoolVar(&asJSON, "json", false, "print the findings as one JSON object")
	return command{
		name:  "doctor",
		args:  "[HOST or IMAGE]",
		brief: "find out why an image can't be pulled",
		about: "Walks the way that a token takes, from the client that asks for it to the registry that is opened with it, and tells at each step what it found: ok, a warning, or a failure " +
			"with what to do about it. With an IMAGE it also asks whether that may be pulled. Without a HOST it looks at the registry of your own account. " +
			"It changes nothing, uses no token of the cache, and prints no secret, so that all of it can go into a ticket. " +
			"For a host that isn't ECR's it looks at the fallback helper. On a node of Kubernetes it knows how the kubelet calls this program, " +
			"and beside GitLab Runner it reads the runner's config.toml ($CONFIG_FILE, else /etc/gitlab-runner/config.toml).\n\n" +
			"Run it as the user, in the container and with the environment of what fails. It exits with 1 where there is a failure, and ends within twice AWS_ECR_TIMEOUT.",
		examples: []example{
			{"doctor 222222222222.dkr.ecr.ap-south-1.amazonaws.com/team/app:1.0", "why can't this image be pulled?"},
			{"doctor --json | jq -r '.findings[] | select(.state == \"failure\").fix'", "what has to be done?"},
		},
		flags:      flags,
		takesHosts: true,
		run:        func(s *session, args []string) error { return s.doctor(args, asJSON) },
	}
}

func (s *session) doctor(args []string, asJSON bool) error {
	if len(args) > 1 {
		return mistakef("it takes one HOST or IMAGE")
	}
	resolver := s.load()
	settings := resolver.Settings
	r := &report{out: s.Stdout, asJSON: asJSON, Version: s.version, State: doctor.OK}
	r.colour = terminal.IsTerminal(s.Stdout) && s.Env.Get("NO_COLOR") == ""
	c := doctor.Options{
		Resolver: resolver, Version: s.version,
		Found: func(f doctor.Finding) {
			s.notice.Done()
			r.add(f)
		},
		Waiting: s.waitFor,
	}
	if len(args) == 1 {
		c.Image = args[0]
		r.About = doctor.About(args[0], &settings.Map)
	}

	// doctor asks nobody for long, so its watchdog isn't the one that the resolver extends.
	s.watchdog.Stop()
	total := 2 * settings.Timeout
	limit := deadline.In(total)
	if total > 2*deadline.Grace {
		limit.Timeout -= deadline.Grace // so that it ends within the total, the grace included
	}
	s.watchdog = deadline.Watch(limit, func(time.Duration) {
		time.AfterFunc(deadline.Grace, func() { os.Exit(1) }) // stdout may hang, too
		c.Found(doctor.Finding{
			Step: "doctor", State: doctor.Failure, Fix: seeDisk,
			Found: fmt.Sprintf("not done within %v, while %s", total, s.waiting.Load()),
		})
		os.Exit(s.fail("doctor", r.end()))
	})
	ctx, cancel := limit.Context(context.Background())
	defer cancel()
	doctor.Run(ctx, c)
	return r.end()
}

// report prints the findings: a line for each as soon as there is one, or all as JSON at the end.
type report struct {
	out    io.Writer
	colour bool
	asJSON bool

	mu       sync.Mutex
	ended    bool
	skipped  []string         // the steps that are one line at the end
	Version  string           `json:"version"`
	About    string           `json:"about,omitempty"`
	State    doctor.State     `json:"state"` // the worst of the findings
	Findings []doctor.Finding `json:"findings"`
}

var colours = map[doctor.State]string{
	doctor.OK: "32", doctor.Warning: "33", doctor.Failure: "31", doctor.Skipped: "2",
}

func (r *report) add(f doctor.Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.Findings = append(r.Findings, f)
	if f.State == doctor.Failure || f.State == doctor.Warning && r.State == doctor.OK {
		r.State = f.State
	}
	if r.asJSON {
		return
	}
	if f.State == doctor.Skipped {
		r.skipped = append(r.skipped, f.Step)
		return
	}
	const margin = "                    "
	fmt.Fprintf(r.out, "%s %-10s %s\n", r.column(f.State), f.Step, f.Found)
	for _, note := range f.Notes {
		fmt.Fprintf(r.out, "%s- %s\n", margin, note)
	}
	if f.Fix != "" {
		fmt.Fprintf(r.out, "%s=> %s\n", margin, f.Fix)
	}
	for _, line := range f.Paste {
		fmt.Fprintf(r.out, "%s   %s\n", margin, line)
	}
}

// column returns a state as the first column shows it.
func (r *report) column(state doctor.State) string {
	text := fmt.Sprintf("%-8s", state)
	if r.colour {
		text = "\x1b[" + colours[state] + "m" + text + "\x1b[0m"
	}
	return text
}

func (r *report) end() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.ended: // by the watchdog, just now
	case r.asJSON:
		encoder := json.NewEncoder(r.out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		encoder.Encode(r) // Main reports what can't be written
	case len(r.skipped) > 0:
		fmt.Fprintf(r.out, "%s %s: an earlier check failed\n", r.column(doctor.Skipped), strings.Join(r.skipped, ", "))
	}
	r.ended = true
	if r.State == doctor.Failure {
		return errReported
	}
	return nil
}
