package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/dockerconfig"
	"docker-credential-ecr-login/internal/doctor"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
)

// choices are the values of configure's flags.
type choices struct {
	all, store, podman, remove, dryRun bool
	accounts, regions                  []string
	print                              string
}

func configureCommand() command {
	var o choices
	flags := newFlags("configure")
	flags.BoolVar(&o.all, "all", false, "all hosts that the registry map names; with --remove, wherever this helper is called")
	flags.Func("account", "the registries of `A,…`, in each --region", listed(&o.accounts))
	flags.Func("region", "the regions `R,…` of each --account", listed(&o.regions))
	flags.BoolVar(&o.store, "creds-store", false, "all hosts, whatever they are (credsStore)")
	flags.BoolVar(&o.podman, "podman", false, "write auth.json of podman, buildah and skopeo in the place of Docker's config.json")
	flags.BoolVar(&o.remove, "remove", false, "undo it")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print what would change, as a diff, and change nothing")
	flags.StringVar(&o.print, "print", "", "print what belongs into the configuration of `PROGRAM`, and change nothing; it knows gitlab")
	return command{
		name:  "configure",
		args:  "[HOST…]",
		brief: "have clients call this helper",
		about: "Adds an entry for each HOST to credHelpers in Docker's config.json ($DOCKER_CONFIG, else ~/.docker). What else is in the file stays as it is, " +
			"and so do its mode, its owner and the link that leads to it. A file that isn't JSON is left alone.",
		examples: []example{
			{"configure 222222222222.dkr.ecr.ap-south-1.amazonaws.com", "for one registry"},
			{"configure --account 222222222222 --region eu-west-1,us-east-1", "for an account's registries"},
			{"configure --all --dry-run", "see what it would do for all that the registry map names"},
			{"configure --podman public.ecr.aws", "for podman, buildah and skopeo"},
			{"configure --print gitlab", "the lines for GitLab Runner"},
		},
		flags:      flags,
		takesHosts: true,
		values:     map[string][]string{"print": {"gitlab"}},
		run:        func(s *session, args []string) error { return s.configure(o, args) },
	}
}

// listed returns a function that appends the values of a flag, separated by commas, to a list.
func listed(list *[]string) func(string) error {
	return func(value string) error {
		for word := range strings.SplitSeq(value, ",") {
			*list = append(*list, strings.TrimSpace(word))
		}
		return nil
	}
}

func (s *session) configure(o choices, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	resolver := s.load()
	settings, err := resolver.Settings, resolver.Err
	if err != nil && !(o.all && o.remove) { // for which no map is needed
		return err
	}
	hosts, err := o.hosts(&settings.Map, args)
	if err != nil {
		return err
	}
	if o.print != "" {
		return s.printFor(o, hosts)
	}
	s.waitFor("reading the clients' configuration")
	f, err := o.file(s.Env, settings.Home)
	if err != nil {
		return err
	}
	if o.remove {
		return s.save(f, o, s.removeFrom(f, o, hosts))
	}
	s.addTo(f, o, hosts, settings)
	if o.store {
		hosts = append(hosts, allHosts)
	}
	return s.save(f, o, hosts)
}

// allHosts stands for all hosts in the messages.
const allHosts = "all hosts"

// file reads the client's configuration that is to be changed.
func (o choices) file(env config.Env, home string) (*dockerconfig.File, error) {
	path := dockerconfig.DockerPath(env, home)
	if o.podman {
		path = dockerconfig.PodmanPath(env, home)
	}
	if path == "" {
		return nil, errors.New("there is no home to find the client's configuration in; set HOME, DOCKER_CONFIG or REGISTRY_AUTH_FILE")
	}
	return dockerconfig.Read(path)
}

// save writes the file, or prints the diff, and prints which hosts that is about and what to do
// next.
func (s *session) save(f *dockerconfig.File, o choices, hosts []string) error {
	s.notice.Done()
	if o.dryRun && f.Changed() {
		fmt.Fprint(s.Stdout, f.Diff())
		return nil
	}
	if err := f.Save(); err != nil {
		return err
	}
	about := strings.Join(hosts, ", ")
	switch {
	case o.remove && f.Changed():
		fmt.Fprintf(s.Stdout, "%s: this helper is no longer named for %s\n", f.Path, about)
	case o.remove:
		fmt.Fprintf(s.Stdout, "%s: nothing to change: this helper isn't named for that\n", f.Path)
	case f.Changed():
		fmt.Fprintf(s.Stdout, "%s: clients now call this helper for %s\n", f.Path, about)
	default:
		fmt.Fprintf(s.Stdout, "%s: nothing to change: clients call this helper for %s\n", f.Path, about)
	}
	if o.remove {
		return nil
	}
	next := program + " doctor"
	if !o.store {
		next += " " + hosts[0]
	}
	fmt.Fprintf(s.Stdout, "next: %s\n", next)
	return nil
}

// check returns an error for choices that make no sense together.
func (o choices) check(args []string) error {
	named := len(args)+len(o.accounts) > 0
	switch {
	case (len(o.accounts) > 0) != (len(o.regions) > 0):
		return mistakef("--account and --region go together")
	case o.podman && o.store:
		return mistakef("podman knows no --creds-store; name hosts")
	case o.store && named:
		return mistakef("--creds-store is for all hosts; name none")
	case o.print != "" && o.print != "gitlab":
		return mistakef("--print knows gitlab alone, not %q", o.print)
	case o.print != "" && (o.remove || o.dryRun || o.podman):
		return mistakef("--print changes nothing; it goes with hosts and --creds-store alone")
	case !named && !o.store && !o.all && o.print == "":
		return mistakef("it takes a HOST, --all, --account with --region, or --creds-store")
	}
	return nil
}

// hosts returns the hosts that the arguments and flags name.
func (o choices) hosts(m *registrymap.Map, args []string) ([]string, error) {
	var hosts []string
	for _, arg := range args {
		target, ok := m.Find(arg)
		if !ok {
			return nil, fmt.Errorf("%w; nothing is changed", notECR(arg))
		}
		hosts = append(hosts, target.Host)
	}
	for _, account := range o.accounts {
		for _, region := range o.regions {
			host := registry.Registry{Account: account, Region: region}.Host()
			if r, ok := registry.Parse(host); !ok || r.Account != account || r.Region != region {
				return nil, fmt.Errorf("there is no registry of account %q in region %q: an account has twelve digits, a region a name such as eu-west-1", account, region)
			}
			hosts = append(hosts, host)
		}
	}
	if o.all && !o.remove {
		named := m.Hosts()
		if len(named) == 0 {
			return nil, errors.New("the registry map names no host; see --account and --region")
		}
		hosts = append(hosts, named...)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), nil
}

// addTo has clients call this helper, and warns of what prevents that and of what it hides.
func (s *session) addTo(f *dockerconfig.File, o choices, hosts []string, settings config.Settings) {
	for _, host := range hosts {
		if was := f.HelperOf(host); was != "" && was != dockerconfig.Helper {
			s.warn("docker-credential-%s was called for %s until now", was, host)
		}
		f.SetHelper(host)
	}
	if o.store {
		s.warnOfStore(f, settings)
		f.SetStore()
	}
	s.warnOfPath()
}

// warnOfStore warns of passwords that clients no longer find.
func (s *session) warnOfStore(f *dockerconfig.File, settings config.Settings) {
	if was := f.Store(); was != "" && was != dockerconfig.Helper {
		switch settings.Fallback {
		case was:
		case "":
			s.warn("docker-credential-%s was called for all hosts until now, and what it has is no longer found; set AWS_ECR_FALLBACK=%s, or fallback in the registry map", was, was)
		default:
			s.warn("docker-credential-%s was called for all hosts until now; the fallback is %s", was, settings.Fallback)
		}
	}
	if hidden := doctor.Hidden(f, &settings.Map); len(hidden) > 0 && settings.Fallback == "" {
		s.warn("the passwords in %s for %s are no longer found; set a fallback that has them (AWS_ECR_FALLBACK), or name hosts in the place of --creds-store", f.Path, strings.Join(hidden, ", "))
	}
}

// warnOfPath warns if clients don't find this helper.
func (s *session) warnOfPath() {
	if _, problem, fix := doctor.OnPath(s.Env); problem != "" {
		s.warn("%s; %s", problem, fix)
	}
}

// removeFrom undoes addTo, and returns the hosts that this changes. Entries of other helpers stay.
func (s *session) removeFrom(f *dockerconfig.File, o choices, hosts []string) (removed []string) {
	if o.all {
		hosts = append(hosts, f.Hosts()...)
	}
	for _, host := range hosts {
		switch was := f.HelperOf(host); was {
		case dockerconfig.Helper:
			f.RemoveHelper(host)
			removed = append(removed, host)
		case "":
			// An entry that clients don't find goes, too.
			if near, ok := f.NearlyNamed(host); ok && f.HelperOf(near) == dockerconfig.Helper {
				f.RemoveHelper(near)
				removed = append(removed, near)
			}
		default:
			s.warn("docker-credential-%s is called for %s, which stays so", was, host)
		}
	}
	switch store := f.Store(); {
	case (o.store || o.all) && store == dockerconfig.Helper:
		f.RemoveStore()
		removed = append(removed, allHosts)
	case o.store && store != "":
		s.warn("docker-credential-%s is called for all hosts, which stays so", store)
	case len(hosts) > 0 && store == dockerconfig.Helper:
		s.warn("this helper is still called for all hosts (credsStore); configure --remove --creds-store changes that")
	}
	return removed
}

// printFor prints the lines for the configuration of another program.
func (s *session) printFor(o choices, hosts []string) error {
	f, err := dockerconfig.Parse("DOCKER_AUTH_CONFIG", "{}")
	if err != nil {
		return err
	}
	for _, host := range hosts {
		f.SetHelper(host)
	}
	if len(hosts) == 0 {
		f.SetStore()
	}
	auth := new(bytes.Buffer)
	if err := json.Compact(auth, []byte(f.Text())); err != nil {
		return err
	}
	// The runner doesn't read the variable from its own environment.
	fmt.Fprintf(s.Stdout, "# In the runner's config.toml, in the section [[runners]]:\n  environment = [%s]\n\n"+
		"# Or as a CI/CD variable of a project or a job, which replaces that line:\nDOCKER_AUTH_CONFIG=%s\n\n"+
		"# Or in ~/.docker/config.json of the user that the runner runs as. No variable turns it off:\n%[2]s\n",
		tomlString("DOCKER_AUTH_CONFIG="+auth.String()), auth)
	s.warnOfPath()
	return nil
}

// tomlString quotes a string without control characters as TOML.
func tomlString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
