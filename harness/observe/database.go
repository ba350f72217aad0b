package observe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"crossing/harness/target"
	"crossing/harness/trace"
)

// Database looks up sessions where the application keeps them.
type Database struct {
	pool    *pgxpool.Pool
	queries target.Database
}

// OpenDatabase prepares a small pool; it does not connect yet.
func OpenDatabase(ctx context.Context, url string, queries target.Database) (*Database, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("database.url is no PostgreSQL URL; write postgres://USER:PASSWORD@HOST:PORT/NAME")
	}
	config.MaxConns = 2
	config.ConnConfig.ConnectTimeout = limit
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("prepare connections to the database: %w", err)
	}
	return &Database{pool: pool, queries: queries}, nil
}

// Close ends the pool.
func (d *Database) Close() { d.pool.Close() }

// Row is the session that belongs to a token.
type Row struct {
	Person  string
	Expires time.Time
}

// Session returns the row of a session's token; false where there is none.
func (d *Database) Session(ctx context.Context, token string) (Row, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var r Row
	err := d.pool.QueryRow(ctx, d.queries.Session, token).Scan(&r.Person, &r.Expires)
	if errors.Is(err, pgx.ErrNoRows) {
		return Row{}, false, nil
	}
	if err != nil {
		return Row{}, false, fmt.Errorf("look up a session's row (database.session): %w", err)
	}
	return r, true, nil
}

// Revoke deletes the row of a session's token; no row is an error.
func (d *Database) Revoke(ctx context.Context, token string) error {
	return d.change(ctx, "delete a session's row (database.revoke)", d.queries.Revoke, token)
}

// Age makes the session expire in d from now; a negative d: it has expired.
func (d *Database) Age(ctx context.Context, token string, in time.Duration) error {
	return d.change(ctx, "age a session's row (database.age)", d.queries.Age, token, in.Seconds())
}

func (d *Database) change(ctx context.Context, what, query string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tag, err := d.pool.Exec(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if tag.RowsAffected() != 1 {
		return fmt.Errorf("%s: %d rows fit, want 1", what, tag.RowsAffected())
	}
	return nil
}

func (d *Database) alive(ctx context.Context) trace.Observation {
	seen := trace.Observation{Name: trace.ObserveDatabase, Answer: trace.AnswerYes}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := d.pool.Ping(ctx); err != nil {
		seen.Answer, seen.Detail = trace.AnswerFailed, err.Error()
	}
	return seen
}

func (d *Database) row(ctx context.Context, digest, token string) trace.Observation {
	seen := trace.Observation{Name: trace.ObserveRow, Of: digest}
	row, found, err := d.Session(ctx, token)
	switch {
	case err != nil:
		seen.Answer, seen.Detail = trace.AnswerFailed, err.Error()
	case !found:
		seen.Answer = trace.AnswerAbsent
	case row.Expires.Before(time.Now()):
		seen.Answer, seen.Detail = trace.AnswerExpired, fmt.Sprintf("%s, expired %s", row.Person, row.Expires.Format(time.RFC3339))
	default:
		seen.Answer, seen.Detail = trace.AnswerPresent, fmt.Sprintf("%s, until %s", row.Person, row.Expires.Format(time.RFC3339))
	}
	return seen
}

func (d *Database) user(ctx context.Context, email string) trace.Observation {
	seen := trace.Observation{Name: trace.ObserveUser, Answer: trace.AnswerPresent, Detail: email}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var one int
	switch err := d.pool.QueryRow(ctx, d.queries.User, email).Scan(&one); {
	case errors.Is(err, pgx.ErrNoRows):
		seen.Answer = trace.AnswerAbsent
	case err != nil:
		seen.Answer, seen.Detail = trace.AnswerFailed, err.Error()
	}
	return seen
}
