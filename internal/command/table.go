package command

import "sarangbang/internal/i18n"

// Table lists every command in the order in which help shows them.
func Table() []Command {
	return []Command{
		{Name: "help", Aliases: []string{"h", "?", "commands", "도움말", "도움"}, Usage: i18n.UsageHelp, Help: i18n.HelpHelp, Public: true, Run: help},
		{Name: "who", Aliases: []string{"names", "users", "누구"}, Usage: i18n.UsageWho, Help: i18n.HelpWho, More: i18n.MoreWho, Rooms: true, Public: true, Run: who},
		{Name: "whois", Aliases: []string{"정보"}, Usage: i18n.UsageWhois, Help: i18n.HelpWhois, People: true, Public: true, Run: whois},
		{Name: "seen", Aliases: []string{"최근"}, Usage: i18n.UsageSeen, Help: i18n.HelpSeen, More: i18n.MoreSeen, People: true, Public: true, Run: seen},
		{Name: "whoami", Aliases: []string{"나"}, Help: i18n.HelpWhoami, Run: whoami},
		{Name: "nick", Aliases: []string{"name", "닉네임"}, Usage: i18n.UsageNick, Help: i18n.HelpNick, Run: nick},
		{Name: "say", Aliases: []string{"말"}, Usage: i18n.UsageSay, Help: i18n.HelpSay, Speak: say},
		{Name: "me", Aliases: []string{"행동"}, Usage: i18n.UsageMe, Help: i18n.HelpMe, Speak: emote},
		{Name: "msg", Aliases: []string{"m", "w", "tell", "귓속말"}, Usage: i18n.UsageMsg, Help: i18n.HelpMsg, People: true, Speak: tell},
		{Name: "reply", Aliases: []string{"r", "답장"}, Usage: i18n.UsageReply, Help: i18n.HelpReply, Speak: reply},
		{Name: "away", Aliases: []string{"afk", "자리비움"}, Usage: i18n.UsageAway, Help: i18n.HelpAway, More: i18n.MoreAway, Run: away},
		{Name: "ignore", Aliases: []string{"무시"}, Usage: i18n.UsageIgnore, Help: i18n.HelpIgnore, More: i18n.MoreIgnore, People: true, Run: ignore},
		{Name: "unignore", Aliases: []string{"무시해제"}, Usage: i18n.UsageUnignore, Help: i18n.HelpUnignore, People: true, Run: unignore},
		{Name: "join", Aliases: []string{"j", "들어가기"}, Usage: i18n.UsageJoin, Help: i18n.HelpJoin, More: i18n.MoreJoin, Rooms: true, Plain: firstWord, Run: join},
		{Name: "leave", Aliases: []string{"part", "방나가기"}, Usage: i18n.UsageLeave, Help: i18n.HelpLeave, Rooms: true, Run: leave},
		{Name: "go", Aliases: []string{"switch", "이동"}, Usage: i18n.UsageGo, Help: i18n.HelpGo, Rooms: true, Run: goTo},
		{Name: "rooms", Aliases: []string{"방목록"}, Usage: i18n.UsageRooms, Help: i18n.HelpRooms, Public: true, Run: rooms},
		{Name: "topic", Aliases: []string{"주제"}, Usage: i18n.UsageTopic, Help: i18n.HelpTopic, More: i18n.MoreTopic, Run: topic},
		{Name: "history", Aliases: []string{"지난대화"}, Usage: i18n.UsageHistory, Help: i18n.HelpHistory, More: i18n.MoreHistory, Public: true, Run: history},
		{Name: "catchup", Aliases: []string{"놓친글"}, Help: i18n.HelpCatchup, Run: catchup},
		{Name: "search", Aliases: []string{"find", "찾기"}, Usage: i18n.UsageSearch, Help: i18n.HelpSearch, More: i18n.MoreSearch, Public: true, Run: search},
		{Name: "register", Aliases: []string{"등록"}, Help: i18n.HelpRegister, Run: register},
		{Name: "key", Aliases: []string{"keys", "키"}, Usage: i18n.UsageKey, Help: i18n.HelpKey, More: i18n.MoreKey, Choices: []string{"list", "add", "remove"}, Run: key},
		{Name: "account", Aliases: []string{"계정"}, Usage: i18n.UsageAccount, Help: i18n.HelpAccount, Choices: []string{"delete"}, Run: account},
		{Name: "lang", Aliases: []string{"language", "언어"}, Help: i18n.HelpLang, Choices: choices("lang"), Run: configure("lang")},
		{Name: "theme", Aliases: []string{"colors", "colours", "색"}, Help: i18n.HelpTheme, Choices: choices("theme"), Screen: true, Run: configure("theme")},
		{Name: "time", Aliases: []string{"시각"}, Help: i18n.HelpTime, Choices: choices("time"), Run: configure("time")},
		{Name: "bell", Aliases: []string{"알림음"}, Help: i18n.HelpBell, Choices: choices("bell"), Screen: true, Run: configure("bell")},
		{Name: "notify", Aliases: []string{"알림"}, Help: i18n.HelpNotify, Choices: choices("notify"), Screen: true, Run: configure("notify")},
		{Name: "plain", Aliases: []string{"낭독"}, Help: i18n.HelpPlain, Choices: choices("plain"), Screen: true, Run: configure("plain")},
		{Name: "bye", Aliases: []string{"quit", "exit", "나가기"}, Help: i18n.HelpBye, Run: bye},
	}
}
