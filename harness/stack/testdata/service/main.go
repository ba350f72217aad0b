// Command service is what this package's tests start, as a process and as a
// container: small, real, and able to fail in every way that a service can.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
)

func main() {
	fmt.Printf("%s begins with %q\n", os.Getenv("INSTANCE"), os.Args[1:])
	if len(os.Args) > 1 && os.Args[1] == "migrate" {
		migrate()
		return
	}
	switch os.Getenv("MODE") {
	case "dies":
		fmt.Println("the password is", os.Getenv("PASSWORD"))
		fmt.Fprintln(os.Stderr, "no such table: visitors")
		os.Exit(3)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	case "parent":
		// A child that has left neither group nor marker behind.
		child := exec.Command("/proc/self/exe")
		child.Env = append(os.Environ(), "MODE=stubborn", "PORT=0")
		if err := child.Start(); err != nil {
			fail(err)
		}
		fmt.Println("child", child.Process.Pid)
	}
	if url := os.Getenv("CHECK"); url != "" {
		fmt.Println("before:", ask(http.MethodGet, url))
	}
	serve()
}

// migrate leaves a mark in another service.
func migrate() {
	if os.Getenv("MODE") == "unmigratable" {
		fmt.Fprintln(os.Stderr, "permission denied for schema public")
		os.Exit(4)
	}
	fmt.Println("migrated:", ask(http.MethodPost, os.Getenv("STORE")+"/count"))
}

func ask(method, url string) string {
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		fail(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fail(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		fail(err)
	}
	return string(body)
}

func serve() {
	var mu sync.Mutex
	count := 0
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if os.Getenv("MODE") == "never" {
			http.Error(w, "schema is behind, password "+os.Getenv("PASSWORD"), http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/env/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, os.Getenv(strings.TrimPrefix(r.URL.Path, "/env/")))
	})
	http.HandleFunc("/all", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Join(os.Environ(), "\n"))
	})
	http.HandleFunc("/who", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getpid(), " ", os.Getuid()) })
	http.HandleFunc("/count", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPost {
			count++
		}
		fmt.Fprint(w, count)
	})
	http.HandleFunc("/note", func(w http.ResponseWriter, r *http.Request) {
		path := os.Getenv("DATA") + "/note"
		if r.Method == http.MethodPost {
			if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
			return
		}
		text, err := os.ReadFile(path)
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
		}
		_, _ = w.Write(text)
	})
	fail(http.ListenAndServe(os.Getenv("HOST")+":"+os.Getenv("PORT"), nil))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
