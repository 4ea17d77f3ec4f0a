package admission

import (
	"net"
	"net/netip"
)

// AddressOf returns what addr counts as: its /32 for IPv4, also when mapped into IPv6, its /64 for IPv6. What is no IP
// address (a pipe in memory) counts as one and the same place.
func AddressOf(addr net.Addr) netip.Prefix {
	return counted(ip(addr))
}

func counted(ip netip.Addr) netip.Prefix {
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	p, _ := ip.Prefix(bits) // fails for the zero Addr only, whose zero Prefix is the place meant
	return p
}

// ip returns the address without port and zone, and IPv4 as such when it came mapped.
func ip(addr net.Addr) netip.Addr {
	switch a := addr.(type) {
	case nil:
		return netip.Addr{}
	case *net.TCPAddr:
		return a.AddrPort().Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}
