package lint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"crossing/harness/journey"
	"crossing/harness/observe"
	"crossing/harness/trace"
)

// Pair are two targets that must have nothing in common but their code, such as
// production and a preview: what each says of itself, and what each makes of
// the other's session while that is alive.
type Pair struct {
	A, B Side
}

// Side is one target of a pair.
type Side struct {
	Name string `json:"name"`
	// Cookie is the Set-Cookie line of a session, Token what its JWT says.
	Cookie *trace.SetCookie `json:"cookie,omitempty"`
	Token  *trace.Token     `json:"token,omitempty"`
	Kids   []string         `json:"kids"`
	// Asked are its answers to the other's cookie, bearer token and JWT.
	Asked []Answer `json:"asked"`
	// Signed says whether its secret signed the other's cookie, where its
	// secret is known: one of trace's answers, else empty.
	Signed string `json:"signed,omitempty"`
	// Entry is the answer that made its session.
	Entry Answer `json:"entry"`
}

// What is shown to the other side.
const (
	qForeignCookie = "the other's cookie"
	qForeignBearer = "the other's bearer token"
	qForeignToken  = "the other's token"
)

// side asks one target, and keeps its session alive until it is closed.
type side struct {
	collector
	voice *voice
}

// CollectPair signs one person up at each target, shows the session of each to
// the other, and signs both out. The two must have redactors of one run, since
// digests are compared.
func CollectPair(ctx context.Context, a, b Options) (p *Pair, err error) {
	p = &Pair{}
	sides := [2]*side{}
	for n, o := range []Options{a, b} {
		s := &side{collector: collector{
			Options: o, who: o.Account, a: &Answers{Name: o.Target.Name, Subject: o.Target.Subject(), Contract: o.Target.Contract},
			cookies: map[string]string{}, session: map[string]string{}, bearer: map[string]string{}, tokens: map[string]string{},
		}}
		sides[n] = s
		if s.voice, err = s.raise("", ""); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, s.voice.close()) }()
		if err := s.begin(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Target.Name, err)
		}
	}
	p.A, p.B = sides[0].side(), sides[1].side()
	if err := sides[0].shown(ctx, sides[1], &p.A); err != nil {
		return nil, err
	}
	if err := sides[1].shown(ctx, sides[0], &p.B); err != nil {
		return nil, err
	}
	for _, s := range sides {
		if _, err := s.auth(ctx, qSignOut, request{method: http.MethodPost, path: s.a.Subject.Paths.SignOut, json: map[string]string{}, header: map[string]string{"Cookie": s.cookies[me]}}); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// me is the one instance of a side: whoever answers.
const me = "it"

func (s *side) auth(ctx context.Context, question string, q request) (heard, error) {
	header := from(s.Target.Origins.Frontend)
	for name, value := range q.header {
		header[name] = value
	}
	q.origin, q.header = s.Target.Origins.Auth, header
	return s.ask(ctx, s.voice, question, "", "", q)
}

// begin makes a session, a token, and reads the keys. What cannot be signed in
// to cannot be compared.
func (s *side) begin(ctx context.Context) error {
	paths := s.a.Subject.Paths
	path, body := paths.SignIn, map[string]string{"email": s.who.Email, "password": s.who.Password}
	if s.who.Email == "" {
		s.who = journey.NewPerson("lint")
		path, body = paths.SignUp, map[string]string{"name": "Lint", "email": s.who.Email, "password": s.who.Password}
	}
	s.Redactor.Learn(s.who.Password)
	h, err := s.auth(ctx, qSignIn, request{method: http.MethodPost, path: path, json: body})
	if err != nil {
		return err
	}
	s.keep(me, h)
	if h.Status >= 300 || s.session[me] == "" {
		return fmt.Errorf("nobody could be signed in (%s %d %s), so that there is no session to compare; lint it alone first", path, h.Status, Answer{Exchange: h.Exchange}.code())
	}
	if paths.Token == "" || paths.Keys == "" {
		return nil
	}
	if h, err = s.auth(ctx, qToken, request{method: http.MethodGet, path: paths.Token, header: map[string]string{"Cookie": s.session[me]}}); err != nil {
		return err
	}
	var answer struct {
		Token string `json:"token"`
	}
	if json.Unmarshal(h.body, &answer) == nil {
		s.tokens[me] = answer.Token
	}
	_, err = s.auth(ctx, qKeys, request{method: http.MethodGet, path: paths.Keys})
	return err
}

// side is what it says of itself.
func (s *side) side() Side {
	out := Side{Name: s.Target.Name}
	for _, x := range s.a.Asked {
		switch x.Question {
		case qSignIn:
			out.Entry = x
			for _, l := range s.a.lines(x) {
				out.Cookie = &l
			}
		case qToken:
			out.Token = x.Response.Token
		case qKeys:
			var o outcome
			out.Kids, _ = o.keySet(x)
		}
	}
	return out
}

// shown asks this side about the other's session, under this side's own names.
func (s *side) shown(ctx context.Context, other *side, into *Side) error {
	begin := len(s.a.Asked)
	paths, value := s.a.Subject.Paths, valueOf(other.session[me])
	for _, i := range s.Observer.Auth {
		if secret := i.Environment[s.Target.Contract.SigningSecret]; secret != "" {
			into.Signed = trace.AnswerNo
			if observe.SignatureOf(s.Target.Contract).Signed(value, secret) {
				into.Signed = trace.AnswerYes
				break
			}
		}
	}
	// Its own session's name: the contract's may not be what it really sets.
	name := s.a.Subject.Cookie.Name
	if into.Cookie != nil {
		name = into.Cookie.Name
	}
	if _, err := s.auth(ctx, qForeignCookie, request{method: http.MethodGet, path: paths.Session, header: map[string]string{"Cookie": name + "=" + value}}); err != nil {
		return err
	}
	if token := other.bearer[me]; token != "" {
		if _, err := s.auth(ctx, qForeignBearer, request{method: http.MethodGet, path: paths.Session, header: map[string]string{"Authorization": "Bearer " + token}}); err != nil {
			return err
		}
	}
	if token := other.tokens[me]; token != "" && s.Target.Origins.API != "" && paths.API != "" {
		header := from(s.Target.Origins.Frontend)
		header["Authorization"] = "Bearer " + token
		if _, err := s.ask(ctx, s.voice, qForeignToken, "", "", request{method: http.MethodGet, origin: s.Target.Origins.API, path: paths.API, header: header}); err != nil {
			return err
		}
	}
	into.Asked = s.a.Asked[begin:]
	return nil
}
