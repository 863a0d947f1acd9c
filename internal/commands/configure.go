package commands

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/dockerconfig"
	"docker-credential-ecr-login/internal/registry"
)

// choices are what configure was told by its flags.
type choices struct {
	all, store, podman, remove, dryRun bool
	accounts, regions                  []string
	print                              string
}

func configureCommand() command {
	var o choices
	flags := newFlags("configure")
	flags.BoolVar(&o.all, "all", false, "all hosts that the registry map names; with --remove, all for which this helper is called")
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
		flags: flags,
		run:   func(s *session, args []string) error { return s.configure(o, args) },
	}
}

// listed adds the words of a flag, which are parted by commas, to a list.
func listed(list *[]string) func(string) error {
	return func(value string) error {
		*list = append(*list, strings.Split(value, ",")...)
		return nil
	}
}

func (s *session) configure(o choices, args []string) error {
	s.notice.For("reading the clients' configuration")
	settings, err := s.settings()
	if err != nil {
		return err
	}
	hosts, err := o.hosts(&settings.Map, args)
	if err != nil {
		return err
	}
	if o.print != "" {
		return s.printFor(o, hosts)
	}
	if len(hosts) == 0 && !o.store && !(o.all && o.remove) {
		return mistakef("it takes a HOST, --all, --account with --region, or --creds-store")
	}
	path := dockerconfig.DockerPath(s.Env, settings.Home)
	if o.podman {
		path = dockerconfig.PodmanPath(s.Env, settings.Home)
	}
	if path == "" {
		return errors.New("there is no home to find the client's configuration in; set HOME, DOCKER_CONFIG or REGISTRY_AUTH_FILE")
	}
	f, err := dockerconfig.Read(path)
	if err != nil {
		return err
	}
	if o.remove {
		s.removeFrom(f, o, hosts)
	} else {
		s.addTo(f, o, hosts, settings)
	}
	s.notice.Done()
	switch {
	case !f.Changed():
		fmt.Fprintf(s.Stdout, "%s: nothing to change\n", f.Path)
		return nil
	case o.dryRun:
		fmt.Fprint(s.Stdout, f.Diff())
		return nil
	}
	if err := f.Save(); err != nil {
		return err
	}
	fmt.Fprintf(s.Stdout, "%s: changed\n", f.Path)
	return nil
}

// hosts are those that were named, in whatever way.
func (o choices) hosts(m *config.Map, args []string) ([]string, error) {
	var hosts []string
	for _, arg := range args {
		target, ok := m.Find(arg)
		if !ok {
			return nil, fmt.Errorf("%s is neither a registry of ECR nor an alias in the registry map; nothing is changed", arg)
		}
		hosts = append(hosts, target.Host)
	}
	switch {
	case (len(o.accounts) > 0) != (len(o.regions) > 0):
		return nil, mistakef("--account and --region go together")
	case o.podman && o.store:
		return nil, mistakef("podman knows no --creds-store; name hosts")
	case o.store && len(args)+len(o.accounts) > 0:
		return nil, mistakef("--creds-store is for all hosts; name none")
	case o.print != "" && (o.remove || o.dryRun || o.podman):
		return nil, mistakef("--print changes nothing; it goes with hosts and --creds-store alone")
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

// addTo has this helper called, and warns of what keeps it from that or what is hidden by it.
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

// warnOfStore tells of passwords that clients will look for here alone.
func (s *session) warnOfStore(f *dockerconfig.File, settings config.Settings) {
	was := f.Store()
	if was == dockerconfig.Helper {
		was = ""
	}
	var hidden []string
	for _, server := range f.Auths() {
		if _, ours := settings.Map.Find(server); !ours {
			hidden = append(hidden, server)
		}
	}
	if settings.Fallback != "" {
		if was != "" && was != settings.Fallback {
			s.warn("docker-credential-%s was called for all hosts until now; the fallback is %s", was, settings.Fallback)
		}
		return
	}
	if was != "" {
		s.warn("docker-credential-%s was called for all hosts until now, and what it has is no longer found; set AWS_ECR_FALLBACK=%s, or fallback in the registry map", was, was)
	}
	if len(hidden) > 0 {
		s.warn("the passwords in %s for %s are no longer found; set a fallback that has them (AWS_ECR_FALLBACK), or name hosts in the place of --creds-store", f.Path, strings.Join(hidden, ", "))
	}
}

// warnOfPath tells where clients won't find this helper.
func (s *session) warnOfPath() {
	self, err := os.Executable()
	if err != nil {
		self = program
	}
	onPath, err := exec.LookPath(program)
	switch {
	case errors.Is(err, exec.ErrDot):
		s.warn("%s is on the PATH in the working folder alone, where clients don't start it", program)
	case err != nil:
		s.warn("clients call %s, which isn't on the PATH; copy %s there under that name", program, self)
	default:
		a, errA := os.Stat(self)
		b, errB := os.Stat(onPath)
		if errA == nil && errB == nil && !os.SameFile(a, b) {
			s.warn("clients call %s, which is another program than this one (%s)", onPath, self)
		}
	}
}

// removeFrom undoes what addTo did. What calls another helper stays.
func (s *session) removeFrom(f *dockerconfig.File, o choices, hosts []string) {
	if o.all {
		hosts = append(hosts, f.Hosts()...)
	}
	for _, host := range hosts {
		if was := f.HelperOf(host); was != "" && was != dockerconfig.Helper {
			s.warn("docker-credential-%s is called for %s, which stays so", was, host)
			continue
		}
		f.RemoveHelper(host)
	}
	if o.store && f.Store() == dockerconfig.Helper {
		f.RemoveStore()
	} else if o.store && f.Store() != "" {
		s.warn("docker-credential-%s is called for all hosts, which stays so", f.Store())
	}
}

// printFor prints what belongs into the configuration of another program.
func (s *session) printFor(o choices, hosts []string) error {
	if o.print != "gitlab" {
		return mistakef("--print knows gitlab alone, not %q", o.print)
	}
	f, err := dockerconfig.Parse("DOCKER_AUTH_CONFIG", `{"x":0}`)
	if err != nil {
		return err
	}
	for _, host := range hosts {
		f.SetHelper(host)
	}
	if len(hosts) == 0 {
		f.SetStore()
	}
	auth := strings.Replace(f.Text(), `"x":0,`, "", 1)
	fmt.Fprintf(s.Stdout, "# The environment of the runner's process, or of its service:\nDOCKER_AUTH_CONFIG=%s\n\n"+
		"# Or in its config.toml:\n[[runners]]\n  environment = [%s]\n", auth, tomlString("DOCKER_AUTH_CONFIG="+auth))
	return nil
}

// tomlString writes what has no control characters as TOML.
func tomlString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
