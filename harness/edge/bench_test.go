package edge

import (
	"net/http"
	"testing"
	"time"
)

// BenchmarkEdge measures what the edge adds to a request on a warm connection.
// Both ask a real service over TLS; the edge also forwards and records.
func BenchmarkEdge(b *testing.B) {
	for name, change := range map[string]func(*http.Transport){"http1": http1, "http2": nil} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, nil)
			measure(b, w.browser(b, change), origins.Frontend+"/x")
		})
	}
	b.Run("direct", func(b *testing.B) {
		measure(b, &http.Client{}, serve(b, "direct", echo("direct")).URL+"/x")
	})
}

func measure(b *testing.B, c *http.Client, address string) {
	ask(b, c, "GET", address, "")
	var slowest time.Duration
	for b.Loop() {
		began := time.Now()
		ask(b, c, "GET", address, "", "Cookie", "s=0123456789abcdef.signature")
		slowest = max(slowest, time.Since(began))
	}
	b.ReportMetric(float64(slowest.Microseconds()), "slowest-µs")
}
