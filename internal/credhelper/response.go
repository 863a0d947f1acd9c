package credhelper

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"docker-credential-ecr-login/internal/sanitize"
)

// response is what a verb comes to: the lines it prints and the exit status.
type response struct {
	stdout string
	stderr []string
	status int
}

// say returns a response of success, and fail one of failure, both on stdout.
func say(line string) response  { return response{stdout: line + "\n"} }
func fail(line string) response { return response{stdout: sanitize.Line(line) + "\n", status: 1} }

// refuse returns the response to clients that read the reason on stderr.
func refuse(format string, args ...any) response {
	return response{status: 1}.withStderr(format, args...)
}

// withStderr returns the response with a further line on stderr.
func (r response) withStderr(format string, args ...any) response {
	r.stderr = append(r.stderr, name+": "+sanitize.Line(fmt.Sprintf(format, args...)))
	return r
}

// failOnStdout and failOnStderr return the response for an error of a verb.
func failOnStdout(_ *run, err error) response { return fail(name + ": " + err.Error()) }
func failOnStderr(_ *run, err error) response { return refuse("%v", err) }

// print prints a response and returns the exit status.
func (r *run) print(resp response) int {
	text := strings.Join(resp.stderr, "\n")
	if text != "" && !r.verb.noNewline {
		text += "\n"
	}
	io.WriteString(r.Stderr, text)
	if _, err := r.Stdout.Write([]byte(resp.stdout)); err != nil {
		fmt.Fprintf(r.Stderr, "%s: the answer can't be written: %v\n", name, err)
		return 1
	}
	return resp.status
}

// quote returns a string as JSON. What has nothing to be escaped, as almost all that is printed here,
// is spared encoding/json, whose first use takes longer than all else a warm get prints.
func quote(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		return `"` + s + `"`
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		panic(err) // a string can be written
	}
	return strings.TrimSuffix(text.String(), "\n")
}
