package registry

import "testing"

func TestParsePattern(t *testing.T) {
	for _, text := range []string{
		"222222222222.dkr.ecr.*.amazonaws.com",
		"222222222222.dkr.ecr.eu-*-1.amazonaws.com",
		"*.DKR.ecr.eu-west-1.amazonaws.com",
		"22*.dkr.ecr.eu-west-1.amazonaws.com",
		"*2*2*.dkr.*.*.*.com",
		"222222222222.dkr.ecr*.us-east-1.amazonaws.com",
		"222222222222.dkr-ecr-fips.*.on.aws",
		"222222222222.dkr.ecr.cn-*.amazonaws.com.cn",
		"222222222222.dkr.ecr.*.amazonaws.eu",
		"222222222222.dkr.ecr.*.c2s.ic.gov",
	} {
		if _, ok := ParsePattern(text); !ok {
			t.Errorf("ParsePattern(%q) says no host can match", text)
		}
	}
	for _, text := range []string{
		"",
		"*",
		"*.amazonaws.com",
		"222222222222.dkr.ecr.*",
		"222222222222.dkr.ecr.*.amazonaws.co",
		"222222222222.dkr.ecr.*.amazonaws.com.evil.org",
		"222222222222.dkr.erc.*.amazonaws.com",
		"2222222222222*.dkr.ecr.eu-west-1.amazonaws.com", // thirteen digits
		"22222222222.dkr.ecr.*.amazonaws.com",            // eleven, and no star
		"x*.dkr.ecr.eu-west-1.amazonaws.com",
		"*.dkr.ecr.cn-north-1.amazonaws.com", // another partition's suffix
		"*.dkr.ecr.ireland.amazonaws.com",
		"222222222222.dkr.ecr.eu-west-?.amazonaws.com",
		"222222222222.dkr.ecr.[a-z]*.amazonaws.com",
		"222222222222.dkr.ecr.*.amazonaws.com/app",
		"public.ecr.*",
	} {
		if p, ok := ParsePattern(text); ok {
			t.Errorf("ParsePattern(%q) = %q", text, p)
		}
	}
}

func TestPatternMatches(t *testing.T) {
	parse := func(text string) Pattern {
		p, ok := ParsePattern(text)
		if !ok {
			t.Fatalf("ParsePattern(%q)", text)
		}
		return p
	}
	for _, c := range []struct {
		pattern, host string
		want          bool
	}{
		{"222222222222.dkr.ecr.*.amazonaws.com", "222222222222.dkr.ecr.eu-west-1.amazonaws.com", true},
		{"222222222222.dkr.ecr.*.amazonaws.com", "222222222222.dkr.ecr.us-gov-west-1.amazonaws.com", true},
		{"222222222222.dkr.ecr.*.amazonaws.com", "222222222222.dkr.ecr.cn-north-1.amazonaws.com.cn", false},
		{"222222222222.dkr.ecr.*.amazonaws.com", "222222222222.dkr.ecr-fips.us-east-1.amazonaws.com", false},
		{"222222222222.dkr.ecr.*.amazonaws.com", "222222222223.dkr.ecr.eu-west-1.amazonaws.com", false},
		{"22*.dkr.ecr*.*-east-*.amazonaws.com", "222222222222.dkr.ecr-fips.us-east-1.amazonaws.com", true},
		{"22*.dkr.ecr*.*-east-*.amazonaws.com", "222222222222.dkr.ecr-fips.us-west-1.amazonaws.com", false},
	} {
		r, ok := Parse(c.host)
		if got := parse(c.pattern).Matches(r); !ok || got != c.want {
			t.Errorf("%s matches %s: %v, want %v", c.pattern, c.host, got, c.want)
		}
	}
	for pattern, want := range map[string]string{
		"*1.dkr.ecr.eu-west-1.amazonaws.com":     "",
		"222222222222.dkr.ecr.*.amazonaws.com":   "222222222222",
		"222222222222*.dkr.ecr.*.amazonaws.com":  "",
		"22222222222*.dkr.ecr-*.*.amazonaws.com": "",
	} {
		if got := parse(pattern).Account(); got != want {
			t.Errorf("%s: Account() = %q, want %q", pattern, got, want)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for server, want := range map[string]Address{
		"images.example.com":                       {Host: "images.example.com"},
		" HTTPS://Images.Example.com:5000/v2/a:b ": {Host: "images.example.com", Port: "5000"},
		"http://images.example.com":                {Host: "images.example.com", PlainHTTP: true},
		"https://index.docker.io/v1/":              {Host: "index.docker.io"},
	} {
		if got, ok := ParseAddress(server); !ok || got != want {
			t.Errorf("ParseAddress(%q) = %+v, %v; want %+v", server, got, ok, want)
		}
	}
	for _, server := range []string{"", "https://", "a b", "a:port", "https://https://a", "a\x00", "ünicode"} {
		if got, ok := ParseAddress(server); ok {
			t.Errorf("ParseAddress(%q) = %+v", server, got)
		}
	}
}
