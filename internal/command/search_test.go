package command_test

import (
	"fmt"
	"strings"
	"testing"

	"sarangbang/internal/command"
	"sarangbang/room"
)

func TestSearchFindsTheNewestFirst(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.come("kim", ""), h.come("lee min", "")
	kim.says("사랑방에 오신 것을 환영합니다", "good morning", "nothing")
	lee.says("Good evening", "저녁에 사랑방에서 만나요", "a: b")
	if _, err := lee.Post(t.Context(), room.Lobby, room.Told{To: kim.Person(), Text: room.Sentence("good night")}); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"/search good":                              "[lee min] Good evening\n[kim] good morning\n",
		"/search 사랑방":                               "[lee min] 저녁에 사랑방에서 만나요\n[kim] 사랑방에 오신 것을 환영합니다\n",
		"/search goo eve":                           "[lee min] Good evening\n",
		`/search good from:kim`:                     "[kim] good morning\n",
		`/search from:"Lee Min" good`:               "[lee min] Good evening\n",
		"/search from:kim 방에":                       "[kim] 사랑방에 오신 것을 환영합니다\n",
		"/search from:kim":                          "[kim] nothing\n[kim] good morning\n[kim] 사랑방에 오신 것을 환영합니다\n",
		"/search good in:#lobby since:1h":           "[lee min] Good evening\n[kim] good morning\n",
		"/search good in:lobby since:2026-01-02":    "[lee min] Good evening\n[kim] good morning\n",
		`/search "a: b"`:                            "[lee min] a: b\n",
		`/search a:`:                                "[lee min] a: b\n",
		`/search "from:" good`:                      "* Nothing was found: \"from:\" good\n",
		"/search night":                             "* Nothing was found: night\n", // it is a direct message
		"/search good from:nobody":                  "* Nothing was found: good from:nobody\n",
		"/search evening from:kim page:1":           "* Nothing was found: evening from:kim page:1\n",
		"/search good since:0m":                     "* Nothing was found: good since:0m\n",
		"/search good time:off page:1 from:\"kim\"": "[kim] good morning\n",
	} {
		kim.gets(line, want)
	}
}

func TestSearchGoesByPages(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "")
	var pages [3]string
	for n := range 45 {
		kim.says(fmt.Sprint("word ", n))
		at := (44 - n) / 20
		pages[at] = fmt.Sprintf("[kim] word %d\n", n) + pages[at]
	}
	kim.gets("/search word", pages[0]+"aside: There is more: search again with page:2\n")
	kim.gets("/search word page:2", pages[1]+"aside: There is more: search again with page:3\n")
	kim.gets("/search page:3 word", pages[2])
	kim.fails("/search word page:4", "There is no page 4.")
	kim.fails("/search word page:0", "page: takes a number from 1 to 50.")
	kim.fails("/search word page:51", "page: takes a number from 1 to 50.")
}

func TestSearchSaysWhatItCannotDo(t *testing.T) {
	kim := newHouse(t).come("kim", "")
	for line, want := range map[string]string{
		"/search":                                "Use it like this: /search WORDS [FILTERS]",
		"/search since:7d":                       "Use it like this: /search WORDS [FILTERS]",
		"/search in:":                            "Use it like this: /search WORDS [FILTERS]",
		"/search hello From:":                    "Use it like this: /search WORDS [FILTERS]",
		"/search from: kim":                      "Use it like this: /search WORDS [FILTERS]",
		`/search hello from:""`:                  "Use it like this: /search WORDS [FILTERS]",
		`/search "in:" hello since:`:             "Use it like this: /search WORDS [FILTERS]",
		"/search ...":                            "There is no word in that to look for.",
		"/search x form:kim":                     "There is no filter form: but from: in: since: page: and time:.",
		"/search x in:#garden":                   "There is no room #garden that you may read.",
		"/search x since:monday":                 "since:monday cannot be read as a time. Write since:30m",
		"/search x from:→":                       "Nobody can be called →",
		"/search x time:9":                       "time:9 is not possible",
		"/search x page:two":                     "page: takes a number",
		`/search x in:"a` + "\n" + `[root]"`:     "There is no room a… that you may read.",
		"/search " + strings.Repeat("a:b ", 500): "There is no filter a:",
	} {
		kim.fails(line, want)
	}
}

func TestSearchAloneTellsByItsStatus(t *testing.T) {
	h := newHouse(t)
	h.come("kim", "").says("hello")
	env := command.Env{House: h.House, Bare: true}
	a, err := run(t, env, "/search hello")
	if got := rows(t, a, env, true); err != nil || got != "[kim] hello\n" {
		t.Errorf("search hello = %q, %v; want the line as it is", got, err)
	}
	if a, err := run(t, env, "/search hullo"); err == nil || a.Lines != nil || err.Error() != "Nothing was found: hullo" {
		t.Errorf("search hullo = %v, want a failure", err)
	}
}

func TestSearchNamesTheDay(t *testing.T) {
	kim := newHouse(t).come("kim", "")
	kim.says("hello")
	a, err := run(t, kim.env, "/search hello")
	if got := rows(t, a, kim.env, true); err != nil || !strings.HasPrefix(got, "20") || !strings.HasSuffix(got, " [kim] hello\n") {
		t.Errorf("search = %q, %v; want the day and time before the line", got, err)
	}
}

func TestSearchRefusesTooManyWords(t *testing.T) {
	kim := newHouse(t).come("kim", "")
	var all string
	for n := range room.MaxSearchWords + 1 {
		all += fmt.Sprintf(" w%d", n)
	}
	all = all[1:]
	kim.says(all, strings.Repeat("가", 50))
	kim.gets("/search "+strings.Repeat("w1 ", 100), "[kim] "+all+"\n")
	kim.fails("/search "+all, "at most 32 different words")
	kim.fails("/search "+strings.Repeat("가", 33), "at most 32 different words")
}
