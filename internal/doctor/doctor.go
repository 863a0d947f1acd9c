// Package doctor walks the way that a token takes, from the client that asks for it to the
// registry that is opened with it, and tells at each step what is found there, and how to mend
// it.
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

// State is how a step went.
type State string

const (
	OK      State = "ok"
	Warning State = "warning"
	Failure State = "failure"
	// Skipped is a step that can't be taken, since one before it failed.
	Skipped State = "skipped"
)

// Finding is what was found at a step. All of it is text of one line that holds no secret.
type Finding struct {
	Step  string   `json:"step"`
	State State    `json:"state"`
	Found string   `json:"found"`
	Notes []string `json:"notes,omitempty"`
	// Fix tells what to do about a warning or a failure, and Paste are lines for a file that it
	// speaks of.
	Fix   string   `json:"fix,omitempty"`
	Paste []string `json:"paste,omitempty"`
}

// Case is whom the doctor sees.
type Options struct {
	// Resolver has the environment and the settings of a get.
	*tokensource.Resolver
	// Version is that of this helper.
	Version string
	// Image is a registry's host or an image in it; empty where it is about none.
	Image string

	// Found is called with each finding, and Waiting before each step with what will be
	// waited for.
	Found   func(Finding)
	Waiting func(what string)
}

// visit is a case and what has been found out of it.
type visit struct {
	Options
	step string

	image  image
	target registrymap.Target // without a registry where no host is known
	exam   *awsapi.Probe
	caller awsapi.Caller
	answer tokensource.Response
	bearer string // for public ECR, once it is known
	bad    bool   // what comes behind can't be done
	done   bool   // nothing comes behind

	read        map[string]*dockerconfig.File // clients' configurations, nil for what can't be read
	node        []provider                    // by which the kubelet starts this program
	listClients []string                      // files by which clients ask for a list first
}

// steps are the way of a token. Each of them ends by itself in a part of the time that a verb
// may take, but where a disk hangs.
var steps = []struct {
	name, waiting string
	take          func(*visit, context.Context)
}{
	{"program", "looking for the program on PATH", (*visit).program},
	{"map", "reading the registry map", (*visit).registryMap},
	{"log", "reading the settings of the log", (*visit).log},
	{"clients", "reading the clients' configuration", (*visit).clients},
	{"fallback", "asking the fallback helper", (*visit).fallback},
	{"source", "reading the AWS configuration", (*visit).source},
	{"network", "looking at proxy and authorities", (*visit).network},
	{"metadata", "asking the instance metadata service", (*visit).metadata},
	{"identity", "asking AWS who this is", (*visit).identity},
	{"token", "asking ECR for a token", (*visit).token},
	{"cache", "looking into the cache", (*visit).cache},
	{"list", "looking for what a list names", (*visit).list},
	{"registry", "asking the registry", (*visit).registry},
	{"image", "asking for the image", (*visit).manifest},
}

// About is what the doctor takes an image for: nothing that was around it, such as a password.
func About(image string, m *registrymap.Map) string { return parseImage(image, m).String() }

// See takes all steps. The context bounds them together.
func Run(ctx context.Context, c Options) {
	v := &visit{Options: c, image: parseImage(c.Image, &c.Settings.Map), read: map[string]*dockerconfig.File{}}
	defer func() {
		if v.exam != nil {
			v.exam.Close()
		}
	}()
	for _, s := range steps {
		v.step = s.name
		v.Waiting(s.waiting)
		// A step may take as long as a get does, and a credential process longer.
		limit := v.Settings.Timeout
		if s.name == "identity" && v.exam != nil && v.exam.UsesProcess() {
			limit *= 2
		}
		limited, cancel := context.WithTimeout(ctx, limit)
		s.take(v, limited)
		cancel()
		if v.done {
			return
		}
	}
}

// log tells what is wrong with the settings of the log, and nothing if they are right.
func (v *visit) log(context.Context) {
	if v.Settings.LogLevelErr != nil {
		v.warn("set one of those, or unset it", "%v", v.Settings.LogLevelErr)
	}
	if v.Settings.LogFileErr != nil {
		v.warn("write the whole path", "%v; no log is written", v.Settings.LogFileErr)
	}
}

func (v *visit) found(f Finding) {
	f.Step, f.Found, f.Fix = v.step, sanitize.Line(f.Found), sanitize.Line(f.Fix)
	for i, note := range f.Notes {
		f.Notes[i] = sanitize.Line(note)
	}
	v.Found(f)
}

func (v *visit) ok(format string, args ...any) {
	v.found(Finding{State: OK, Found: fmt.Sprintf(format, args...)})
}

func (v *visit) warn(fix, format string, args ...any) {
	v.found(Finding{State: Warning, Found: fmt.Sprintf(format, args...), Fix: fix})
}

func (v *visit) fail(fix, format string, args ...any) {
	v.found(Finding{State: Failure, Found: fmt.Sprintf(format, args...), Fix: fix})
}

// stop ends the steps that need what has just failed. Public ECR is pulled from without
// credentials, too: there it is a warning.
func (v *visit) stop(f Finding) {
	v.bad = true
	if v.target.Registry.Public && f.State == Failure {
		f.State = Warning
		f.Notes = append(f.Notes, "images of public ECR can be pulled without credentials, which counts against lower limits")
	}
	v.found(f)
}

// isOut reports whether a step can't be taken, and says so.
func (v *visit) isOut() bool {
	if v.bad {
		v.found(Finding{State: Skipped, Found: "an earlier check failed"})
	}
	return v.bad
}

// Ago is how long ago something was, or in how long it will be.
func Age(d time.Duration) string {
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
