package cli

import (
	"fmt"
	"slices"
	"strings"

	"docker-credential-ecr-login/cache"
)

func completionCommand() command {
	return command{
		name:  "completion",
		args:  "bash | zsh | fish | hosts",
		brief: "print the completion of a shell",
		about: "The examples say where each shell looks for it. hosts prints the registries that the shells complete: those of the registry map and of the cache. It makes no request.",
		examples: []example{
			{"completion bash >/etc/bash_completion.d/" + program, "for bash"},
			{"completion zsh >/usr/local/share/zsh/site-functions/_" + program, "for zsh (mkdir -p /usr/local/share/zsh/site-functions)"},
			{"completion fish >~/.config/fish/completions/" + program + ".fish", "for fish (mkdir -p ~/.config/fish/completions)"},
		},
		arguments: []string{"bash", "zsh", "fish", "hosts"},
		run: func(s *session, args []string) error {
			if len(args) != 1 {
				return mistakef("it takes bash, zsh, fish or hosts")
			}
			if args[0] == "hosts" {
				return s.printHosts()
			}
			shell := map[string]func([]command) string{"bash": forBash, "zsh": forZsh, "fish": forFish}[args[0]]
			fmt.Fprint(s.Stdout, shell(table()))
			return nil
		},
	}
}

// printHosts prints the hosts of the registry map and of the cache.
func (s *session) printHosts() error {
	resolver := s.load()
	settings, err := resolver.Settings, resolver.Err
	hosts := settings.Map.Hosts()
	for _, key := range cache.New(settings.CacheDir).Known("") {
		if host, isECR := hostOf(key); isECR {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	for _, host := range slices.Compact(hosts) {
		fmt.Fprintln(s.Stdout, host)
	}
	return err
}

// candidates returns the words that the first argument of a command may be.
func (c command) candidates() []string {
	if c.name == "help" {
		return namesOf(table())
	}
	return c.arguments
}

func forBash(all []command) string {
	return fmt.Sprintf(`# bash completion of %[1]s
_ecr_login() {
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} choices='' hosts=''
	if ((COMP_CWORD == 1)); then
		choices='%[2]s'
	else
		case ${COMP_WORDS[1]} in
%[3]s		esac
	fi
	[[ $hosts ]] && choices+=" $("${COMP_WORDS[0]}" completion hosts 2>/dev/null)"
	COMPREPLY=($(compgen -W "$choices" -- "$word"))
}
complete -F _ecr_login %[1]s
`, program, strings.Join(namesOf(all), " "), cases(all, "COMP_CWORD == 2", "$previous", "'%s'"))
}

func forZsh(all []command) string {
	var verbs strings.Builder
	for _, c := range all {
		fmt.Fprintf(&verbs, "\t\t'%s:%s'\n", c.name, strings.NewReplacer("'", `'\''`, ":", `\:`).Replace(c.brief))
	}
	return fmt.Sprintf(`#compdef %[1]s
_ecr_login() {
	local -a verbs choices
	local hosts=''
	verbs=(
%[2]s	)
	if ((CURRENT == 2)); then
		_describe verb verbs
		return
	fi
	case $words[2] in
%[3]s	esac
	[[ -n $hosts ]] && choices+=(${(f)"$($words[1] completion hosts 2>/dev/null)"})
	compadd -- $choices
}
if [[ $funcstack[1] = _ecr_login || $funcstack[1] = _%[1]s ]]; then
	_ecr_login "$@"
else
	compdef _ecr_login %[1]s
fi
`, program, verbs.String(), cases(all, "CURRENT == 3", "$words[CURRENT-1]", "(%s)"))
}

// cases returns a case for each command, which sets choices and hosts. Bash and zsh read it alike, but
// for the condition of the first argument, the variable with the previous word and the format of a
// list.
func cases(all []command, isFirst, previous, list string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "\t\t\t"+format+"\n", args...) }
	choices := func(words []string) string { return "choices=" + fmt.Sprintf(list, strings.Join(words, " ")) }
	for _, c := range all {
		flags := c.options()
		words := []string{}
		for _, o := range flags {
			words = append(words, "--"+o.name)
		}
		words = append(words, "--help")
		fmt.Fprintf(&b, "\t\t%s)\n", c.name)
		line("%s", choices(words))
		if first := c.candidates(); len(first) > 0 {
			line("((%s)) && %s", isFirst, choices(slices.Concat(first, words)))
		}
		switch {
		case c.hostsAfter != "":
			line("[[ %s == %s ]] && hosts=yes", previous, c.hostsAfter)
		case c.takesHosts:
			line("hosts=yes")
		}
		for _, o := range flags {
			if o.value != "" {
				line("[[ %s == --%s ]] && %s hosts=''", previous, o.name, choices(c.values[o.name]))
			}
		}
		line(";;")
	}
	return b.String()
}

func forFish(all []command) string {
	var b strings.Builder
	quote := strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace
	line := func(condition, rest string) { fmt.Fprintf(&b, "complete -c %s -n '%s' %s\n", program, condition, rest) }
	fmt.Fprintf(&b, "# fish completion of %s\ncomplete -c %[1]s -f\n", program)
	for _, c := range all {
		fmt.Fprintf(&b, "complete -c %s -n __fish_use_subcommand -a %s -d '%s'\n", program, c.name, quote(c.brief))
		isCommand := "test (commandline -opc)[2] = " + c.name
		if first := c.candidates(); len(first) > 0 {
			line(isCommand+"; and test (count (commandline -opc)) -eq 2", "-a '"+strings.Join(first, " ")+"'")
		}
		if c.takesHosts {
			after := ""
			if c.hostsAfter != "" {
				after = "; and test (commandline -opc)[-1] = " + c.hostsAfter
			}
			line(isCommand+after, "-a '("+program+" completion hosts 2>/dev/null)'")
		}
		for _, o := range c.options() {
			rest := "-l " + o.name
			if o.value != "" {
				rest += " -x"
			}
			if values := c.values[o.name]; len(values) > 0 {
				rest += " -a '" + strings.Join(values, " ") + "'"
			}
			line(isCommand, rest+" -d '"+quote(o.does)+"'")
		}
	}
	return b.String()
}
