package playwright

import (
	"testing"

	"crossing/harness/trace"
)

// Firefox reports an answer that CORS kept from a page among its exceptions.
func TestWhatCORSKeepsIsNoException(t *testing.T) {
	for text, want := range map[string]string{
		"The Same Origin Policy disallows reading the remote resource at https://auth.example/x. (Reason: CORS header ‘Access-Control-Allow-Origin’ missing). Status code: 200.": trace.ErrorCORS,
		"Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at https://auth.example/x. (Reason: CORS request did not succeed).":          trace.ErrorCORS,
		"TypeError: undefined is not an object":                      trace.ErrorUncaught,
		"Error: The Same Origin Policy is what our page talks about": trace.ErrorUncaught,
	} {
		if got := kindOf(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
