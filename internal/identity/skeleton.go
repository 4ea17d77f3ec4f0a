package identity

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxLooks bounds the search for a skeleton that stays as it is. Every code point is there after four looks.
const maxLooks = 8

// skeleton returns what names that look like name have in common (UTS #39, section 4), with these changes:
//
//   - Case is folded at the end, and all is repeated until nothing changes: И looks like nothing else, but и like ᴎ.
//     So skeleton(skeleton(x)) == skeleton(x).
//   - m is not taken for rn, and Hangul syllables for nothing but themselves (see internal/gen).
//   - Marks that cannot be seen are dropped: the dot on an i or j that has one, and one mark put twice.
//   - Strokes of Chinese characters, and lines, are taken for the Latin letters that they are drawn like (see [letterOf]).
//
// name is an accepted one: in NFKC, so that its width needs no folding, and without ignorable characters.
func skeleton(name string) string {
	for range maxLooks {
		next := look(name)
		if next == name {
			break
		}
		name = next
	}
	return name
}

// look takes one step towards the skeleton.
func look(name string) string {
	name = norm.NFD.String(prototypes(norm.NFD.String(name)))
	return strings.Map(fold, withoutHiddenMarks(name))
}

// prototypes replaces each code point of nfd by its prototype.
func prototypes(nfd string) string {
	start := strings.IndexFunc(nfd, func(r rune) bool { return likeOf(r) != "" })
	if start < 0 {
		return nfd
	}
	b := make([]byte, start, 2*len(nfd))
	copy(b, nfd)
	for _, r := range nfd[start:] {
		if p := likeOf(r); p != "" {
			b = append(b, p...)
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return string(b)
}

// likeOf returns what r looks like, "" if that is r.
func likeOf(r rune) string {
	if letter := letterOf(r); letter != "" {
		return letter
	}
	return prototypeOf(r)
}

// letterOf returns what r looks like where confusables.txt does not say so: it compares the strokes of Chinese characters and the
// lines that frames are drawn with among themselves only, but a name may mix them with Latin. By confusables.txt the other vertical
// strokes look like 丨 or │, the dashes and 一 like ー, and エ like 工.
func letterOf(r rune) string {
	switch r {
	case '丨', '〡', '│', '❘', '❙', '⏐', '⎸', '⎹', '▏', '▕': // one vertical stroke
		return "l"
	case '工': // a capital I, which has serifs in most fonts of terminals
		return "l"
	case '乚': // a capital L
		return "l"
	case '亅':
		return "j"
	case '丁', '丅', 'ㄒ':
		return "t"
	case '乂', 'ㄨ':
		return "x"
	case '丫', 'ㄚ':
		return "y"
	case '乙':
		return "z"
	case 'ー':
		return "-"
	}
	return ""
}

// prototypeOf returns what r looks like by confusables.txt, "" if that is r.
func prototypeOf(r rune) string {
	i, found := slices.BinarySearch(confusables[:], uint32(r))
	if !found {
		return ""
	}
	at := int(prototypeAt[i])
	return prototypeText[at+1 : at+1+int(prototypeText[at])]
}

// withoutHiddenMarks drops a dot above i or j, unless another mark stands between them, and a mark that stands on itself.
func withoutHiddenMarks(nfd string) string {
	const dotAbove = '\u0307'
	dotted := false
	var last rune
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x300 || !unicode.IsMark(r):
			dotted = r == 'i' || r == 'j'
		case r == last, r == dotAbove && dotted:
			return -1
		case norm.NFD.PropertiesString(string(r)).CCC() == 230: // drawn above
			dotted = false
		}
		last = r
		return r
	}, nfd)
}

// fold folds the case of r: of all that differ in case it returns the same one.
func fold(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }
