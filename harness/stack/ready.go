package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"crossing/harness/stack/unit"
)

const (
	// within is the limit for becoming ready where crossing.yaml has none.
	within = 30 * time.Second
	// asking is the limit for one question.
	asking = 2 * time.Second
	// between two questions.
	between = 40 * time.Millisecond
)

// ready asks whether an instance can be used.
type ready struct {
	address string
	path    string
	sql     string
	within  time.Duration
	// answering is Options.Answering.
	answering bool
}

// asker never goes through a proxy and follows no redirect: the question is
// for this very instance.
var asker = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// ask returns nil when ready, else what was answered instead.
func (r ready) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, asking, fmt.Errorf("no answer within %s", asking))
	defer cancel()
	switch {
	case r.sql != "":
		return r.askSQL(ctx)
	case r.path != "":
		return r.askHTTP(ctx)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.address)
	if err != nil {
		return err
	}
	return conn.Close()
}

func (r ready) askHTTP(ctx context.Context) error {
	url := "http://" + r.address + r.path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := asker.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, 300)) // a cut answer is shown as far as it came
	return unready{fmt.Sprintf("GET %s: %s %s", url, response.Status, strings.TrimSpace(string(body)))}
}

// unready is an answer that says so.
type unready struct{ text string }

func (u unready) Error() string { return u.text }

// moment is how long a service that answers may go on saying that it is not
// ready, where that will do: a fellow may still be on its way.
const moment = 3 * time.Second

// seldom is how often it is asked then: a readiness may ask others in turn, who
// have limits.
const seldom = 500 * time.Millisecond

func (r ready) askSQL(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, r.sql)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var one int
	return conn.QueryRow(ctx, "SELECT 1").Scan(&one)
}

// instance adds readiness to what a runtime has started.
type instance struct {
	Instance
	ready    ready
	what     string
	progress func(string)
}

// Restart returns when it is ready again.
func (i *instance) Restart(ctx context.Context) error {
	if err := i.Instance.Restart(ctx); err != nil {
		return err
	}
	return i.await(ctx)
}

// await asks until the instance is ready, has ended, or the limit is reached.
func (i *instance) await(ctx context.Context) error {
	limit := i.ready.within
	if limit == 0 {
		limit = within
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	begun, told := time.Now(), 0
	tick := time.NewTicker(between)
	defer tick.Stop()
	ended := i.Ended()
	var last error
	var said time.Time // when it first said that it is not ready
	for {
		answer := i.ready.ask(limited)
		// An ended instance is never ready, whoever may have answered.
		select {
		case <-ended:
			return fmt.Errorf("%s: %s before it was ready; its last lines:%s", i.what, i.Fate(), i.tail(ctx))
		default:
		}
		if answer == nil {
			return nil
		}
		if errors.As(answer, new(unready)) {
			if said.IsZero() {
				said = time.Now()
			}
			if i.ready.answering {
				tick.Reset(seldom)
			}
			if i.ready.answering && time.Since(said) > moment {
				i.progress(i.Name() + ": answers that it is not ready: " + lastLine(answer))
				return nil
			}
		}
		if limited.Err() == nil {
			last = answer
		}
		if seconds := int(time.Since(begun).Seconds()); seconds > told && telling(seconds) {
			told = seconds
			i.progress(fmt.Sprintf("%s: not ready after %d s: %s", i.Name(), seconds, lastLine(last)))
		}
		select {
		case <-ended:
		case <-tick.C:
		case <-limited.Done():
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("wait for %s: %w", i.what, errors.Join(err, last))
			}
			return fmt.Errorf("%s: not ready within %s; last answer: %w; its last lines:%s", i.what, limit, orNever(last, limit), i.tail(ctx))
		}
	}
}

// lastLine is the most telling one of an error of several: the database
// client lists every address that it tried.
func lastLine(err error) string {
	if err == nil {
		return "no answer yet"
	}
	text := strings.TrimSpace(err.Error())
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}

func orNever(last error, limit time.Duration) error {
	if last == nil {
		return fmt.Errorf("none within %s", limit)
	}
	return last
}

// tail is for an error: where the output can't be had, it says why.
func (i *instance) tail(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), asking)
	defer cancel()
	output, err := i.Logs(ctx)
	if err != nil {
		return "\n  (" + err.Error() + ")"
	}
	return unit.Tail(output, 20)
}
