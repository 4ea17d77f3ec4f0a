package render

// Colors are a palette's SGR sequences.
func (p *Palette) Colors() []string { return p.colors }
