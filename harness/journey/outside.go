package journey

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"crossing/harness/target"
)

// Outside does by request what a person does in a browser, against instances
// that are reached without the edge: for what no browser is needed for.
type Outside struct {
	Target *target.Target
	// Header is added to every request, such as the address that a platform's
	// edge would put on.
	Header http.Header
}

var client = &http.Client{Timeout: 30 * time.Second}

// SignUp makes a new person on the instance at base, and returns the session
// cookie as a Cookie header's value.
func (o Outside) SignUp(ctx context.Context, base string, who Person) (string, error) {
	as, path := o.Target.Contract.Requests.SignUp, o.Target.Contract.Paths.SignUp
	kind, body, err := as.Content(who.blanks())
	if err != nil {
		return "", err
	}
	res, err := o.do(ctx, as.Method, base+path, kind, body, "")
	if err != nil {
		return "", err
	}
	for _, c := range res.Cookies() {
		if c.Name == o.Target.Contract.Cookie.Name {
			return c.Name + "=" + c.Value, nil
		}
	}
	return "", fmt.Errorf("sign up at %s: the answer %s sets no cookie %q", base+path, res.Status, o.Target.Contract.Cookie.Name)
}

// Token asks the instance at base for a token.
func (o Outside) Token(ctx context.Context, base, cookie string) (string, error) {
	res, err := o.do(ctx, http.MethodGet, base+o.Target.Contract.Paths.Token, "", nil, cookie)
	if err != nil {
		return "", err
	}
	var answer struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Token == "" {
		return "", fmt.Errorf("ask %s for a token: the answer %s holds none", base, res.Status)
	}
	return answer.Token, nil
}

// TokensAtOnce asks every instance for n tokens, all at the same moment.
func (o Outside) TokensAtOnce(ctx context.Context, bases []string, cookie string, n int) ([]string, error) {
	tokens := make([]string, n*len(bases))
	start := make(chan struct{})
	group, ctx := errgroup.WithContext(ctx)
	for i := range tokens {
		group.Go(func() (err error) {
			<-start
			tokens[i], err = o.Token(ctx, bases[i%len(bases)], cookie)
			return err
		})
	}
	close(start)
	return tokens, group.Wait()
}

// do sends a request as the frontend's page would, and holds its whole answer.
func (o Outside) do(ctx context.Context, method, url, kind string, body []byte, cookie string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range o.Header {
		req.Header[name] = values
	}
	req.Header.Set("Origin", o.Target.Origins.Frontend)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.ToLower(method), err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", url, err)
	}
	res.Body = io.NopCloser(bytes.NewReader(data))
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s answers %s: %.200s", method, url, res.Status, data)
	}
	return res, nil
}
