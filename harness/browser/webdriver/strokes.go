package webdriver

import (
	"strings"
	"unicode"
)

// stroke is a run of text that is typed by keys, or inserted at once.
type stroke struct {
	text  string
	typed bool
}

// enterKey is the normalised key value of Enter (WebDriver, section 17.4.2).
const enterKey = '\uE006'

// strokes cuts text into what is typed and what is inserted. The first letter and
// the ends of lines are typed; the rest comes at once, as from a clipboard or a
// keeper of passwords: each key costs a page that draws its form anew some 20 ms
// (measured). WebKitWebDriver turns characters beyond the basic plane into
// unknown keys that write nothing (measured); a tab would leave the field, and
// in the protocol private-use characters are keys.
func strokes(text string, lines bool) []stroke {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	var all []stroke
	for _, r := range text {
		if r == '\n' && !lines {
			continue // a field of one line takes none, and Enter would submit
		}
		typed := r == '\n' || (len(all) == 0 && r < 0x250 && unicode.IsPrint(r))
		if r == '\n' {
			r = enterKey
		}
		if n := len(all); n > 0 && all[n-1].typed == typed {
			all[n-1].text += string(r)
			continue
		}
		all = append(all, stroke{string(r), typed})
	}
	return all
}
