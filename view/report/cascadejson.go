package report

import "io"

func CascadeJSON(w io.Writer, c *Cascade, tool Tool) error { return nil }
func CascadeMarkdown(w io.Writer, c *Cascade, opts TextOptions) error { return nil }
func CascadeDOT(w io.Writer, c *Cascade) error { return nil }
