package webdriver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// screen chooses where windows appear, and returns the variables that say so:
// the user's own display where they want to see them, else a new Xvfb, and the
// user's where there is none to start.
func (w *webkit) screen(ctx context.Context) ([]string, error) {
	if w.launch.Headed {
		own := ownDisplay()
		if own == nil {
			return nil, errors.New("a window is to be shown, and neither DISPLAY nor WAYLAND_DISPLAY is set: " +
				"run it in a desktop session, or without showing the window")
		}
		return own, nil
	}
	d, err := openDisplay(ctx, w.dir)
	if own := ownDisplay(); errors.Is(err, errNoXvfb) && own != nil {
		return own, nil
	}
	if err != nil {
		return nil, err
	}
	w.display = d
	// Xvfb has no graphics card: painted by OpenGL, pages took a sixth more of the
	// web process's time, for shaders compiled and run on the processor (2.50.6,
	// measured).
	return []string{"WEBKIT_SKIA_ENABLE_CPU_RENDERING=1", "DISPLAY=" + d.name, "XAUTHORITY=" + d.authority, "GDK_BACKEND=x11"}, nil
}

// ownDisplay returns the variables of the user's display, nil without one.
// Both kinds find files by variables that the browser gets other values for.
func ownDisplay() []string {
	var own []string
	if name := os.Getenv("WAYLAND_DISPLAY"); name != "" {
		if !filepath.IsAbs(name) {
			name = filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), name)
		}
		own = append(own, "WAYLAND_DISPLAY="+name)
	}
	if name := os.Getenv("DISPLAY"); name != "" {
		authority := os.Getenv("XAUTHORITY")
		if authority == "" {
			authority = filepath.Join(os.Getenv("HOME"), ".Xauthority")
		}
		own = append(own, "DISPLAY="+name, "XAUTHORITY="+authority)
	}
	return own
}

// dropped are variables that a browser under test must not have from outside.
// The two WEBKIT_DISABLE ones make WebKitGTK 2.50 hang on every screenshot
// where there is no graphics card (measured).
var dropped = []string{
	"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "GDK_BACKEND", "DESKTOP_STARTUP_ID", "GTK_MODULES",
	"WEBKIT_DISABLE_DMABUF_RENDERER", "WEBKIT_DISABLE_COMPOSITING_MODE", "WEBKIT_INSPECTOR_SERVER",
}

// environment is this process's own, so that what marks a run's processes is
// inherited, with every folder that the browser writes to below dir, and
// without a session bus: none is needed, and the user's is left alone.
func environment(dir string, screen []string) ([]string, error) {
	set := slices.Concat(screen, []string{
		// "disabled:" is no transport, so that libdbus does not start a bus.
		"DBUS_SESSION_BUS_ADDRESS=disabled:", "NO_AT_BRIDGE=1", "GTK_A11Y=none",
		"GSETTINGS_BACKEND=memory", "GIO_USE_VFS=local",
	})
	for variable, folder := range map[string]string{
		"HOME": "home", "TMPDIR": "tmp", "XDG_RUNTIME_DIR": "run", "XDG_CACHE_HOME": "home/cache",
		"XDG_CONFIG_HOME": "home/config", "XDG_DATA_HOME": "home/data", "XDG_STATE_HOME": "home/state",
	} {
		path := filepath.Join(dir, folder)
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, fmt.Errorf("make a folder for the browser: %w", err)
		}
		set = append(set, variable+"="+path)
	}
	replaced := map[string]bool{}
	for _, name := range dropped {
		replaced[name] = true
	}
	for _, pair := range set {
		name, _, _ := strings.Cut(pair, "=")
		replaced[name] = true
	}
	kept := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return replaced[name]
	})
	return append(kept, set...), nil
}
