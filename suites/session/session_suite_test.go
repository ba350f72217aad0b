// Package session_test says what must be true of a session whose page, auth
// service and api live on different sites: whatever the target.
package session_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"crossing/suites/internal/rig"
)

var app = rig.New()

func TestSession(t *testing.T) { app.Run(t, "session") }

var _ = SynchronizedBeforeSuite(app.Up, app.Join, NodeTimeout(rig.Starting))
