package webdriver

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"crossing/harness/browser"
)

func TestCapabilitiesThatAUserNamesComeFirst(t *testing.T) {
	for name, c := range map[string]struct{ named, want string }{
		"none": {"", `{"acceptInsecureCerts":true,"browserName":"chrome","goog:chromeOptions":{"args":["--headless=new","--lever"]},
			"pageLoadStrategy":"none","proxy":{"httpProxy":"127.0.0.1:1","proxyType":"manual","sslProxy":"127.0.0.1:1"},"unhandledPromptBehavior":"dismiss"}`},
		"arguments are joined, null takes out": {`{"browserName":null,"unhandledPromptBehavior":null,"goog:chromeOptions":{"args":["--no-sandbox"],"binary":"/b"}}`,
			`{"acceptInsecureCerts":true,"goog:chromeOptions":{"args":["--headless=new","--lever","--no-sandbox"],"binary":"/b"},
			"pageLoadStrategy":"none","proxy":{"httpProxy":"127.0.0.1:1","proxyType":"manual","sslProxy":"127.0.0.1:1"}}`},
		"the proxy has another place": {`{"browserName":"MiniBrowser","goog:chromeOptions":null,"x:options":{"args":["--proxy=$PROXY"]}}`,
			`{"acceptInsecureCerts":true,"browserName":"MiniBrowser","pageLoadStrategy":"none","unhandledPromptBehavior":"dismiss",
			"x:options":{"args":["--proxy=http://127.0.0.1:1"]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			e := &elsewhere{launch: browser.Launch{Profile: browser.Chromium, Endpoint: browser.Endpoint{Capabilities: c.named}}, arguments: []string{"--lever"}}
			got, err := e.capabilities("http://127.0.0.1:1")
			if err != nil {
				t.Fatal(err)
			}
			var want any
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			wanted, _ := json.Marshal(want)
			if text, err := json.Marshal(got); err != nil || string(text) != string(wanted) {
				t.Errorf("%v\n got %s\nwant %s", err, text, wanted)
			}
		})
	}
	e := &elsewhere{launch: browser.Launch{Endpoint: browser.Endpoint{Capabilities: "browserVersion=18"}}}
	if _, err := e.capabilities("http://127.0.0.1:1"); err == nil {
		t.Error("what is no JSON was taken")
	}
}

func TestADriverThatIsFullIsToldFromOneThatFails(t *testing.T) {
	full := &wireError{Code: codeNotCreated, Message: "Maximum number of active sessions"}
	fails := &wireError{Code: codeNotCreated, Message: "Chrome instance exited"}
	e := &elsewhere{sessions: map[*session]bool{}}
	if err := e.full(full); errors.Is(err, browser.ErrOneSession) || !strings.Contains(err.Error(), "PROCS=1") {
		t.Errorf("another process has its session, and that is called %v", err)
	}
	e.sessions[&session{}] = true
	if err := e.full(full); !errors.Is(err, browser.ErrOneSession) {
		t.Errorf("this process has its session, and that is called %v", err)
	}
	if err := e.full(fails); errors.Is(err, browser.ErrOneSession) || !errors.Is(err, fails) {
		t.Errorf("a browser that does not start is called %v", err)
	}
}
