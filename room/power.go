package room

import "maps"

// A Role is what somebody is in a place: each may do what those before it may.
type Role int

// The roles, lowest first.
const (
	RoleGuest     Role = iota // anybody
	RoleMember                // the owner of an account
	RoleModerator             // of a room, by its owner's or an operator's grant
	RoleOwner                 // of a room: who made it with an account, or who was longest its moderator when that account ended
	RoleOperator              // of the house, by its configuration or another operator's grant
)

// String returns the role's word for records and programs; people read it from the catalogs.
func (r Role) String() string {
	return [...]string{"guest", "member", "moderator", "owner", "operator"}[r]
}

// Roles lists every role, lowest first.
func Roles() []Role { return []Role{RoleGuest, RoleMember, RoleModerator, RoleOwner, RoleOperator} }

// roleNamed reads a role's word.
func roleNamed(word string) (Role, bool) {
	for _, r := range Roles() {
		if r.String() == word {
			return r, true
		}
	}
	return RoleGuest, false
}

// A Deed is something that not everybody may do.
type Deed string

// The deeds. Those of a room are done in it; the others in the whole house.
const (
	DeedOpen      Deed = "open"     // make a room
	DeedTopic     Deed = "topic"    // give a room a topic
	DeedInvite    Deed = "invite"   // let people into a private room
	DeedKick      Deed = "kick"     // put people out of a room
	DeedMute      Deed = "mute"     // keep people from speaking in a room
	DeedBan       Deed = "ban"      // keep people out of a room
	DeedSlow      Deed = "slow"     // let each person speak only now and then
	DeedLock      Deed = "lock"     // let only people with accounts in
	DeedWithdraw  Deed = "strike"   // strike lines
	DeedAudit     Deed = "audit"    // read what was done to keep order in a room, and whom it keeps out
	DeedPrivate   Deed = "private"  // make a room private, or public again, or give it a password
	DeedPromote   Deed = "promote"  // make moderators of a room
	DeedAppoint   Deed = "appoint"  // make operators
	DeedHouseBan  Deed = "houseban" // keep people out of the house, or from speaking anywhere in it
	DeedAddresses Deed = "address"  // see where people come from, and keep them out by it
	DeedAnnounce  Deed = "announce" // speak to everybody
)

// powers is the one table of who may do what: the lowest role that may.
var powers = map[Deed]Role{
	DeedOpen:      RoleGuest,
	DeedTopic:     RoleModerator,
	DeedInvite:    RoleModerator,
	DeedKick:      RoleModerator,
	DeedMute:      RoleModerator,
	DeedBan:       RoleModerator,
	DeedSlow:      RoleModerator,
	DeedLock:      RoleModerator,
	DeedWithdraw:  RoleModerator,
	DeedAudit:     RoleModerator,
	DeedPrivate:   RoleOwner,
	DeedPromote:   RoleOwner,
	DeedAppoint:   RoleOperator,
	DeedHouseBan:  RoleOperator,
	DeedAddresses: RoleOperator,
	DeedAnnounce:  RoleOperator,
}

// Deeds lists everything that not everybody may do, with the lowest role that may.
func Deeds() map[Deed]Role {
	return maps.Clone(powers)
}

// Needs returns the lowest role that may do something.
func (d Deed) Needs() Role { return powers[d] }
