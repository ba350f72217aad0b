package edge

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
)

// Codes of Header on answers of the edge's own, and their meanings.
const (
	CodeRefused   = "upstream-refused"   // nothing listens there
	CodeReset     = "upstream-reset"     // it ended the connection without an answer
	CodeTimeout   = "upstream-timeout"   // no first byte within Options.Limit
	CodeUntrusted = "upstream-untrusted" // its certificate does not verify
	CodeUnknown   = "upstream-failed"    // any other reason, which is in the body
)

// diagnose names the reason why there is no answer.
func (x *passage) diagnose(err error) (code, reason string) {
	who := x.who()
	var untrusted *tls.CertificateVerificationError
	var host x509.HostnameError
	switch {
	case errors.Is(err, errSlow):
		return CodeTimeout, fmt.Sprintf("%s timed out: no first byte within %v", who, x.line.edge.limit)
	case errors.Is(err, syscall.ECONNREFUSED):
		return CodeRefused, who + " refused the connection: nothing listens there"
	case isReset(err), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return CodeReset, who + " reset the connection without an answer: " + err.Error()
	case errors.As(err, &untrusted), errors.As(err, &host):
		return CodeUntrusted, who + " shows a certificate that does not verify: " + err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return CodeTimeout, who + " timed out: " + err.Error()
	}
	return CodeUnknown, who + " did not answer: " + err.Error()
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		(errors.As(err, &op) && errors.Is(op.Err, net.ErrClosed))
}
