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
		hidden:    "words",
		run:       (*session).completion,
	}
}

func (s *session) completion(args []string) (err error) {
	var lines []string
	switch {
	case len(args) == 2 && args[0] == "words": // for the scripts
		lines = candidates(strings.Fields(args[1]), s.hosts)
	case len(args) != 1 || args[0] == "words":
		return mistakef("it takes bash, zsh, fish or hosts")
	case args[0] == "hosts":
		lines, err = s.hosts()
	default:
		lines = []string{strings.ReplaceAll(completions[args[0]], "PROGRAM", program)}
	}
	for _, line := range lines {
		fmt.Fprintln(s.Stdout, line)
	}
	return err
}

// completions are the scripts of the shells. They ask this program what may follow the words that
// were typed.
var completions = map[string]string{
	"bash": `# bash completion of PROGRAM
_ecr_login() {
	local choices=$("${COMP_WORDS[0]}" completion words "${COMP_WORDS[*]:0:COMP_CWORD}" 2>/dev/null | cut -f 1)
	COMPREPLY=($(compgen -W "$choices" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _ecr_login PROGRAM`,
	"zsh": `#compdef PROGRAM
_ecr_login() {
	local -a choices=(${(f)"$($words[1] completion words "$words[1,CURRENT-1]" 2>/dev/null)"})
	choices=("${(@)choices//:/\\:}")
	choices=("${(@)choices/$'\t'/:}")
	_describe word choices
}
if [[ $funcstack[1] = _ecr_login || $funcstack[1] = _PROGRAM ]]; then
	_ecr_login "$@"
else
	compdef _ecr_login PROGRAM
fi`,
	"fish": `# fish completion of PROGRAM
complete -c PROGRAM -f -a '(PROGRAM completion words (commandline -opc | string join " ") 2>/dev/null)'`,
}

// hosts returns the hosts of the registry map and of the cache.
func (s *session) hosts() ([]string, error) {
	resolver := s.load()
	hosts := resolver.Settings.Map.Hosts()
	for _, key := range cache.New(resolver.Settings.CacheDir).Known("") {
		if host, isECR := hostOf(key); isECR {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), resolver.Err
}

// candidates returns what may follow the typed words, the first of which is this program; each with
// a tab and a description, if it has one.
func candidates(typed []string, hosts func() ([]string, error)) (all []string) {
	commands := table()
	if len(typed) < 2 {
		for _, c := range commands {
			all = append(all, c.name+"\t"+c.brief)
		}
		return all
	}
	i := slices.Index(namesOf(commands), typed[1])
	if i < 0 {
		return nil
	}
	c, previous := commands[i], typed[len(typed)-1]
	switch {
	case len(typed) == 2 && c.name == "help":
		all = namesOf(commands)
	case len(typed) == 2:
		all = slices.Clone(c.arguments)
	}
	for _, o := range c.options() {
		if o.value != "" && previous == "--"+o.name {
			return c.values[o.name]
		}
		all = append(all, "--"+o.name+"\t"+o.does)
	}
	if c.takesHosts && (c.hostsAfter == "" || previous == c.hostsAfter) {
		names, _ := hosts()
		all = append(all, names...)
	}
	return append(all, "--help")
}
