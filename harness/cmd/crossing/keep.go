package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"syscall"
	"time"

	"crossing/harness/journey"
	"crossing/harness/stack"
	"crossing/harness/stack/owner"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// keepCommand is the process that a kept stack belongs to; make up starts it.
// It ends when it is asked to (make down), and takes the stack down then. When
// it is killed, the stack has no living owner, and the next run sweeps it.
type keepCommand struct {
	Config    string `required:""`
	Runtime   string `required:""`
	BaseImage string
	Digest    string `required:""`
}

// Run is kong's entry.
func (c *keepCommand) Run(ctx context.Context) (err error) {
	home, err := findCheckout()
	if err != nil {
		return err
	}
	release, err := home.becomeKeeper()
	if err != nil {
		return err
	}
	defer release()
	t, err := target.Load(c.Config)
	if err != nil {
		return err
	}
	s, err := stack.Up(ctx, stack.Options{
		Dir: t.Dir, File: t.File, Runtime: c.Runtime, StateDir: home.state(), BaseImage: c.BaseImage,
		Redactor: trace.NewRedactor(nil), Progress: func(text string) { fmt.Println(text) },
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Down(ctx)) }()
	kept := stack.Kept{Keeper: owner.Self(), Config: t.Path, Digest: c.Digest, Handover: s.Handover()}
	if kept.Person, err = signUp(ctx, t, s); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Println("no test person could be signed up:", err)
	}
	kept.Ready = time.Now()
	if err := kept.Write(home.keptFile()); err != nil {
		return err
	}
	<-ctx.Done()
	// Runs that begin from now on start a stack of their own.
	return os.Remove(home.keptFile())
}

// becomeKeeper makes sure that there is one keeper at a time, and says in its
// file who it is.
func (c checkout) becomeKeeper() (release func(), err error) {
	file, err := os.OpenFile(c.keeperFile(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("become the stack's keeper: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, errors.New("another make up is starting or keeping a stack; type make down to end it")
	}
	if err := errors.Join(file.Truncate(0), writeOwner(file)); err != nil {
		return nil, errors.Join(fmt.Errorf("become the stack's keeper: %w", err), file.Close())
	}
	return func() { _ = errors.Join(file.Truncate(0), file.Close()) }, nil
}

func writeOwner(file *os.File) error {
	_, err := file.WriteAt([]byte(owner.Self().String()), 0)
	return err
}

// signUp makes a throw-away person, by the way that the frontend's page takes.
func signUp(ctx context.Context, t *target.Target, s *stack.Stack) (*stack.KeptPerson, error) {
	address, err := s.Address(t.Serves.Auth)
	if err != nil {
		return nil, err
	}
	// A platform's edge would say from where the person comes.
	outside := journey.Outside{Target: t, Header: http.Header{"X-Forwarded-For": {"198.51.100.1"}}} // TEST-NET-2, RFC 5737
	who := journey.NewPerson("you")
	if _, err := outside.SignUp(ctx, "http://"+address, who); err != nil {
		return nil, err
	}
	return &stack.KeptPerson{Name: who.Name, Email: who.Email, Password: who.Password}, nil
}
