package cli

import (
	"flag"
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
		if host, ok := hostOf(key); ok {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	for _, host := range slices.Compact(hosts) {
		fmt.Fprintln(s.Stdout, host)
	}
	return err
}

// wordsOf are the words that the first argument of a command may be.
func wordsOf(c command) []string {
	if c.name == "help" {
		return namesOf(table())
	}
	return c.arguments
}

// flagsOf are the flags of a command. Those that take a value are in valued, too.
func flagsOf(c command) (all, valued []string) {
	if c.flags != nil {
		c.flags.VisitAll(func(f *flag.Flag) {
			all = append(all, "--"+f.Name)
			if takes, _ := flag.UnquoteUsage(f); takes != "" {
				valued = append(valued, "--"+f.Name)
			}
		})
	}
	return append(all, "--help"), valued
}

func namesOf(all []command) []string {
	var names []string
	for _, c := range all {
		names = append(names, c.name)
	}
	return names
}

func forBash(all []command) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# bash completion of %s", program)
	line("_ecr_login() {")
	line("\tlocal word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} choices='' hosts=''")
	line("\tif ((COMP_CWORD == 1)); then\n\t\tchoices='%s'", strings.Join(namesOf(all), " "))
	line("\telse\n\t\tcase ${COMP_WORDS[1]} in")
	for _, c := range all {
		flags, valued := flagsOf(c)
		line("\t\t%s)\n\t\t\tchoices='%s'", c.name, strings.Join(flags, " "))
		if words := wordsOf(c); len(words) > 0 {
			line("\t\t\t((COMP_CWORD == 2)) && choices='%s'", strings.Join(append(words, flags...), " "))
		}
		switch {
		case c.hostsAfter != "":
			line("\t\t\t[[ $previous == %s ]] && hosts=yes", c.hostsAfter)
		case c.takesHosts:
			line("\t\t\thosts=yes")
		}
		for _, name := range valued {
			line("\t\t\t[[ $previous == %s ]] && choices='%s' hosts=''", name, strings.Join(c.values[name[2:]], " "))
		}
		line("\t\t\t;;")
	}
	line("\t\tesac\n\tfi")
	line("\t[[ $hosts ]] && choices+=\" $(\"${COMP_WORDS[0]}\" completion hosts 2>/dev/null)\"")
	line("\tCOMPREPLY=($(compgen -W \"$choices\" -- \"$word\"))\n}\ncomplete -F _ecr_login %s", program)
	return b.String()
}

func forZsh(all []command) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	quote := strings.NewReplacer("'", `'\''`, ":", `\:`)
	line("#compdef %s\n_ecr_login() {\n\tlocal -a verbs choices\n\tlocal hosts=''\n\tverbs=(", program)
	for _, c := range all {
		line("\t\t'%s:%s'", c.name, quote.Replace(c.brief))
	}
	line("\t)\n\tif ((CURRENT == 2)); then\n\t\t_describe verb verbs\n\t\treturn\n\tfi\n\tcase $words[2] in")
	for _, c := range all {
		flags, valued := flagsOf(c)
		line("\t%s)\n\t\tchoices=(%s)", c.name, strings.Join(flags, " "))
		if words := wordsOf(c); len(words) > 0 {
			line("\t\t((CURRENT == 3)) && choices+=(%s)", strings.Join(words, " "))
		}
		switch {
		case c.hostsAfter != "":
			line("\t\t[[ $words[CURRENT-1] == %s ]] && hosts=yes", c.hostsAfter)
		case c.takesHosts:
			line("\t\thosts=yes")
		}
		for _, name := range valued {
			line("\t\t[[ $words[CURRENT-1] == %s ]] && choices=(%s) hosts=''", name, strings.Join(c.values[name[2:]], " "))
		}
		line("\t\t;;")
	}
	line("\tesac\n\t[[ -n $hosts ]] && choices+=(${(f)\"$($words[1] completion hosts 2>/dev/null)\"})\n\tcompadd -- $choices\n}")
	line("if [[ $funcstack[1] = _ecr_login || $funcstack[1] = _%s ]]; then\n\t_ecr_login \"$@\"\nelse\n\tcompdef _ecr_login %[1]s\nfi", program)
	return b.String()
}

func forFish(all []command) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	quote := strings.NewReplacer(`\`, `\\`, "'", `\'`)
	line("# fish completion of %s\ncomplete -c %[1]s -f", program)
	for _, c := range all {
		line("complete -c %s -n __fish_use_subcommand -a %s -d '%s'", program, c.name, quote.Replace(c.brief))
		condition := fmt.Sprintf("test (commandline -opc)[2] = %s", c.name)
		if words := wordsOf(c); len(words) > 0 {
			line("complete -c %s -n '%s; and test (count (commandline -opc)) -eq 2' -a '%s'", program, condition, strings.Join(words, " "))
		}
		if c.takesHosts {
			after := condition
			if c.hostsAfter != "" {
				after += fmt.Sprintf("; and test (commandline -opc)[-1] = %s", c.hostsAfter)
			}
			line("complete -c %s -n '%s' -a '(%[1]s completion hosts 2>/dev/null)'", program, after)
		}
		if c.flags == nil {
			continue
		}
		c.flags.VisitAll(func(f *flag.Flag) {
			takes, what := flag.UnquoteUsage(f)
			value := ""
			if takes != "" {
				value = " -x"
			}
			if values := c.values[f.Name]; len(values) > 0 {
				value += fmt.Sprintf(" -a '%s'", strings.Join(values, " "))
			}
			line("complete -c %s -n '%s' -l %s%s -d '%s'", program, condition, f.Name, value, quote.Replace(what))
		})
	}
	return b.String()
}
