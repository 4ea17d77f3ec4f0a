package room

import (
	"maps"
	"slices"
)

// Kinds lists the kinds that can be read.
func Kinds() []string { return slices.Sorted(maps.Keys(decoders)) }
