package trace

import (
	"strings"
	"testing"
)

func TestSecretNames(t *testing.T) {
	for name, want := range map[string]bool{
		"password": true, "newPassword": true, "Current_Password": true, "token": true, "refresh_token": true,
		"accessToken": true, "ID-TOKEN": true, "jwt": true, "set-auth-jwt": true, "client_secret": true,
		"x-api-key": true, "x-vercel-protection-bypass": true,
		"tokenType": false, "token_endpoint": false, "email": false, "passwordless": false, "keys": false, "": false,
	} {
		if SecretName(name) != want {
			t.Errorf("SecretName(%q) is %v", name, !want)
		}
	}
}

func TestJSONIsRedactedByNameAtAnyDepth(t *testing.T) {
	r := NewRedactor(nil)
	d := r.Digest
	in := `{"note":"it is tok-12345678", "user":{"name":"Ada","n":1e400,"ok":true,"no":null},
		"list":[{"PASSWORD":"hunter2-hunter2"},{"refresh_token":["rrrrrrrrr",12345678901,false,null]}],
		"token":"tok-12345678","secret":{"deep":{"er":"ssssssss"}},"hunter2-hunter2":"<&>","jwt":"undefined","empty":{},"none":[]}`
	want := `{"note":"it is ` + d("tok-12345678") + `","user":{"name":"Ada","n":1e400,"ok":true,"no":null},` +
		`"list":[{"PASSWORD":"` + d("hunter2-hunter2") + `"},{"refresh_token":["` + d("rrrrrrrrr") + `","` + d("12345678901") + `",false,null]}],` +
		`"token":"` + d("tok-12345678") + `","secret":{"deep":{"er":"` + d("ssssssss") + `"}},"` + d("hunter2-hunter2") + `":"<&>","jwt":"undefined","empty":{},"none":[]}`
	got, err := r.JSON([]byte(in))
	if err != nil || got != want {
		t.Errorf("error %v\n got %s\nwant %s", err, got, want)
	}
}

func TestWhatIsNoJSONIsRefused(t *testing.T) {
	r := NewRedactor(nil)
	for _, in := range []string{"", "{", `{"a":1`, `{"a"}`, "hello", `{"a":1} {"b":2}`, `{"password":"x",}`} {
		if got, err := r.JSON([]byte(in)); err == nil {
			t.Errorf("%q became %q", in, got)
		}
	}
	for _, in := range []string{`"text"`, "1", "null", "[]"} {
		if got, err := r.JSON([]byte(in)); err != nil || got != in {
			t.Errorf("%q became %q, error %v", in, got, err)
		}
	}
}

func TestQueriesAndAddresses(t *testing.T) {
	r := NewRedactor(nil)
	d := r.Digest
	learnt := r.Learn("a-learnt-secret")
	for in, want := range map[string]string{
		"":                                "",
		"a=1&b=&c":                        "a=1&b=&c",
		"token=t+1&x=%zz;y":               "token=" + d("t 1") + "&x=%zz;y",
		"new%50assword=%70w&code=grant":   "new%50assword=" + d("pw") + "&code=" + d("grant"),
		"token=&token&jwt=undefined":      "token=&token&jwt=undefined",
		"next=https%3A%2F%2Fx%2F%3Fa%3D1": "next=https%3A%2F%2Fx%2F%3Fa%3D1",
		"q=a-learnt-secret&q=2":           "q=" + learnt + "&q=2",
	} {
		if got := r.Query(in); got != want {
			t.Errorf("Query(%q) is %q, want %q", in, got, want)
		}
	}
	in := "https://x.org/reset/a-learnt-secret?token=abc&a=1#access_token=def&b=2"
	want := "https://x.org/reset/" + learnt + "?token=" + d("abc") + "&a=1#access_token=" + d("def") + "&b=2"
	if got := r.URL(in); got != want {
		t.Errorf("URL is %q, want %q", got, want)
	}
	if in := "https://x.org/?#"; r.URL(in) != in {
		t.Errorf("%q became %q", in, r.URL(in))
	}
	if got := r.Scrub("the grant was abc, hunter"); !strings.Contains(got, "abc") {
		t.Errorf("a short value is looked for: %q", got)
	}
}
