// Package diagnosis_test breaks the reference application in every way of the
// catalogue, and says that each is caught and named, and that nothing is on the
// healthy one.
package diagnosis_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"crossing/fixtures/faults"
	"crossing/suites/internal/rig"
)

var app = rig.NewBeside(faults.Beside)

func TestDiagnosis(t *testing.T) { app.Run(t, "diagnosis") }

var _ = SynchronizedBeforeSuite(app.Up, app.Join, NodeTimeout(rig.Starting))
