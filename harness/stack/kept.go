package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"crossing/harness/stack/owner"
)

// KeptFile is the name under which a kept stack stands in its folder.
const KeptFile = "kept.json"

// Kept is a stack that goes on when the command that started it has ended, as
// the process that keeps it writes it down for later runs. It holds secrets:
// the file is for this account's eyes only.
type Kept struct {
	// Keeper is the process that owns the stack. With it dead, what is left of
	// the stack is swept by the next run.
	Keeper owner.Owner `json:"keeper"`
	// Config is the path of crossing.yaml, Digest that of all that the stack
	// was made from.
	Config string `json:"config"`
	Digest string `json:"digest"`
	// Ready is since when it can be used.
	Ready    time.Time `json:"ready"`
	Handover Handover  `json:"handover"`
	// Person can sign in; nil where none could be signed up.
	Person *KeptPerson `json:"person,omitempty"`
}

// KeptPerson is a throw-away person for whoever tries the application by hand.
type KeptPerson struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

// Write puts the file in place whole.
func (k Kept) Write(path string) error {
	data, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	// CreateTemp's files have mode 0600.
	fresh, err := os.CreateTemp(filepath.Dir(path), KeptFile+".new-")
	if err != nil {
		return fmt.Errorf("write down the kept stack: %w", err)
	}
	_, err = fresh.Write(data)
	if err = errors.Join(err, fresh.Close()); err == nil {
		err = os.Rename(fresh.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write down the kept stack: %w", err), os.Remove(fresh.Name()))
	}
	return nil
}

// ReadKept reads what a keeper wrote; nil where no stack is kept. One whose
// keeper has been killed is returned like any other.
func ReadKept(path string) (*Kept, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read of a kept stack: %w", err)
	}
	k := &Kept{}
	if err := json.Unmarshal(data, k); err != nil || k.Keeper.PID <= 0 {
		return nil, fmt.Errorf("%s does not tell of a kept stack (%s); remove it", path, fmt.Sprint(err))
	}
	return k, nil
}

// answering is how long an instance on loopback may take to be reached.
const answering = 2 * time.Second

// Answers says which instance can no longer be reached, as an error.
func (k Kept) Answers(ctx context.Context) error {
	dialer := net.Dialer{Timeout: answering}
	for _, i := range k.Handover.Instances {
		c, err := dialer.DialContext(ctx, "tcp", i.Address)
		if err != nil {
			return fmt.Errorf("%s of the kept stack no longer answers at %s", i.Name, i.Address)
		}
		_ = c.Close()
	}
	return nil
}

// environment is a template that takes a value from the run's own environment.
var environment = regexp.MustCompile(`\$\{env\.([^}]+)\}`)

// Digest tells stacks apart by what they are made from: the file at config,
// the variables that it takes from the environment, the base image, and every
// service's sources. It starts nothing, and asks no engine.
func Digest(ctx context.Context, config string, o Options) (string, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return "", err
	}
	o.Dir = dir
	text, err := os.ReadFile(config)
	if err != nil {
		return "", fmt.Errorf("digest the sources: %w", err)
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q\n", text, o.BaseImage)
	for _, name := range environment.FindAllSubmatch(text, -1) {
		fmt.Fprintf(sum, "%q\n", os.Getenv(string(name[1])))
	}
	for _, name := range services(o.File) {
		spec := o.File.Services[name]
		inputs, err := hashInputs(ctx, o.directory(spec), spec)
		if err != nil {
			return "", fmt.Errorf("digest the sources of %s: %w", name, err)
		}
		fmt.Fprintf(sum, "%q %s\n", name, inputs)
		// Inputs may leave out the Dockerfile, which no build on this machine
		// reads.
		if spec.Dockerfile != "" && !slices.Contains(spec.Inputs, spec.Dockerfile) {
			if err := digest(sum, o.directory(spec), spec.Dockerfile); err != nil {
				return "", fmt.Errorf("digest the Dockerfile of %s: %w", name, err)
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
