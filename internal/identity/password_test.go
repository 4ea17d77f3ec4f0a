package identity

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestAPasswordOpensItsHashAndNoOther(t *testing.T) {
	const password = "사랑방 열쇠 42"
	hash, err := HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "pbkdf2-sha256$600000$") || strings.Contains(hash, "=") {
		t.Errorf("hash = %q, want it to begin with its kind and its rounds, and without padding", hash)
	}
	again, err := HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	if again == hash {
		t.Error("two hashes of one password are the same, want each salted")
	}
	for typed, want := range map[string]bool{
		password:       true,
		password + " ": false,
		"사랑방 열쇠 43":    false,
		"":             false,
	} {
		if got := CheckPassword(hash, typed); got != want {
			t.Errorf("CheckPassword(hash, %q) = %t, want %t", typed, got, want)
		}
	}
	if !CheckPassword(again, password) {
		t.Error("the second hash does not open")
	}
}

// cheapHash is a hash of few rounds.
func cheapHash(t *testing.T, password string) string {
	t.Helper()
	h := passwordHash{rounds: leastRounds, salt: []byte("sixteen bytes of")}
	var err error
	if h.key, err = h.derive(password); err != nil {
		t.Fatal(err)
	}
	return h.String()
}

func TestAPasswordIsTheSameFromEveryKeyboard(t *testing.T) {
	hash := cheapHash(t, "한글 café 1")
	for _, typed := range []string{
		"한글 café 1",
		"\u1112\u1161\u11AB\u1100\u1173\u11AF cafe\u0301 1", // as a Mac sends it
		"한글\u3000café\u00A01",
	} {
		if !CheckPassword(hash, typed) {
			t.Errorf("CheckPassword(%+q) = false, want true", typed)
		}
	}
	for _, typed := range []string{"한글 cafe 1", "한글 CAFÉ 1", "한글 café  1", "한글 café １"} {
		if CheckPassword(hash, typed) {
			t.Errorf("CheckPassword(%+q) = true, want false", typed)
		}
	}
}

// What was stored years ago must open for ever. The hash was made with another implementation:
//
//	python3 -c 'import hashlib; print(hashlib.pbkdf2_hmac("sha256", b"correct horse", bytes(range(16)), 600000).hex())'
func TestAStoredHashOpensForEver(t *testing.T) {
	const hash = "pbkdf2-sha256$600000$AAECAwQFBgcICQoLDA0ODw$lqWQTC4IyNpCMF28xdfPGOrSY21J9ZUmtgbyZpYoFHM"
	if !CheckPassword(hash, "correct horse") {
		t.Error("CheckPassword = false, want true")
	}
	if CheckPassword(hash, "correct horsf") {
		t.Error("CheckPassword of another password = true, want false")
	}
}

func TestPasswordsThatAreRefused(t *testing.T) {
	for _, test := range []struct {
		password string
		want     error
	}{
		{"", ErrPasswordShort},
		{"1234567", ErrPasswordShort},
		{"가나다라마바사", ErrPasswordShort},
		{strings.Repeat("\u1100\u1161", 7), ErrPasswordShort}, // seven syllables
		{strings.Repeat("a", 129), ErrPasswordLong},
		{strings.Repeat("가", 43), ErrPasswordLong},
		{strings.Repeat("a", 1<<20), ErrPasswordLong},
		{"1234567\xff", ErrPasswordText},
		{"1234567\uFFFD", ErrPasswordText},
		{"12345678\t", ErrPasswordText},
		{"12345678\u200b", ErrPasswordText},
		{"12345678\u1100", ErrPasswordText},
	} {
		if _, err := HashPassword(test.password); !errors.Is(err, test.want) {
			t.Errorf("HashPassword(%.40q) = %v, want %v", test.password, err, test.want)
		}
	}
	for _, fits := range []string{"12345678", "가나다라마바사아", strings.Repeat("a", 128), strings.Repeat("가", 42), strings.Repeat("\u1112\u1161\u11AB", 42), "ㅋㅋㅋㅋㅋㅋㅋㅋ", "😀😀😀😀😀😀😀😀"} {
		if _, err := opaqueString(fits); err != nil {
			t.Errorf("opaqueString(%q) = %v, want it accepted", fits, err)
		}
	}
}

func TestTheErrorsNameTheBounds(t *testing.T) {
	for err, number := range map[error]int{ErrPasswordShort: MinPassword, ErrPasswordLong: MaxPassword} {
		if !strings.Contains(err.Error(), fmt.Sprint(number)) {
			t.Errorf("%q does not name the bound %d", err, number)
		}
	}
}

func TestWhatIsNoHashMatchesNothing(t *testing.T) {
	const password = "password"
	good := cheapHash(t, password)
	if !CheckPassword(good, password) {
		t.Fatal("the hash itself does not match")
	}
	fields := strings.Split(good, "$")
	with := func(i int, s string) string {
		f := append([]string(nil), fields...)
		f[i] = s
		return strings.Join(f, "$")
	}
	zeros := func(n int) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }
	for _, hash := range []string{
		"", "$", "$$$", "$$$$", password, good + "$", "$" + good, good + "\n", good + "=", strings.Repeat(good, 1000),
		with(0, "pbkdf2-sha512"), with(0, ""), with(0, "PBKDF2-SHA256"),
		with(1, ""), with(1, "0"), with(1, "-1000"), with(1, "+1000"), with(1, "01000"), with(1, "1000 "), with(1, "999"), with(1, "1e3"),
		with(1, "2400001"), with(1, "9223372036854775807"), with(1, "99999999999999999999"),
		with(2, ""), with(2, zeros(15)), with(2, zeros(17)), with(2, "!"+fields[2][1:]), with(2, fields[2]+"=="), with(2, fields[2][:21]+"\n"+fields[2][21:]),
		with(3, ""), with(3, zeros(31)), with(3, zeros(33)), with(3, fields[3]+"="), with(3, fields[3][:1]),
	} {
		if h, ok := parsePasswordHash(hash); ok {
			t.Errorf("%.100q is read as %q, want it refused", hash, h)
		} else if CheckPassword(hash, password) {
			t.Errorf("CheckPassword(%.100q) = true, want false", hash)
		}
	}
}

// A record from elsewhere must not burn minutes: the bound is looked at before the first round.
func TestRoundsAreBounded(t *testing.T) {
	good := cheapHash(t, "password")
	for rounds, want := range map[string]bool{"999": false, "1000": true, "600000": true, "2400000": true, "2400001": false, "2147483647": false} {
		if _, got := parsePasswordHash(strings.Replace(good, "$1000$", "$"+rounds+"$", 1)); got != want {
			t.Errorf("a hash of %s rounds is accepted = %t, want %t", rounds, got, want)
		}
	}
}

func FuzzPasswordHash(f *testing.F) {
	f.Add("pbkdf2-sha256$1000$c2l4dGVlbiBieXRlcyBvZg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "password")
	f.Add("pbkdf2-sha256$2400001$c2l4dGVlbiBieXRlcyBvZg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a\xff\u1100\u1161")
	f.Fuzz(func(t *testing.T, hash, password string) {
		if h, ok := parsePasswordHash(hash); ok && h.String() != hash {
			t.Errorf("%q is read as %q", hash, h)
		}
		opaque, err := opaqueString(password)
		if err != nil {
			return
		}
		if again, err := opaqueString(opaque); err != nil || again != opaque {
			t.Errorf("the form of %+q is %+q, and that of it %+q, %v", password, opaque, again, err)
		}
		if len(opaque) > MaxPassword {
			t.Errorf("the form of %+q has %d bytes", password, len(opaque))
		}
	})
}

func BenchmarkHashPassword(b *testing.B) {
	for b.Loop() {
		if _, err := HashPassword("password"); err != nil {
			b.Fatal(err)
		}
	}
}
