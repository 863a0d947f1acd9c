package commands

import (
	"flag"
	"fmt"
	"strings"
)

func completionCommand() command {
	return command{
		name:  "completion",
		args:  "bash | zsh | fish",
		brief: "print what has a shell complete the words of this program",
		about: "Where the shell looks for it is told in the examples.",
		examples: []example{
			{"completion bash >/etc/bash_completion.d/" + program, "for bash"},
			{"completion zsh >/usr/local/share/zsh/site-functions/_" + program, "for zsh"},
			{"completion fish >~/.config/fish/completions/" + program + ".fish", "for fish (mkdir -p ~/.config/fish/completions)"},
		},
		words: []string{"bash", "zsh", "fish"},
		run: func(s *session, args []string) error {
			if len(args) != 1 {
				return mistakef("it takes bash, zsh or fish")
			}
			shell := map[string]func([]command) string{"bash": forBash, "zsh": forZsh, "fish": forFish}[args[0]]
			fmt.Fprint(s.Stdout, shell(table()))
			return nil
		},
	}
}

// choicesOf are the words that may follow a command: of its first argument, and its flags.
func choicesOf(c command) []string {
	words := c.words
	if c.name == "help" {
		for _, other := range table() {
			words = append(words, other.name)
		}
	}
	if c.flags != nil {
		c.flags.VisitAll(func(f *flag.Flag) { words = append(words, "--"+f.Name) })
	}
	return append(words, "--help")
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
	fmt.Fprintf(&b, "# bash completion of %s\n_ecr_login() {\n\tlocal word=${COMP_WORDS[COMP_CWORD]} choices\n", program)
	fmt.Fprintf(&b, "\tif ((COMP_CWORD == 1)); then\n\t\tchoices='%s'\n\telse\n\t\tcase ${COMP_WORDS[1]} in\n", strings.Join(namesOf(all), " "))
	for _, c := range all {
		fmt.Fprintf(&b, "\t\t%s) choices='%s' ;;\n", c.name, strings.Join(choicesOf(c), " "))
	}
	fmt.Fprintf(&b, "\t\tesac\n\tfi\n\tCOMPREPLY=($(compgen -W \"$choices\" -- \"$word\"))\n}\ncomplete -F _ecr_login %s\n", program)
	return b.String()
}

func forZsh(all []command) string {
	var b strings.Builder
	quote := strings.NewReplacer("'", `'\''`, ":", `\:`)
	fmt.Fprintf(&b, "#compdef %s\n_ecr_login() {\n\tlocal -a verbs\n\tverbs=(\n", program)
	for _, c := range all {
		fmt.Fprintf(&b, "\t\t'%s:%s'\n", c.name, quote.Replace(c.brief))
	}
	b.WriteString("\t)\n\tif ((CURRENT == 2)); then\n\t\t_describe verb verbs\n\t\treturn\n\tfi\n\tcase $words[2] in\n")
	for _, c := range all {
		fmt.Fprintf(&b, "\t%s) compadd -- %s ;;\n", c.name, strings.Join(choicesOf(c), " "))
	}
	fmt.Fprintf(&b, "\tesac\n}\nif [[ $funcstack[1] = _ecr_login || $funcstack[1] = _%s ]]; then\n\t_ecr_login \"$@\"\nelse\n\tcompdef _ecr_login %s\nfi\n", program, program)
	return b.String()
}

func forFish(all []command) string {
	var b strings.Builder
	quote := strings.NewReplacer(`\`, `\\`, "'", `\'`)
	fmt.Fprintf(&b, "# fish completion of %s\ncomplete -c %s -f\n", program, program)
	for _, c := range all {
		fmt.Fprintf(&b, "complete -c %s -n __fish_use_subcommand -a %s -d '%s'\n", program, c.name, quote.Replace(c.brief))
		condition := fmt.Sprintf("-n 'test (commandline -opc)[2] = %s'", c.name)
		var words []string
		for _, word := range choicesOf(c) {
			if !strings.HasPrefix(word, "--") {
				words = append(words, word)
			}
		}
		if len(words) > 0 {
			first := strings.TrimSuffix(condition, "'") + "; and test (count (commandline -opc)) -eq 2'"
			fmt.Fprintf(&b, "complete -c %s %s -a '%s'\n", program, first, strings.Join(words, " "))
		}
		if c.flags == nil {
			continue
		}
		c.flags.VisitAll(func(f *flag.Flag) {
			value, what := flag.UnquoteUsage(f)
			if value != "" {
				value = " -x"
			}
			fmt.Fprintf(&b, "complete -c %s %s -l %s%s -d '%s'\n", program, condition, f.Name, value, quote.Replace(what))
		})
	}
	return b.String()
}
