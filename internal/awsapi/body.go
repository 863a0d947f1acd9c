package awsapi

import (
	"context"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// PlainBody hides from the SDK that a request's body can write itself. It is for
// the APIOptions of any client that AWS may answer at once.
//
// smithy-go closes a body as soon as the answer's headers arrive. A body that can write itself
// (io.WriterTo) then fails with io.EOF, and net/http, which looks for the end of a body after it
// has sent it, takes that for a failed write and closes the connection. The SDK asks again.
func PlainBody(stack *middleware.Stack) error {
	return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("PlainBody", func(
		ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
	) (middleware.SerializeOutput, middleware.Metadata, error) {
		if req, ok := in.Request.(*smithyhttp.Request); ok && req.IsStreamSeekable() {
			if body, ok := req.GetStream().(io.ReadSeeker); ok {
				plain, err := req.SetStream(struct{ io.ReadSeeker }{body})
				if err != nil {
					return middleware.SerializeOutput{}, middleware.Metadata{}, err
				}
				in.Request = plain
			}
		}
		return next.HandleSerialize(ctx, in)
	}), middleware.After)
}
