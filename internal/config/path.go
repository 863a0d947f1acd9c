package config

import (
	"fmt"
	"path"
	"strings"
)

// Path returns the file that a path of a variable or of a configuration names. "~", alone or before
// a "/", stands for the home. The error quotes a path that can't be used: one with white space around
// it, one with a variable that was not expanded, or a relative one, since the author of a CI job can
// write files in its working directory.
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
