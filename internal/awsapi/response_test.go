package awsapi

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/middleware"

	"docker-credential-ecr-login/internal/tokensource"
)

// Whatever AWS sends for a token, what is taken for one is a password that can be
// printed, and lives no longer than it can.
func FuzzResponse(f *testing.F) {
	inside := base64.StdEncoding.EncodeToString([]byte(`{"payload":"x","expiration":2000000000}`))
	for _, text := range []string{"AWS:" + inside, "AWS:x", "AWS:", ":", "", "root:x", "AWS:a\nb", "AWS:a:b", "AWS:\x00", "AWS:" + base64.StdEncoding.EncodeToString([]byte(`{"expiration":1e99}`))} {
		f.Add(base64.StdEncoding.EncodeToString([]byte(text)), time.Now().Add(time.Hour).Unix())
	}
	f.Add("%%%", int64(0))
	f.Fuzz(func(t *testing.T, data string, expires int64) {
		c, at := &chain{request: tokensource.Request{}}, time.Unix(expires, 0)
		response, err := c.response(time.Now(), &data, &at, middleware.Metadata{})
		if err != nil {
			return
		}
		text, err := base64.StdEncoding.DecodeString(data)
		if err != nil || string(text) != "AWS:"+response.Password {
			t.Errorf("%q gives the password %q, %v", data, response.Password, err)
		}
		if response.TTL <= 0 || response.TTL > maxTTL {
			t.Errorf("a life of %v", response.TTL)
		}
		if response.Password == "" || strings.Trim(response.Password, printable()) != "" {
			t.Errorf("the password is %q", response.Password)
		}
	})
}

func printable() string {
	var b strings.Builder
	for r := '!'; r <= '~'; r++ {
		b.WriteRune(r)
	}
	return b.String()
}
