package suggest

import "testing"

func TestWord(t *testing.T) {
	known := []string{"host", "role_arn", "role_session_name", "external_id", "accounts"}
	for word, want := range map[string]string{
		"hosts": "host", "rolearn": "role_arn", "role": "role_arn", "ExternalId": "external_id", "account": "accounts",
		"colour": "", "x": "", "": "",
	} {
		if got := Word(word, known); got != want {
			t.Errorf("Word(%q) = %q, want %q", word, got, want)
		}
	}
}
