package lint

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"time"

	"crossing/harness/observe"
	"crossing/harness/trace"
)

// nearly is how long before its end the session is asked for, to see whether
// it is renewed: within every renewal interval that makes sense.
const nearly = time.Minute

// database looks up the row of every instance's session, and ages one of them
// to see its cookie renewed.
func (c *collector) database(ctx context.Context) error {
	db := c.Observer.Database
	if db == nil {
		return nil
	}
	for _, of := range c.a.Auth {
		value := valueOf(c.session[of])
		if value == "" {
			continue
		}
		seen := trace.Observation{Name: trace.ObserveRow, Of: of, Answer: trace.AnswerPresent}
		switch row, found, err := db.Session(ctx, observe.SignatureOf(c.Target.Contract).Token(value)); {
		case err != nil:
			seen.Answer, seen.Detail = trace.AnswerFailed, err.Error()
		case !found:
			seen.Answer = trace.AnswerAbsent
		default:
			seen.Detail = "until " + row.Expires.UTC().Format(time.RFC3339)
		}
		c.observe(seen)
	}
	if c.Target.Database == nil || c.Target.Database.Age == "" {
		return nil
	}
	for i, to := range c.a.Auth {
		value := valueOf(c.session[to])
		if value == "" || db.Age(ctx, observe.SignatureOf(c.Target.Contract).Token(value), nearly) != nil {
			continue // no such row there: told above
		}
		if _, err := c.auth(ctx, i, qRenew, to, request{path: c.Target.Contract.Paths.Session, header: map[string]string{"Cookie": c.session[to]}}); err != nil {
			return err
		}
	}
	return nil
}

// leaving signs every instance's session out, there, and shows all that its
// sign-in had set to every instance afterwards: a session that is answered from
// a cookie outlives its row.
func (c *collector) leaving(ctx context.Context) error {
	paths := c.Target.Contract.Paths
	for i, of := range c.a.Auth {
		jar := c.cookies[of]
		if c.session[of] == "" {
			continue
		}
		if _, err := c.auth(ctx, i, qSignOut, of, request{method: http.MethodPost, path: paths.SignOut, json: map[string]string{}, header: map[string]string{"Cookie": jar}}); err != nil {
			return err
		}
		for j := range c.a.Auth {
			if _, err := c.auth(ctx, j, qAfter, of, request{path: paths.Session, header: map[string]string{"Cookie": jar}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// attempts at signing in before which a limiter is expected to step in.
const attempts = 8

// limits look for a limiter of sign-ins, and whether it keeps visitors apart.
// This machine has one address to a deployment: there it would lock out itself
// and prove nothing.
func (c *collector) limits(ctx context.Context) error {
	if c.a.Remote {
		return nil
	}
	wrong := request{method: http.MethodPost, origin: c.Target.Origins.Auth, path: c.Target.Contract.Paths.SignIn,
		header: from(c.Target.Origins.Frontend), json: map[string]string{"email": c.who.Email, "password": "not-" + c.who.Password}}
	for n, question := range []string{qLimit, qNeighbour} {
		v, err := c.raise(c.a.Auth[0], "")
		if err != nil {
			return err
		}
		c.extra = append(c.extra, v)
		for range []int{attempts, 1}[n] {
			h, err := c.ask(ctx, v, question, "", c.a.Auth[0], wrong)
			if err != nil {
				return err
			}
			if h.Status == http.StatusTooManyRequests {
				break
			}
		}
	}
	return nil
}

// certificates look at what deployed origins show.
func (c *collector) certificates(ctx context.Context) error {
	if !c.a.Remote {
		return nil
	}
	o := c.Target.Origins
	for _, origin := range []string{o.Frontend, o.Auth, o.API} {
		if origin != "" {
			c.a.Certificates = append(c.a.Certificates, c.certificate(ctx, origin))
		}
	}
	return ctx.Err()
}

func (c *collector) certificate(ctx context.Context, origin string) Certificate {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	host := strings.TrimPrefix(origin, "https://")
	address := c.Access.Addresses[host]
	if address == "" {
		address = net.JoinHostPort(host, "443")
	}
	out := Certificate{Origin: origin}
	conn, err := (&tls.Dialer{Config: &tls.Config{ServerName: host, RootCAs: c.Access.Roots, MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", address)
	if err != nil {
		out.Err = err.Error()
		return out
	}
	defer func() { _ = conn.Close() }()
	state := conn.(*tls.Conn).ConnectionState()
	out.TLS = tls.VersionName(state.Version)
	out.Until, out.Issuer = state.PeerCertificates[0].NotAfter, state.PeerCertificates[0].Issuer.CommonName
	return out
}
