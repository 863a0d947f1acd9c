package config

import (
	"fmt"
	"path"
	"strings"
)

// Path returns the file that a path of a variable or of a configuration names. "~", and "~/" at its
// beginning, is the home. The error quotes a path that names no file for certain: a relative one,
// since whoever wrote a CI job also wrote the files of its working directory, one with white space
// around it, and one with a variable that nobody has expanded.
func Path(text, home string) (string, error) {
	rest, isBelowHome := strings.CutPrefix(text, "~")
	switch isBelowHome = isBelowHome && (rest == "" || rest[0] == '/'); {
	case strings.TrimSpace(text) != text:
		return "", fmt.Errorf("%q has white space around it", text)
	case isBelowHome && home == "":
		return "", fmt.Errorf("%q is below a home, and there is none", text)
	case strings.HasPrefix(text, "$"), strings.Contains(text, "/$"):
		return "", fmt.Errorf("%q holds a variable that was not expanded", text)
	case isBelowHome:
		return path.Join(home, rest), nil
	case !path.IsAbs(text):
		return "", fmt.Errorf("%q is not an absolute path", text)
	}
	return text, nil
}
