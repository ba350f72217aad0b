// Package soak_test walks many healthy journeys, and says that a diagnosis
// names no cause on any: what happens on one in hundreds is seen nowhere else.
package soak_test

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	"crossing/suites/internal/rig"
)

var app = rig.New()

func TestSoak(t *testing.T) { app.Run(t, "soak") }

var _ = SynchronizedBeforeSuite(app.Up, app.Join, NodeTimeout(rig.Starting))

// parts in which the journeys are walked, so that processes share them.
const parts = 10

var _ = DescribeTableSubtree("soak", func(profile browser.Profile) {
	for part := range parts {
		It(fmt.Sprintf("names no cause in part %d of %d", part+1, parts), SpecTimeout(12*time.Hour), func(ctx SpecContext) {
			journeys := app.Journeys()
			for n := part * journeys / parts; n < (part+1)*journeys/parts; n++ {
				Expect(app.HealthyJourney(ctx, profile)).To(Succeed(), "journey %d of %d", n+1, journeys)
			}
		})
	}
}, rig.Profiles())
