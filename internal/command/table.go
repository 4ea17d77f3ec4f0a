package command

import (
	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// dryRun is the flag with which a command says what it would do, and does nothing.
const dryRun = "dry-run"

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
		{Name: "msg", Aliases: []string{"m", "w", "tell", "귓속말"}, Usage: i18n.UsageMsg, Help: i18n.HelpMsg, More: i18n.MoreMsg, People: true, Speak: tell},
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
		{Name: "time", Aliases: []string{"시각"}, Help: i18n.HelpTime, More: i18n.MoreTime, Choices: choices("time"), Run: configure("time")},
		{Name: "bell", Aliases: []string{"알림음"}, Help: i18n.HelpBell, Choices: choices("bell"), Screen: true, Run: configure("bell")},
		{Name: "notify", Aliases: []string{"알림"}, Help: i18n.HelpNotify, Choices: choices("notify"), Screen: true, Run: configure("notify")},
		{Name: "plain", Aliases: []string{"낭독"}, Help: i18n.HelpPlain, Choices: choices("plain"), Screen: true, Run: configure("plain")},
		{Name: "motd", Aliases: []string{"인사말"}, Help: i18n.HelpMotd, Public: true, Run: motd},
		{Name: "rules", Aliases: []string{"규칙"}, Help: i18n.HelpRules, Public: true, Run: rules},
		{Name: "undo", Aliases: []string{"되돌리기"}, Usage: i18n.UsageUndo, Help: i18n.HelpUndo, More: i18n.MoreUndo, Flags: []string{dryRun}, Run: undo},
		{Name: "bye", Aliases: []string{"quit", "exit", "나가기"}, Help: i18n.HelpBye, Run: bye},
		{Name: "kick", Aliases: []string{"내보내기"}, Usage: i18n.UsageKick, Help: i18n.HelpKick, People: true, Flags: []string{dryRun}, Needs: room.DeedKick, Run: kick},
		{Name: "mute", Aliases: []string{"말막기"}, Usage: i18n.UsageMute, Help: i18n.HelpMute, More: i18n.MoreMute, People: true, Flags: []string{dryRun, "house", "address", "shared"}, Needs: room.DeedMute, Run: mute},
		{Name: "unmute", Aliases: []string{"말풀기"}, Usage: i18n.UsageUnmute, Help: i18n.HelpUnmute, People: true, Flags: []string{dryRun}, Needs: room.DeedMute, Run: unmute},
		{Name: "ban", Aliases: []string{"차단"}, Usage: i18n.UsageBan, Help: i18n.HelpBan, More: i18n.MoreBan, People: true, Flags: []string{dryRun, "house", "address", "shared"}, Needs: room.DeedBan, Run: ban},
		{Name: "unban", Aliases: []string{"차단해제"}, Usage: i18n.UsageUnban, Help: i18n.HelpUnban, Flags: []string{dryRun}, Needs: room.DeedBan, Run: unban},
		{Name: "bans", Aliases: []string{"차단목록"}, Usage: i18n.UsageBans, Help: i18n.HelpBans, Rooms: true, Needs: room.DeedAudit, Run: bans},
		{Name: "slow", Aliases: []string{"천천히"}, Usage: i18n.UsageSlow, Help: i18n.HelpSlow, Flags: []string{}, Needs: room.DeedSlow, Run: slow},
		{Name: "lock", Aliases: []string{"잠그기"}, Usage: i18n.UsageLock, Help: i18n.HelpLock, Choices: []string{"on", "off"}, Flags: []string{}, Needs: room.DeedLock, Run: lock},
		{Name: "strike", Aliases: []string{"지우기"}, Usage: i18n.UsageStrike, Help: i18n.HelpStrike, More: i18n.MoreStrike, Flags: []string{dryRun}, Needs: room.DeedWithdraw, Run: strike},
		{Name: "audit", Aliases: []string{"조치"}, Usage: i18n.UsageAudit, Help: i18n.HelpAudit, More: i18n.MoreAudit, Rooms: true, Needs: room.DeedAudit, Run: audit},
		{Name: "invite", Aliases: []string{"초대"}, Usage: i18n.UsageInvite, Help: i18n.HelpInvite, People: true, Flags: []string{}, Needs: room.DeedInvite, Run: invite},
		{Name: "uninvite", Aliases: []string{"초대취소"}, Usage: i18n.UsageUninvite, Help: i18n.HelpUninvite, Flags: []string{}, Needs: room.DeedInvite, Run: uninvite},
		{Name: "room", Aliases: []string{"방"}, Usage: i18n.UsageRoom, Help: i18n.HelpRoom, More: i18n.MoreRoom, Choices: []string{"private", "public", "password"}, Needs: room.DeedPrivate, Plain: withoutPassword, Run: setRoom},
		{Name: "grant", Aliases: []string{"임명"}, Usage: i18n.UsageGrant, Help: i18n.HelpGrant, More: i18n.MoreGrant, People: true, Flags: []string{}, Needs: room.DeedPromote, Run: grant},
		{Name: "revoke", Aliases: []string{"해임"}, Usage: i18n.UsageRevoke, Help: i18n.HelpRevoke, People: true, Flags: []string{}, Needs: room.DeedPromote, Run: revoke},
		{Name: "announce", Aliases: []string{"공지"}, Usage: i18n.UsageAnnounce, Help: i18n.HelpAnnounce, Needs: room.DeedAnnounce, Run: announce},
	}
}
