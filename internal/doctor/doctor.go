// Package doctor checks each step from the client's configuration to the image in the registry,
// and reports for each what it found and how to fix it.
package doctor

import (
	"context"
	"fmt"
	"time"

	"docker-credential-ecr-login/internal/awsapi"
	"docker-credential-ecr-login/internal/dockerconfig"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/sanitize"
	"docker-credential-ecr-login/internal/tokensource"
)

// State is the result of a step.
type State string

const (
	OK      State = "ok"
	Warning State = "warning"
	Failure State = "failure"
	// Skipped is the state of a step that wasn't taken, because an earlier one failed.
	Skipped State = "skipped"
)

// Finding is what a step found. Each text is one line and holds no secret.
type Finding struct {
	Step  string   `json:"step"`
	State State    `json:"state"`
	Found string   `json:"found"`
	Notes []string `json:"notes,omitempty"`
	// Fix says what to do about a warning or a failure. Paste are lines for the file that Fix names.
	Fix   string   `json:"fix,omitempty"`
	Paste []string `json:"paste,omitempty"`
}

func ok(format string, args ...any) Finding {
	return Finding{State: OK, Found: fmt.Sprintf(format, args...)}
}

func warn(fix, format string, args ...any) Finding {
	return Finding{State: Warning, Found: fmt.Sprintf(format, args...), Fix: fix}
}

func fail(fix, format string, args ...any) Finding {
	return Finding{State: Failure, Found: fmt.Sprintf(format, args...), Fix: fix}
}

var skipped = Finding{State: Skipped, Found: "an earlier check failed"}

// Options are the inputs of [Run].
type Options struct {
	// Resolver has the environment and the settings of a get.
	*tokensource.Resolver
	// Version is the version of this helper.
	Version string
	// Image is a registry's host or an image in it. If it is empty, the registry of the
	// principal's own account is checked.
	Image string

	// Found is called with each finding, and Waiting before each step with what it waits for.
	Found   func(Finding)
	Waiting func(what string)
}

// diagnosis is the state of one Run: what the steps so far found out.
type diagnosis struct {
	Options
	step string // the name of the step that runs

	image    image
	target   registrymap.Target // has no Registry while no host is known
	probe    *awsapi.Probe
	caller   awsapi.Caller
	response tokensource.Response
	bearer   string // the anonymous token of public ECR
	blocked  bool   // the steps that need AWS can't be taken
	done     bool   // no further step is for this host

	files       map[string]*dockerconfig.File // clients' configurations, nil if unreadable
	providers   []provider                    // by which the kubelet starts this program
	listClients []string                      // the files by which clients ask for a list first
}

// step is one check. Unless a disk hangs it ends with its context.
type step struct {
	name, waiting string
	check         func(*diagnosis, context.Context) Finding // reports nothing if the State is empty
	dependency    dependency
}

// dependency says what a failure has to do with the steps that need AWS.
type dependency int

const (
	independent dependency = iota
	required               // if the step fails, those that need AWS are skipped
	needsAWS               // the same, and the step is one of them
)

var steps = []step{
	{"program", "looking for the program on PATH", (*diagnosis).program, independent},
	{"map", "reading the registry map", (*diagnosis).registryMap, required},
	{"log", "reading the settings of the log", (*diagnosis).log, independent},
	{"clients", "reading the clients' configuration", (*diagnosis).clients, independent},
	{"fallback", "asking the fallback helper", (*diagnosis).fallback, independent},
	{"source", "reading the AWS configuration", (*diagnosis).source, needsAWS},
	{"network", "looking at proxy and authorities", (*diagnosis).network, needsAWS},
	{"metadata", "asking the instance metadata service", (*diagnosis).metadata, needsAWS},
	{"identity", "asking AWS who this is", (*diagnosis).identity, needsAWS},
	{"token", "asking ECR for a token", (*diagnosis).token, needsAWS},
	{"cache", "looking into the cache", (*diagnosis).cache, independent},
	{"list", "looking for what a list names", (*diagnosis).list, independent},
	{"registry", "asking the registry", (*diagnosis).registry, required},
	{"image", "asking for the image", (*diagnosis).manifest, independent},
}

// About returns the image that the doctor reads from a text, without a password or anything else
// around it.
func About(image string, m *registrymap.Map) string { return parseImage(image, m).String() }

// Run takes all steps, within the time of the context.
func Run(ctx context.Context, options Options) {
	d := &diagnosis{
		Options: options,
		image:   parseImage(options.Image, &options.Settings.Map),
		files:   map[string]*dockerconfig.File{},
	}
	defer func() {
		if r := recover(); r != nil {
			d.step = "doctor"
			d.report(fail("", "internal error: %v; please report it", r))
		}
		if d.probe != nil {
			d.probe.Close()
		}
	}()
	for _, s := range steps {
		d.take(ctx, s)
		if d.done {
			return
		}
	}
}

func (d *diagnosis) take(ctx context.Context, s step) {
	d.step = s.name
	d.Waiting(s.waiting)
	if s.dependency == needsAWS && d.blocked {
		d.report(skipped)
		return
	}
	// A step may take as long as a get does, and a credential process longer.
	limit := d.Settings.Timeout
	if s.name == "identity" && d.probe.UsesProcess() {
		limit *= 2
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	f := s.check(d, ctx)
	if f.State == Failure && s.dependency != independent {
		d.blocked = true
		if s.dependency == needsAWS && d.target.Registry.Public {
			f.State = Warning
			f.Notes = append(f.Notes, "images of public ECR can be pulled without credentials, which counts against lower limits")
		}
	}
	d.report(f)
}

func (d *diagnosis) report(f Finding) {
	if f.State == "" {
		return
	}
	f.Step, f.Found, f.Fix = d.step, sanitize.Line(f.Found), sanitize.Line(f.Fix)
	for i, note := range f.Notes {
		f.Notes[i] = sanitize.Line(note)
	}
	d.Found(f)
}

// age returns a duration in words, without its sign.
func age(d time.Duration) string {
	switch d = d.Abs(); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	default:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
}
