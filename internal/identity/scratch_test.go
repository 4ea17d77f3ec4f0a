package identity

import (
	"errors"
	"fmt"
	"testing"
)

func TestScratch(t *testing.T) {
	r := DefaultRules()
	for _, s := range []string{"kim", "Kim", "김철수", "kim철수", "ㅋㅋ", "철수ㅋㅋ", "ㅎㅏ", "ㅎㅏㄴ", "\u1112\u1161\u11ab\u1100\u1173\u11af", "ｋｉｍ", "＠ｋｉｍ", "  kim  ", "a  b", "a\u00a0b", "kim\u200b", "kim\x1b[2J", "аlice", "ѕеrvеr", "сосо", "admin", "ADMIN", "adm1n", "ADM1N", "adrnin", "adrnln", "r00t", "rnod", "5y5tem", "guest-4", "guest", "Guest‐7", "사랑방", "나", "나무", "lobby", "1obby", "", "   ", "@kim", "kim+lee", "[kim]", "kim→나", "kim ⟶ 나", "*", "**a", "kim😀", "👩‍🚀kim", "❤️kim", "kim♥", "★kim★", "♪kim", "\u0301kim", "a\u0301\u0302\u0303", "e\u0301\u0301", "ệ", "tiếng việt", "שלום", "שלום כהן", "abcשלום", "שלום1", "1שלום", "محمد", "مُحَمَّد", "١٢٣", "علی‌رضا", "น้ำ", "김·철수", "l·l", "カ・タ", "東京kim", "かなカナ漢字kim", "漢字한글kim", "ひらがな한글", "ㄅㄆ漢a", "αβγ", "kimα", "Привет", "--a", "---", "!a", "a!", "a:b", "a*b", "a/b", "a∕b", "ノエル", "‐a", "𝔨𝔦𝔪", "①", "ﬁ", "…kim", "\ufffd", "a\xffb", "\u2800", "a\u2800b", "\ue000", "\u0378", "𐌰𐌻", "Ꮳ", "aaaaaaaaaaaaaaaaaaaaa", "가나다라마바사아자차카", "ᾧ", "İstanbul", "ı", "ß", "Straße", "i\u0307", "kim\ufe0f", "ⓚim", "♡", "김ㆍ철수", "a̸", "k\u20dd", "1\u20e3", "nick name", "𠀀", "\U0001fae9", "﷽", "a\u0345", "M", "kim\tlee", "café", "cafe\u0301"} {
		n, err := r.Parse(s)
		var ref *Refusal
		if errors.As(err, &ref) {
			fmt.Printf("%-24q %-22s bad=%+q got=%d sugg=%q\n", s, ref.Rule, ref.Bad, ref.Got, ref.Suggestion)
		} else {
			fmt.Printf("%-24q OK case=%q skel=%q\n", s, n.CaseKey(), n.Skeleton())
		}
	}
}
func BenchmarkParse(b *testing.B) {
	r := DefaultRules()
	for _, s := range []string{"kim", "nick name 1234567890", "김철수", "kim철수", "tiếng việt", "محمد", "аlice", "kim😀", "ㅋㅋ"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.Parse(s)
			}
		})
	}
}
