//go:build !linux

package playwright

// hasten does nothing: only Linux lends sockets.
func hasten(processes) (set int) { return 0 }
