// Package hostkeys owns the keys by which people recognise this house: one ed25519 and one RSA key, in OpenSSH's own
// format, in a folder of their own.
//
// A key is made once and loaded for ever after: clients remember it and warn loudly when it changes. So this package
// never replaces or repairs a key file, never goes on with a key that exists in memory only, and refuses a key that
// somebody else could have read or planted. It starts no goroutines.
package hostkeys
