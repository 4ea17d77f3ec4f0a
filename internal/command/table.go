package command

import "sarangbang/internal/i18n"

// Table lists every command in the order in which help shows them.
func Table() []Command {
	return []Command{
		{Name: "help", Aliases: []string{"h", "?", "commands", "도움말", "도움"}, Usage: i18n.UsageHelp, Help: i18n.HelpHelp, Public: true, Run: help},
		{Name: "who", Aliases: []string{"names", "users", "누구"}, Help: i18n.HelpWho, Public: true, Run: who},
		{Name: "whoami", Aliases: []string{"나"}, Help: i18n.HelpWhoami, Run: whoami},
		{Name: "nick", Aliases: []string{"name", "닉네임"}, Usage: i18n.UsageNick, Help: i18n.HelpNick, Run: nick},
		{Name: "say", Aliases: []string{"말"}, Usage: i18n.UsageSay, Help: i18n.HelpSay, Speak: say},
		{Name: "me", Aliases: []string{"행동"}, Usage: i18n.UsageMe, Help: i18n.HelpMe, Speak: emote},
		{Name: "msg", Aliases: []string{"m", "w", "tell", "귓속말"}, Usage: i18n.UsageMsg, Help: i18n.HelpMsg, People: true, Speak: tell},
		{Name: "reply", Aliases: []string{"r", "답장"}, Usage: i18n.UsageReply, Help: i18n.HelpReply, Speak: reply},
		{Name: "lang", Aliases: []string{"language", "언어"}, Usage: i18n.UsageLang, Help: i18n.HelpLang, Choices: []string{"en", "ko"}, Run: lang},
		{Name: "time", Aliases: []string{"시각"}, Usage: i18n.UsageTime, Help: i18n.HelpTime, Choices: []string{"off", "short", "full"}, Run: times},
		{Name: "bell", Aliases: []string{"알림음"}, Usage: i18n.UsageBell, Help: i18n.HelpBell, Choices: []string{"mentions", "on", "off"}, Run: bell},
		{Name: "plain", Aliases: []string{"낭독"}, Usage: i18n.UsagePlain, Help: i18n.HelpPlain, Choices: []string{"on", "off"}, Run: plain},
		{Name: "bye", Aliases: []string{"quit", "exit", "나가기"}, Help: i18n.HelpBye, Run: bye},
	}
}
