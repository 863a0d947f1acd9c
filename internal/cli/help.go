package cli

import (
	"fmt"
	"slices"
	"strings"

	"docker-credential-ecr-login/internal/suggest"
)

func helpCommand() command {
	var manual bool
	flags := newFlags("help")
	flags.BoolVar(&manual, "man", false, "print the manual page, for man")
	return command{
		name:  "help",
		args:  "[VERB]",
		brief: "print this, or all there is to say of a verb",
		about: "Without a VERB it prints an overview.",
		examples: []example{
			{"help doctor", "what does doctor do?"},
			{"help --man >/usr/local/share/man/man1/" + program + ".1", "install the manual page"},
		},
		flags: flags,
		run: func(s *session, args []string) error {
			all := table()
			switch {
			case len(args) > 1 || manual && len(args) > 0:
				return mistakef("it takes one VERB, or --man")
			case manual:
				fmt.Fprint(s.Stdout, manualPage(all, s.version))
			case len(args) == 0:
				fmt.Fprint(s.Stdout, overview(all))
			default:
				i := slices.Index(namesOf(all), args[0])
				if i < 0 {
					return mistakef("there is no verb %q%s", args[0], meant(suggest.Word(args[0], namesOf(all))))
				}
				fmt.Fprint(s.Stdout, page(all[i]))
			}
			return nil
		},
	}
}

const (
	purpose = "gives Docker and its kin the credentials for Amazon ECR"
	setUp   = `{"credHelpers": {"111122223333.dkr.ecr.eu-west-1.amazonaws.com": "ecr-login"}}`
)

// overview returns what help prints without a verb.
func overview(all []command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s.\n\n", program, purpose)
	fmt.Fprintf(&b, "Clients call it; name it in ~/.docker/config.json (or run configure):\n    %s\n\n", setUp)
	fmt.Fprintf(&b, "usage: %s VERB\n", program)
	for _, c := range all {
		fmt.Fprintf(&b, "    %-12s%s\n", c.name, c.brief)
	}
	fmt.Fprintf(&b, "\nhelp VERB tells more of each.\n\nenvironment:\n    %-31sas for every AWS tool: AWS_PROFILE, AWS_REGION, …\n", "AWS_…")
	for _, v := range variables {
		fmt.Fprintf(&b, "    %-31s%s\n", v.name, v.what)
	}
	return b.String()
}

// page returns the help of a command.
func page(c command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\nusage: %s\n\n%s\n", c.name, c.brief, c.usage(), wrap(c.about, 96))
	if c.flags != nil {
		b.WriteString("\nflags:\n")
	}
	for _, o := range c.options() {
		fmt.Fprintf(&b, "    %-22s%s\n", o, o.does)
	}
	if len(c.examples) > 0 {
		b.WriteString("\nexamples:\n")
	}
	for _, e := range c.examples {
		fmt.Fprintf(&b, "    # %s\n    %s %s\n", e.does, program, e.line)
	}
	return b.String()
}

func (c command) usage() string {
	usage := program + " " + c.name
	if c.flags != nil {
		usage += " [flags]"
	}
	return strings.TrimRight(usage+" "+c.args, " ")
}

// wrap breaks the lines of a text at blanks, and words that are longer than a line.
func wrap(text string, width int) string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for word := range strings.FieldsSeq(paragraph) {
			if line != "" && len(line)+1+len(word) > width {
				lines, line = append(lines, line), ""
			}
			for ; len(word) > width; word = word[width:] {
				lines = append(lines, word[:width])
			}
			line = strings.TrimPrefix(line+" "+word, " ")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// manualPage returns the page for man(1), in the macros of man(7). It has no date, which would
// differ in each build.
func manualPage(all []command, version string) string {
	var b strings.Builder
	text := func(s string) string {
		s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...").Replace(s)
		if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
			s = `\&` + s
		}
		return s
	}
	sentence := func(s, end string) string { return text(strings.ToUpper(s[:1]) + s[1:] + end) }
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	item := func(name, does string) { line(".TP\n.B %s\n%s", text(name), text(does)) }
	version, _, _ = strings.Cut(version, " ")
	line(`.TH %s 1 "" "%s %s" "User Commands"`, strings.ToUpper(text(program)), text(program), text(version))
	line(".SH NAME\n%s \\- %s", text(program), text(purpose))
	line(".SH SYNOPSIS\n.B %s\n.I VERB", text(program))
	line(".SH DESCRIPTION\nClients call it. Name it in ~/.docker/config.json:\n.PP\n.nf\n%s\n.fi", text(setUp))
	line(".SH VERBS")
	for _, c := range all {
		line(".SS %s\n%s", text(c.usage()), sentence(c.brief, "."))
		for paragraph := range strings.SplitSeq(c.about, "\n\n") {
			if paragraph != "" {
				line(".PP\n%s", text(paragraph))
			}
		}
		for _, o := range c.options() {
			item(o.String(), o.does)
		}
		for _, e := range c.examples {
			line(".PP\n%s\n.PP\n.nf\n.RS\n%s\n.RE\n.fi", sentence(e.does, ":"), text(program+" "+e.line))
		}
	}
	line(".SH ENVIRONMENT")
	item("AWS_...", "as for every AWS tool: AWS_PROFILE, AWS_REGION and so on")
	for _, v := range variables {
		item(v.name, v.what)
	}
	line(".SH EXIT STATUS\n0, or 1 for every failure.")
	return b.String()
}
