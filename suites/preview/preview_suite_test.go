// Package preview_test says what must be true of a protected deployment that a
// run is let into: the wall stands, the run passes it, and the secret that opens
// it stays between the edge and that one origin.
package preview_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"crossing/suites/internal/rig"
)

var app = rig.New()

func TestPreview(t *testing.T) { app.Run(t, "preview") }

var _ = SynchronizedBeforeSuite(app.Up, app.Join, NodeTimeout(rig.Starting))
