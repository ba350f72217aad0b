package match

import (
	"testing"
	"time"

	"crossing/harness/journey"
)

func TestKeepWithin(t *testing.T) {
	waits := journey.Waits{Kind: journey.WaitSignIn, Profile: "chromium", Slowest: "POST https://auth.example.net/sign-in → 200 by auth-1, 1900 ms",
		Samples: []time.Duration{2 * time.Second, 800 * time.Millisecond, 1200400 * time.Microsecond}}
	const setting = "contract.budgets.signIn"
	judge(t, []judged{
		{"short", KeepWithin(1300*time.Millisecond, setting), waits, true, []string{"to wait longer than 1.3s"}},
		{"on the spot", KeepWithin(waits.Median(), setting), waits, true, nil},
		{"long", KeepWithin(time.Second, setting), waits, false, []string{
			"on chromium to wait no longer than 1s, from the click that signs in until the page shows who is signed in (contract.budgets.signIn)",
			"The median of 3 was 1.2s: 2s, 800ms, 1.2s", "POST https://auth.example.net/sign-in → 200 by auth-1, 1900 ms"}},
	})
	refuses(t, KeepWithin(0, setting), waits, "no budget", setting)
	refuses(t, KeepWithin(time.Second, setting), journey.Waits{Kind: journey.WaitReload, Profile: "webkit"}, "no sample of reload on webkit")
	refuses(t, KeepWithin(time.Second, setting), time.Second, "KeepWithin", "journey.Waits")
}
