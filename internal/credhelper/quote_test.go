package credhelper

import (
	"encoding/json"
	"testing"
)

func TestQuote(t *testing.T) {
	for _, s := range []string{"", "a", "host/v2/", `a"b`, `a\b`, "a<b>&c", "a\nb", "\x00", "ü", "\u2028", "\xff", "eyJ+/=="} {
		var back string
		if err := json.Unmarshal([]byte(quote(s)), &back); err != nil || back != s && s != "\xff" {
			t.Errorf("quote(%q) = %s, which is %q, %v", s, quote(s), back, err)
		}
	}
	if got := quote("a<b>&c"); got != `"a<b>&c"` {
		t.Errorf("quote escapes what is harmless: %s", got)
	}
}
